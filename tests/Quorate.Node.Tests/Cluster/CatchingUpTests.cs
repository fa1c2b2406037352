using Quorate.Node.Cluster;

namespace Quorate.Node.Tests.Cluster;

/// <summary>A node that was away, or comes late, learns what the cluster has agreed on.</summary>
public sealed class CatchingUpTests
{
    [Fact]
    public void A_node_that_was_away_while_others_joined_answers_a_leader_that_it_does_not_know()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine away = world.Machines[2];
        away.IsCutOff = true;
        Machine[] joined = [world.Add(), world.Add()];
        foreach (Machine machine in joined)
        {
            machine.Start();
        }

        world.Await("they vote", () => world.Machines[0].Node!.MetadataVoters == 5);
        world.Machines[0].Node!.BeginStop();
        world.Machines[1].Node!.BeginStop();
        bool HasLeader(Machine machine) => machine.Node!.Report().MetadataLeader.NodeId is { Value: > 3 };
        world.Await("one that joined leads", () => joined.All(HasLeader));
        Assert.DoesNotContain(away.Node!.View.State.Nodes, node => node.Id > 3);

        away.IsCutOff = false;
        world.Await("it knows them", () => away.Node!.View.State.Nodes.Count == 5);
        Assert.True(joined.All(HasLeader), "the leader has stayed");
    }

    /// <summary>A node that has no partitions yet takes no turn for any other reason.</summary>
    [Fact]
    public void A_node_to_which_the_metadata_comes_as_a_snapshot_shows_it_at_once()
    {
        var world = new TestWorld(3, settings: new()
        {
            Node = new()
            {
                Log = new() { SegmentBytes = 64 * 1024 },
                Raft = new() { LogEntriesKept = 0, LogEntriesKeptMax = 0 },
            },
            MetadataReplica = new() { CheckpointEntries = 1 },
            DefaultPartitions = 4,
        });
        Machine late = world.Machines[2];
        bool isSnapshotSent = false;
        world.Passes = (from, to, by, _) =>
        {
            isSnapshotSent |= to == late && by == PeerClass.Bulk;
            return from != late && to != late;
        };
        world.Await("the others serve", () => world.Machines.Take(2).All(
            machine => machine.Node is { } node && node.View.TryFind("default", out _)));
        for (int i = 0; i < 8; i++)
        {
            string refusal = world.Do(world.Machines[0], KeyspaceTests.Creation($"k{i}", 1), 1).Result!.Refusal;
            Assert.Equal("", refusal);
        }

        world.Run(3000);
        Assert.NotNull(late.Node);
        Assert.Equal(0ul, late.Node.View.Version);
        world.Passes = (_, to, by, _) =>
        {
            isSnapshotSent |= to == late && by == PeerClass.Bulk;
            return true;
        };
        world.Await("it shows the cluster", () => late.Node!.View.TryFind("default", out _));
        Assert.True(isSnapshotSent, "it came as a snapshot");
    }
}
