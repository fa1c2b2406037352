using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Tests.Cluster;

/// <summary>
/// A node that follows every partition, votes nowhere, and answers reads that any replica may answer.
/// </summary>
public sealed class ReadReplicaTests
{
    private const string Value = "$1\r\nv";

    [Fact]
    public void It_follows_every_partition_and_votes_nowhere()
    {
        TestWorld world = WithReplica(out Machine replica);
        Assert.Equal("+OK", world.Do(world.Machines[0], "SET k v"));
        Follow(world, replica);
        foreach (PartitionRecord row in replica.Node!.View.State.Partitions)
        {
            Assert.DoesNotContain(row.Voters, voter => ReplicaId.FromPacked(voter).NodeId == replica.Id);
            RaftGroup leader = world.LeaderOf(new(row.Group))!.Node!.Runtime.Find(new(row.Group))!.Replica.Group!;
            Learner learner = Assert.Single(leader.Membership.Learners.ToArray());
            Assert.Equal((replica.Id, LearnerKind.ReadOnly), (learner.Id.NodeId, learner.Kind));
        }

        Assert.Equal(3, world.Machines[0].Node!.MetadataVoters);

        // Alone it still answers what it has; nothing else.
        foreach (Machine machine in world.Machines.Take(3))
        {
            machine.IsCutOff = true;
        }

        world.Run(3000);
        Assert.Equal(Value, world.Do(replica, "GET k", call => call.ReadLevel = ReadLevel.Eventual));
        Assert.NotEqual("+OK", world.Do(replica, "SET k w"));
    }

    [Fact]
    public void It_hands_writes_on_and_sees_them_and_keyspaces_that_come_later()
    {
        TestWorld world = WithReplica(out Machine replica);
        Follow(world, replica);
        Assert.Equal("+OK", world.Do(replica, "SET k v"));
        Assert.Equal(Value, world.Do(replica, "GET k"));
        Assert.Equal("", world.Do(world.Machines[0], KeyspaceTests.Creation("later"), 2).Result!.Refusal);
        world.Await("the new keyspace is there", () => replica.Node!.View.TryFind("later", out _));
        Follow(world, replica);
    }

    [Fact]
    public void Joining_again_is_harmless()
    {
        TestWorld world = WithReplica(out Machine replica);
        Follow(world, replica);
        NodeId id = replica.Id;
        ulong[] learners = [.. replica.Node!.View.State.Partitions.SelectMany(row => row.Learners)];
        replica.Restart();
        world.Formed();
        Follow(world, replica);
        Assert.Equal(id, replica.Id);
        Assert.Equal(4, replica.Node!.View.State.Nodes.Count);
        Assert.Equal(learners, replica.Node.View.State.Partitions.SelectMany(row => row.Learners));
    }

    [Fact]
    public void A_folder_of_another_cluster_is_refused()
    {
        var world = new TestWorld(3, expect: 1, isStarted: false);
        Machine[] machines = [.. world.Machines];
        machines[2].IsReadReplica = true;
        machines[0].Start([machines[0].Address], 1);
        machines[1].Start([machines[1].Address], 1);
        machines[2].Start([machines[0].Address], 1);
        world.Await("it has joined", () => machines[2].Node is not null);
        machines[2].Kill();
        machines[2].Start([machines[1].Address], 1);
        world.Await("it ends", () => machines[2].Ending is not null);
        Assert.Contains("belongs to cluster", machines[2].Ending, StringComparison.Ordinal);
        Assert.Contains(machines[1].Address, machines[2].Ending, StringComparison.Ordinal);
    }

    [Fact]
    public void No_replica_that_votes_is_placed_on_it()
    {
        TestWorld world = WithReplica(out Machine replica);
        Follow(world, replica);
        MetadataCommand creation = KeyspaceTests.Creation("wide");
        creation.CreateKeyspace.Keyspace.Replicas = 4;
        creation.CreateKeyspace.Keyspace.Voters = 4;
        Assert.Contains(
            "not as many nodes", world.Do(world.Machines[0], creation, 2).Result!.Refusal, StringComparison.Ordinal);
    }

    /// <summary>The rows do not come through: the replica has nothing, and says nothing of what is not there.</summary>
    [Fact]
    public void While_it_is_filled_others_answer()
    {
        TestWorld world = WithReplica(out Machine replica, isStarted: false);
        Assert.Equal("+OK", world.Do(world.Machines[0], "SET k v"));
        bool isHeldUp = true;
        world.Passes = (_, to, by, bytes) => to != replica || !isHeldUp || !IsOfPartition(by, bytes);
        replica.Start();
        world.Await("the map shows it", () => replica.Node?.View.State.Partitions is { Count: > 0 } rows
            && rows.All(row => row.Learners.Count == 1));
        Assert.All(replica.Node!.Runtime.Partitions, group => Assert.False(replica.Node.Runtime.Find(group)!.IsFilled));
        for (int i = 0; i < 8; i++)
        {
            Machine asked = world.Machines[i % 4];
            Assert.Equal(Value, world.Do(asked, "GET k", call => call.ReadLevel = ReadLevel.Eventual));
        }

        isHeldUp = false;
        Follow(world, replica);
    }

    private static bool IsOfPartition(PeerClass by, byte[] bytes) => by is PeerClass.Log or PeerClass.Bulk
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(2)) > 1;

    private static void Follow(TestWorld world, Machine replica) =>
        world.Await("it holds all partitions", () => replica.Node!.View.State.Partitions.All(row =>
            row.TargetVoters.Count == 0 && replica.Node.Runtime.Find(new(row.Group)) is { IsFilled: true }));

    /// <summary>Three nodes, and one that was told to join them.</summary>
    private static TestWorld WithReplica(out Machine replica, bool isStarted = true)
    {
        var world = new TestWorld(4, expect: 3, isStarted: false);
        replica = world.Machines[3];
        replica.IsReadReplica = true;
        foreach (Machine machine in world.Machines.Take(isStarted ? 4 : 3))
        {
            machine.Start();
        }

        return world.Formed();
    }
}
