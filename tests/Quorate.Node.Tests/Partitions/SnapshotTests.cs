using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;

namespace Quorate.Node.Tests.Partitions;

/// <summary>
/// A replica that missed too much takes a snapshot of the rows, sessions and all, and goes on from there.
/// </summary>
public sealed class SnapshotTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replica_that_was_away_takes_a_snapshot_and_can_lead_from_it(bool hasRealStores)
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 20 } };
        var cluster = new TestCluster(
            3,
            settings,
            raft: new RaftSettings { LogEntriesKept = 5, LogEntriesKeptMax = 10, CachedBytesMax = 100 },
            hasRealStores: hasRealStores);
        cluster.Do("SET k 0");
        TestNode away = cluster.Nodes.First(node => node != cluster.Leader);
        away.IsCutOff = true;
        Assert.Equal(":1", cluster.Do("INCR k", new SessionRequest(7, 1, 0)));
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal("+OK", cluster.Do($"SET k{i} {i}"));
        }

        away.IsCutOff = false;
        cluster.Run(3000);
        cluster.AssertSameState();
        Assert.True(away.Partition!.Replica.Group!.BaseIndex.Value > 50);
        Assert.Equal("$2\r\n99", cluster.Do(away, "GET k99", ReadLevel.Eventual));

        cluster.Leader.Partition!.Transfer(new RequestId(1_000_000), away.Id);
        cluster.Run(2000);
        Assert.Same(away, cluster.Leader);
        Assert.Equal(":1", cluster.Do("INCR k", new SessionRequest(7, 1, 0)));
        Assert.Equal(":2", cluster.Do("INCR k", new SessionRequest(7, 2, 1)));
        cluster.Restart(away);
        cluster.AssertSameState();
    }
}
