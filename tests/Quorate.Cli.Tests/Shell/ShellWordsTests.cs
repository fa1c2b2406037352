using System.Text;
using Quorate.Cli.Shell;

namespace Quorate.Cli.Tests.Shell;

/// <summary>A typed line becomes words, and what may hold anything is shown without doing anything.</summary>
public sealed class ShellWordsTests
{
    [Theory]
    [InlineData("GET a", "GET|a")]
    [InlineData("  SET  a   1  ", "SET|a|1")]
    [InlineData("SET \"a b\" 'c  d'", "SET|a b|c  d")]
    [InlineData("SET a \"\"", "SET|a|")]
    [InlineData("SET a \"x\\ty\\n\\x41\\\"\"", "SET|a|x\ty\nA\"")]
    [InlineData("SET a 'x\\ny\\'z'", "SET|a|x\\ny'z")]
    [InlineData("SET a b\"c\"", "SET|a|b\"c\"")]
    [InlineData("SET é 😀", "SET|é|😀")]
    [InlineData("", "")]
    public void Blanks_part_words_and_quotation_marks_keep_them(string line, string words)
    {
        List<byte[]> split = ShellWords.Split(line, out string problem)!;
        Assert.Equal("", problem);
        Assert.Equal(words, string.Join('|', split.Select(Encoding.UTF8.GetString)));
    }

    [Theory]
    [InlineData("SET \"a", "is not closed")]
    [InlineData("SET 'a", "is not closed")]
    [InlineData("SET \"a\"b", "A blank must follow")]
    public void A_line_that_is_not_complete_is_no_command(string line, string says)
    {
        Assert.Null(ShellWords.Split(line, out string problem));
        Assert.Contains(says, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_can_be_said_in_double_quotation_marks()
    {
        byte[] bytes = [.. Enumerable.Range(0, 256).Select(each => (byte)each)];
        string line = $"\"{string.Concat(bytes.Select(each => $"\\x{each:x2}"))}\"";
        Assert.Equal(bytes, Assert.Single(ShellWords.Split(line, out _)!));
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0xc3, 0xa9 }, "aé")]
    [InlineData(new byte[] { 0x0a, 0x09, 0x0d }, "\\n\\t\\r")]
    [InlineData(new byte[] { 0x1b, 0x5b, 0x32, 0x4a }, "\\x1b[2J")]
    [InlineData(new byte[] { 0xff, 0x61 }, "\\xffa")]
    [InlineData(new byte[] { 0xc2, 0x9b }, "\\xc2\\x9b")]
    [InlineData(new byte[] { 0xe2, 0x80, 0xae }, "\\xe2\\x80\\xae")]
    public void What_would_change_the_window_is_escaped(byte[] bytes, string shown) =>
        Assert.Equal(shown, ShellWords.Show(bytes));
}
