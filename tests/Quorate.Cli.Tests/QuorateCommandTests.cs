namespace Quorate.Cli.Tests;

/// <summary>What is typed wrongly is answered with a sentence and exit code 64, before anything is done.</summary>
public sealed class QuorateCommandTests
{
    [Theory]
    [InlineData("jump")]
    [InlineData("bench --jump")]
    [InlineData("up --nodes many")]
    public void What_can_not_be_parsed_exits_64(string line)
    {
        var errors = new StringWriter();
        Assert.Equal(64, QuorateCommand.Run(line.Split(' '), TextWriter.Null, errors));
        Assert.Contains("--help", errors.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect NOWHERE", 66)]
    [InlineData("bench verify NOWHERE", 66)]
    [InlineData("bench verify EMPTY", 65)]
    [InlineData("bench --history NOWHERE/x --seconds 1", 66)]
    public void Files_that_are_not_there_or_hold_nothing_are_named(string line, int code)
    {
        string folder = Directory.CreateTempSubdirectory("quorate-cli-").FullName;
        try
        {
            string empty = Path.Combine(folder, "empty");
            File.WriteAllText(empty, "");
            string[] words = line.Replace("NOWHERE", Path.Combine(folder, "nowhere"), StringComparison.Ordinal)
                .Replace("EMPTY", empty, StringComparison.Ordinal).Split(' ');
            Assert.Equal(code, QuorateCommand.Run(words, TextWriter.Null, TextWriter.Null));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Nothing_typed_says_what_to_try()
    {
        var output = new StringWriter();
        Assert.Equal(0, QuorateCommand.Run([], output, TextWriter.Null));
        Assert.Contains("./quorate up", output.ToString(), StringComparison.Ordinal);
    }
}
