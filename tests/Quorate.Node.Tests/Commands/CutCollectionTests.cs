using System.Globalization;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// Of a collection more may go than a request may change rows, as long as what stays is few: that is written anew.
/// </summary>
public sealed class CutCollectionTests
{
    [Theory]
    [InlineData("RPUSH", "LTRIM k -3 -1", "LRANGE k 0 -1", "e98,e99,e100")]
    [InlineData("RPUSH", "LTRIM k 40 41", "LRANGE k 0 -1", "e41,e42")]
    [InlineData("RPUSH", "LPOP k 98", "LRANGE k 0 -1", "e99,e100")]
    [InlineData("RPUSH", "RPOP k 98", "LRANGE k 0 -1", "e1,e2")]
    [InlineData("SADD", "SPOP k 98", "SCARD k", "2")]
    [InlineData("ZADD", "ZREMRANGEBYRANK k 0 97", "ZRANGE k 0 -1", "e99,e100")]
    [InlineData("ZADD", "ZREMRANGEBYSCORE k 3 (100", "ZRANGE k 0 -1", "e1,e2,e100")]
    [InlineData("ZADD", "ZPOPMAX k 98", "ZRANGE k 0 -1", "e1,e2")]
    [InlineData("ZADD", "ZMPOP 1 k MIN COUNT 99", "ZRANGE k 0 -1", "e100")]
    public void A_collection_is_cut_down_to_a_few_of_more_elements_than_a_request_may_change(
        string make, string cut, string look, string left)
    {
        // With two rows each for the members of a sorted set, seven of these are too many; the rest fits.
        var node = new TestNode(new EvaluationLimits { ChangesMax = 13 });
        for (int i = 1; i <= 100; i++)
        {
            node.Run(make == "ZADD" ? $"ZADD k {i} e{i}" : $"{make} k e{i}");
        }

        node.Run("EXPIRE k 1000");
        Assert.DoesNotContain("ERR", node.Run(cut), StringComparison.Ordinal);

        Assert.InRange(node.LastChangeCount, 1, 13);
        string shown = node.Run(look);
        Assert.Equal(left, string.Join(',', shown.Split(['[', ']', ',', ' ', '"', '(', ')'],
            StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal("1000", node.Run("TTL k"));
        Assert.Equal(left == "2" ? 2 : left.Split(',').Length, int.Parse(
            node.Run(make switch { "RPUSH" => "LLEN k", "SADD" => "SCARD k", _ => "ZCARD k" }),
            CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Many_equal_elements_of_a_list_go_at_once_when_few_others_stay()
    {
        var node = new TestNode(new EvaluationLimits { ChangesMax = 13 });
        for (int i = 0; i < 100; i++)
        {
            node.Run($"RPUSH k {(i % 25 == 7 ? $"other{i}" : "same")}");
        }

        Assert.Equal("96", node.Run("LREM k 0 same"));
        Assert.Equal("4", node.Run("LLEN k"));
        Assert.Equal("\"other7\"", node.Run("LINDEX k 0"));
        Assert.Equal("\"other82\"", node.Run("LINDEX k -1"));
    }
}
