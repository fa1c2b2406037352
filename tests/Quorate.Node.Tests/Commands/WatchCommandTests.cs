namespace Quorate.Node.Tests.Commands;

/// <summary>What WATCH stands on: the versions of keys of any type, and batches that depend on them.</summary>
public sealed class WatchCommandTests
{
    [Theory]
    [InlineData("SET k 1", "SET k 1")]
    [InlineData("HSET k f 1", "HSET k f 2")]
    [InlineData("RPUSH k a b", "LSET k 1 c")]
    [InlineData("SADD k a b", "SREM k a")]
    [InlineData("ZADD k 1 a", "ZADD k 2 a")]
    [InlineData("SET k 1", "EXPIRE k 100")]
    [InlineData("GET k", "SET k 1")]
    [InlineData("SET k 1", "DEL k")]
    public void A_change_of_a_key_changes_its_version(string make, string change)
    {
        var node = new TestNode();
        node.Run(make);
        byte[] before = node.Run([TestNode.Line("KEYVERSION", "k")], isBatch: false);

        Assert.Equal(before, node.Run([TestNode.Line("KEYVERSION", "k")], isBatch: false));
        node.Run(change);
        Assert.NotEqual(before, node.Run([TestNode.Line("KEYVERSION", "k")], isBatch: false));
    }

    [Fact]
    public void A_batch_whose_condition_fails_comes_to_nothing()
    {
        var node = new TestNode();
        node.Run("SET a 1");
        string version = Text(node.Run([TestNode.Line("KEYVERSION", "a")], isBatch: false)).Split("\r\n")[1];

        byte[] done = node.Run(
            [TestNode.Line("IFVERSION", "a", version, "b", "0"), TestNode.Line("SET", "a", "2")], isBatch: true);
        byte[] failed = node.Run(
            [
                TestNode.Line("SET", "c", "1"),
                TestNode.Line("IFVERSION", "b", "0", "a", version),
                TestNode.Line("SET", "a", "3"),
            ],
            isBatch: true);

        Assert.Equal("*2\r\n+OK\r\n+OK\r\n", Text(done));
        Assert.Equal("_\r\n", Text(failed));
        Assert.Equal(0, node.LastChangeCount);
        Assert.Equal("$1\r\n2\r\n", Text(node.Run([TestNode.Line("GET", "a")], isBatch: false)));
        Assert.Equal("_\r\n", Text(node.Run([TestNode.Line("GET", "c")], isBatch: false)));
    }

    private static string Text(byte[] reply) => System.Text.Encoding.Latin1.GetString(reply);
}
