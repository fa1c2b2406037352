using System.Globalization;

namespace Quorate.Node.Tests.Commands;

/// <summary>MEMORY USAGE counts what rows take, by some of them or by all.</summary>
public sealed class MemoryCommandTests
{
    private readonly TestNode _node = new();

    [Fact]
    public void What_is_larger_takes_more_and_what_is_not_there_nothing()
    {
        _node.Run("SET s x");
        _node.Run($"SET l {new string('x', 10_000)}");
        Assert.InRange(Usage("s"), 30, 120);
        Assert.InRange(Usage("l"), 10_000, 13_000);
        Assert.Equal("null", _node.Run("MEMORY USAGE none"));
    }

    [Theory]
    [InlineData("HSET c", true)]
    [InlineData("SADD c", false)]
    [InlineData("RPUSH c", false)]
    [InlineData("ZADD c", true)]
    public void A_collection_of_like_elements_is_known_by_some_of_them(string command, bool isPair)
    {
        long one = 0;
        for (int i = 100; i < 300; i++)
        {
            _node.Run(isPair ? $"{command} {i} {i}" : $"{command} {i}");
            one = i == 100 ? Usage("c") : one;
        }

        Assert.Equal(Usage("c", "SAMPLES 0"), Usage("c"));
        Assert.InRange(Usage("c"), 100 * one / 2, 200 * one);
    }

    [Fact]
    public void Few_samples_see_few_of_them()
    {
        _node.Run($"HSET c a x b {new string('x', 5000)}");
        Assert.True(Usage("c", "SAMPLES 1") < 1000);
        Assert.True(Usage("c", "SAMPLES 0") > 5000);
    }

    private long Usage(string key, string more = "") =>
        long.Parse(_node.Run($"MEMORY USAGE {key} {more}".TrimEnd()), CultureInfo.InvariantCulture);
}
