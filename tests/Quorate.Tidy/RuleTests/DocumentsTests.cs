using Quorate.Tidy.Rules;

namespace Quorate.Tidy.RuleTests;

/// <summary>Samples for <see cref="Documents"/> and <see cref="CodeReferences"/>.</summary>
public sealed class DocumentsTests
{
    [Theory]
    [InlineData("# A leader that is cut off steps down.\n", true)]
    [InlineData("cluster 3\n# A leader that is cut off steps down.\n", false)]
    [InlineData("# leader\n", false)]
    [InlineData("#\n", false)]
    public void A_golden_script_without_a_sentence_is_found(string text, bool good) =>
        Assert.Equal(good ? [] : [1], Sample.Lines(Documents.ScriptOpening(Sample.At("tests/scripts/a.txt", text))));

    [Theory]
    [InlineData("[a](../README.md)", true)]
    [InlineData("[a](other.md#two-words-2)", true)]
    [InlineData("[a](#here)", true)]
    [InlineData("[a](https://example.org/gone.md)", true)]
    [InlineData("`[a](gone.md)`", true)]
    [InlineData("[a](gone.md)", false)]
    [InlineData("[a](other.md#gone)", false)]
    [InlineData("[a](#gone)", false)]
    [InlineData("[a](../../README.md)", false)]
    [InlineData("[a]: gone.md", false)]
    public void A_link_that_leads_nowhere_is_found(string line, bool good)
    {
        Source page = Sample.At("docs/page.md", $"# Here\n{line}\n```\n[a](in-a-fence.md)\n```\n");
        Source other = Sample.At("docs/other.md", "## Two words, 2\n");
        Source[] pages = [page, other, Sample.At("README.md", "# Readme\n")];
        Source? Find(string path) => pages.FirstOrDefault(known => known.Path == path);
        Assert.Equal(good ? [] : [2], Sample.Lines(Documents.Links(page, path => Find(path) is not null, Find)));
    }

    [Theory]
    [InlineData("`Source.At`", true)]
    [InlineData("`Documents.Problem` and `Finding.Line`", true)]
    [InlineData("`Source.Gone`", false)]
    [InlineData("`Gone.At`", false)]
    [InlineData("`Source`", false)]
    [InlineData("Source.At", false)]
    public void A_row_of_figure_2_that_names_no_code_is_found(string cell, bool good)
    {
        string text = $"{CodeReferences.FigureHeading}\n\n| rule | where |\n| --- | --- |\n| one | {cell} |\n";
        Source page = Sample.At("docs/ARCHITECTURE.md", text);
        Assert.Equal(good ? [] : [5], Sample.Lines(CodeReferences.Figure(page, typeof(Source).Assembly)));
    }

    [Fact]
    public void A_page_without_the_table_of_figure_2_is_found()
    {
        Source page = Sample.At("docs/ARCHITECTURE.md", "# Another heading\n\n| a |\n| --- |\n| `Gone.Gone` |\n");
        Assert.Equal([1], Sample.Lines(CodeReferences.Figure(page, typeof(Source).Assembly)));
    }

    [Theory]
    [InlineData("`One`, `Two`", "", 0)]
    [InlineData("`Guards.One`, `Two`", "`Unrelated` prose", 0)]
    [InlineData("`One`", "", 1)]
    [InlineData("`One`, `Two`, `Three`", "", 1)]
    [InlineData("`One`, `Two`", "prose with `Guards.Three`", 1)]
    public void A_guard_unnamed_and_a_name_without_a_guard_are_found(string cell, string prose, int findings)
    {
        string text = $"{prose}\n\n| pitfall | guard | test |\n| --- | --- | --- |\n| R1 | {cell} | `Tests.A` |\n";
        Assert.Equal(findings, CodeReferences.GuardMap(Sample.At("docs/pitfalls.md", text), ["One", "Two"]).Count());
    }

    [Theory]
    [InlineData("# a word", true)]
    [InlineData("One script r1", true)]
    [InlineData("One storage ATests", true)]
    [InlineData("Three script r1", false)]
    [InlineData("One script r2", false)]
    [InlineData("One storage BTests", false)]
    [InlineData("One storage", false)]
    [InlineData("Two script r1\nTwo script r1", false)]
    public void A_line_on_mutants_that_names_what_is_not_there_is_found(string text, bool isRight)
    {
        string[] files = ["tests/scripts/raft/r1.txt", "tests/A/ATests.cs", "src/A/BTests.cs"];
        Source table = Sample.At("tests/mutants/killers.txt", text);
        Assert.Equal(isRight, !CodeReferences.Killers(table, ["One", "Two"], files).Any());
    }
}
