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

    [Fact]
    public void Nothing_typed_says_what_to_try()
    {
        var output = new StringWriter();
        Assert.Equal(0, QuorateCommand.Run([], output, TextWriter.Null));
        Assert.Contains("./quorate up", output.ToString(), StringComparison.Ordinal);
    }
}
