using Quorate.Tidy.Rules;

namespace Quorate.Tidy.RuleTests;

/// <summary>Samples for <see cref="TextRules"/>.</summary>
public sealed class TextRulesTests
{
    [Fact]
    public void A_line_over_120_columns_is_found_except_where_lines_cannot_be_wrapped()
    {
        string text = new string('x', 120) + "\n" + new string('x', 121) + "\n";
        Assert.Equal([2], Sample.Lines(TextRules.LineLength(Sample.At("a.cs", text))));
        Assert.Empty(TextRules.LineLength(Sample.At("a.md", text)));
    }

    [Fact]
    public void A_tab_is_found() =>
        Assert.Equal([2], Sample.Lines(TextRules.Tabs(Sample.At("a.cs", "good\n\tbad\n"))));

    [Fact]
    public void A_space_at_the_end_of_a_line_is_found_except_in_golden_scripts()
    {
        Assert.Equal([1], Sample.Lines(TextRules.TrailingSpace(Sample.At("a.cs", "bad \n good\n"))));
        Assert.Empty(TextRules.TrailingSpace(Sample.At("tests/scripts/a.txt", "a reply \n")));
    }

    [Fact]
    public void A_carriage_return_is_found_except_in_scripts_of_Windows()
    {
        Assert.Equal([1], Sample.Lines(TextRules.CarriageReturns(Sample.At("a.cs", "bad\r\ngood\n"))));
        Assert.Empty(TextRules.CarriageReturns(Sample.At("a.cmd", "good\r\n")));
    }

    [Theory]
    [InlineData("a\nb\n", 0)]
    [InlineData("a\nb", 2)]
    [InlineData("a\n\n", 2)]
    [InlineData("", 1)]
    public void A_file_that_does_not_end_with_one_newline_is_found(string text, int line) =>
        Assert.Equal(line == 0 ? [] : [line], Sample.Lines(TextRules.FinalNewline(Sample.At("a.cs", text))));

    [Fact]
    public void Advice_of_a_file_s_own_is_found_except_where_all_of_it_stands()
    {
        string text = "\"The file is whole.\"\n\"It is damaged. Replace this replica from another one.\"\n";
        Assert.Equal([2], Sample.Lines(TextRules.Advice(Sample.At("src/a.cs", text))));
        Assert.Empty(TextRules.Advice(Sample.At("src/FolderAdvice.cs", text)));
        Assert.Empty(TextRules.Advice(Sample.At("tests/a.cs", text)));
    }

    [Theory]
    [InlineData("TO", "DO")]
    [InlineData("FIX", "ME")]
    [InlineData("HA", "CK")]
    [InlineData("XX", "X")]
    [InlineData("TB", "D")]
    [InlineData("NotImplemented", "Exception")]
    public void A_mark_for_later_is_found(string half, string otherHalf)
    {
        string mark = half + otherHalf;
        Assert.Equal([2], Sample.Lines(TextRules.Marks(Sample.At("a.cs", $"good\n// {mark}: bad\n"))));
        Assert.Empty(TextRules.Marks(Sample.At("a.cs", $"a word like {mark}LIKE\n")));
    }
}
