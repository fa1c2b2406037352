using Quorate.Cli.Operator;

namespace Quorate.Cli.Tests.Operator;

/// <summary>How long ago is said by a number and a unit.</summary>
public sealed class EventsCommandTests
{
    [Theory]
    [InlineData("90s", 90)]
    [InlineData("5m", 300)]
    [InlineData("1h", 3600)]
    [InlineData("2d", 172_800)]
    [InlineData("0s", 0)]
    public void A_number_and_a_unit_are_a_while(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), EventsCommand.SpanOf(text));

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("1")]
    [InlineData("-1h")]
    [InlineData("1w")]
    [InlineData("1.5h")]
    [InlineData("99999999999h")]
    [InlineData("999999999d")]
    [InlineData("yesterday")]
    public void Anything_else_is_none(string text) => Assert.Null(EventsCommand.SpanOf(text));
}
