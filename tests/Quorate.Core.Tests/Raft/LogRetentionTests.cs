using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Raft;

/// <summary>How much of the log stays behind a checkpoint.</summary>
public sealed class LogRetentionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_space_is_wanted_nothing_is_kept_for_those_who_may_fall_behind(bool spaceIsWanted)
    {
        var cluster = new TestCluster(3);
        RaftGroup leader = cluster.Elect();
        for (int i = 0; i < 5; i++)
        {
            cluster.Propose(leader);
            cluster.Run(Duration.FromMilliseconds(200));
        }

        SnapshotMeta meta = leader.CheckpointMeta();
        Assert.Equal(leader.LastIndex, meta.Index);
        var output = new RaftOutput();
        leader.Step(RaftInput.Checkpointed(cluster.Now, meta, spaceIsWanted), output);
        LogIndex released = output.Persists.Select(each => each.ReleaseTo).DefaultIfEmpty(LogIndex.Zero).Max();
        Assert.Equal(spaceIsWanted ? meta.Index : LogIndex.Zero, released);
    }
}
