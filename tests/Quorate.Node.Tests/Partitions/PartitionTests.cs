namespace Quorate.Node.Tests.Partitions;

/// <summary>A leader evaluates commands, the log carries row changes, and every replica comes to hold the same.</summary>
public sealed class PartitionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_was_written_is_read(int nodes)
    {
        var cluster = new TestCluster(nodes);

        Assert.Equal("+OK", cluster.Do("SET k hello"));

        Assert.Equal("$5\r\nhello", cluster.Do("GET k"));
        cluster.AssertSameState();
    }
}
