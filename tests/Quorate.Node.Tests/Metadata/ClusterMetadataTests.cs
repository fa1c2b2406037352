using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Tests.Metadata;

/// <summary>What the cluster agrees on, command by command.</summary>
public sealed class ClusterMetadataTests
{
    private readonly MetadataRun _run = new();

    [Fact]
    public void A_cluster_is_founded_once()
    {
        Assert.Contains("already", _run.Refused(Founding(8)), StringComparison.Ordinal);
        _run.Done(Founding(7));
    }

    [Fact]
    public void Joining_again_is_harmless()
    {
        uint first = _run.Done(_run.Joining(instance: 55)).Id;
        Assert.Equal(first, _run.Done(_run.Joining(instance: 55)).Id);
        Assert.Single(_run.Metadata.State.Nodes);
    }

    [Fact]
    public void A_removed_node_does_not_come_back_under_its_id()
    {
        uint id = _run.Done(_run.Joining(instance: 55)).Id;
        _run.Done(StateOf(id, NodeState.Removed));
        Assert.Contains("was removed", _run.Refused(_run.Joining(instance: 55)), StringComparison.Ordinal);
        Assert.NotEqual(id, _run.Done(_run.Joining(instance: 56)).Id);
    }

    [Fact]
    public void A_node_with_replicas_is_not_removed()
    {
        AddNodes(3);
        _run.Create(_run.Keyspace());
        Assert.Contains("drain it first", _run.Refused(StateOf(1, NodeState.Removed)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_feature_level_rises_only_when_every_node_knows_it()
    {
        _run.AddNode();
        _run.Done(Level(2));
        Assert.Contains("upgrade", _run.Refused(Level(3)), StringComparison.Ordinal);
        Assert.Contains("does not fall", _run.Refused(Level(1)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_keyspace_covers_every_slot_once()
    {
        AddNodes(4);
        uint id = _run.Create(_run.Keyspace(), partitions: 64);
        uint next = 0;
        foreach (PartitionRecord partition in _run.Metadata.PartitionsOf(id))
        {
            Assert.Equal(next, partition.FirstSlot);
            Assert.Equal(3, partition.Voters.Count);
            next = partition.LastSlot + 1;
        }

        Assert.Equal((uint)Slot.Count, next);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(8192)]
    public void Partitions_are_a_power_of_two_within_the_limit(int partitions)
    {
        AddNodes(3);
        Assert.Contains("power of two", RefusedKeyspace(_run.Keyspace(), partitions), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("{tag}")]
    public void A_bad_name_is_refused(string name)
    {
        AddNodes(3);
        Assert.Contains("letters", RefusedKeyspace(_run.Keyspace(name)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_keyspace_can_never_give_is_refused()
    {
        AddNodes(3);
        _run.Create(_run.Keyspace("taken"));
        Assert.Contains("already", RefusedKeyspace(_run.Keyspace("taken")), StringComparison.Ordinal);
        Assert.Contains("not as many nodes", RefusedKeyspace(_run.Keyspace("a", 5, 5)), StringComparison.Ordinal);
        Assert.Contains("voters", RefusedKeyspace(_run.Keyspace("a", 3, 4)), StringComparison.Ordinal);
        KeyspaceRecord keyspace = _run.Keyspace("a");
        keyspace.WriteLevel = LevelKind.Count;
        keyspace.WriteLevelCount = 4;
        Assert.Contains("can not be met", RefusedKeyspace(keyspace), StringComparison.Ordinal);
        keyspace = _run.Keyspace("a");
        keyspace.Eviction = Eviction.AllLru;
        Assert.Contains("bound", RefusedKeyspace(keyspace), StringComparison.Ordinal);
    }

    [Fact]
    public void An_encrypted_keyspace_needs_a_key_and_its_old_ones_stay()
    {
        AddNodes(3);
        KeyspaceRecord keyspace = _run.Keyspace("secret");
        keyspace.Encrypted = true;
        CreateKeyspace creation = _run.Planner.Plan(keyspace, 16, []).Command;
        Assert.Contains(
            "--master-key-file", _run.Refused(new() { CreateKeyspace = creation }), StringComparison.Ordinal);
        uint id = _run.Create(keyspace);
        _run.Done(new() { AddDataKey = new() { Keyspace = id, Wrapped = Google.Protobuf.ByteString.CopyFrom(9) } });
        Assert.Equal([true, false], _run.Metadata.State.DataKeys.Select(key => key.Retired));
        _run.Done(new() { DropKeyspace = new() { Keyspace = id } });
        Assert.Equal([true, true], _run.Metadata.State.DataKeys.Select(key => key.Retired));
        Assert.Empty(_run.Metadata.State.Partitions);
    }

    [Fact]
    public void Data_keys_are_bounded_with_those_of_keyspaces_that_are_gone()
    {
        var run = new MetadataRun(new() { DataKeysMax = 3 });
        for (int i = 0; i < 3; i++)
        {
            run.AddNode();
        }

        KeyspaceRecord keyspace = run.Keyspace("gone");
        keyspace.Encrypted = true;
        run.Done(new() { DropKeyspace = new() { Keyspace = run.Create(keyspace) } });
        keyspace = run.Keyspace("secret");
        keyspace.Encrypted = true;
        var addition = new AddDataKey { Keyspace = run.Create(keyspace), Wrapped = ByteString.CopyFrom(9) };
        run.Done(new() { AddDataKey = addition });

        Assert.Contains("3 data keys", run.Refused(new() { AddDataKey = addition }), StringComparison.Ordinal);
        Assert.False(run.Metadata.State.DataKeys[2].Retired);
        keyspace = run.Keyspace("more");
        keyspace.Encrypted = true;
        CreateKeyspace creation = run.Planner.Plan(keyspace, 16, []).Command;
        creation.WrappedKey = ByteString.CopyFrom(9);
        Assert.Contains("3 data keys", run.Refused(new() { CreateKeyspace = creation }), StringComparison.Ordinal);
        Assert.InRange(new MetadataLimits().DataKeysMax, 1, KeyRing.KeysMax);
    }

    [Fact]
    public void A_move_names_the_epoch_that_it_was_planned_at()
    {
        AddNodes(4);
        uint id = _run.Create(_run.Keyspace(), partitions: 1);
        PartitionRecord partition = _run.Metadata.PartitionsOf(id).Single();
        uint group = partition.Group;
        _run.Done(Move(group, 1, 1, 2, 4));
        Assert.Contains("epoch 2", _run.Refused(Move(group, 1, 1, 2, 3)), StringComparison.Ordinal);
        Assert.Contains("not two", _run.Refused(Move(group, 2, 1, 1, 3)), StringComparison.Ordinal);
        Assert.Contains("no node 9", _run.Refused(Move(group, 2, 1, 2, 9)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_that_comes_back_to_a_node_has_a_new_incarnation()
    {
        AddNodes(4);
        uint id = _run.Create(_run.Keyspace(), partitions: 1);
        PartitionRecord partition = _run.Metadata.PartitionsOf(id).Single();
        ulong[] first = [.. partition.Voters];
        uint away = ReplicaId.FromPacked(first[0]).Node;
        uint other = Enumerable.Range(1, 4).Select(n => (uint)n)
            .Single(node => first.All(replica => ReplicaId.FromPacked(replica).Node != node));
        uint[] without = [.. first.Skip(1).Select(replica => ReplicaId.FromPacked(replica).Node)];

        _run.Done(Move(partition.Group, partition.Epoch, [.. without, other]));
        _run.Done(Moved(partition, 10));
        Assert.Empty(partition.TargetVoters);
        _run.Done(Move(partition.Group, partition.Epoch, [.. without, away]));
        _run.Done(Moved(partition, 20));
        Assert.DoesNotContain(first[0], partition.Voters);
        Assert.Contains(partition.Voters, replica => ReplicaId.FromPacked(replica).Node == away);
    }

    [Fact]
    public void An_older_word_of_a_membership_changes_nothing()
    {
        AddNodes(4);
        uint id = _run.Create(_run.Keyspace(), partitions: 1);
        PartitionRecord partition = _run.Metadata.PartitionsOf(id).Single();
        ulong[] old = [.. partition.Voters];
        uint other = Enumerable.Range(1, 4).Select(n => (uint)n)
            .Single(node => old.All(replica => ReplicaId.FromPacked(replica).Node != node));
        _run.Done(Move(partition.Group, 1, [other]));
        _run.Done(Moved(partition, 10));
        ulong[] moved = [.. partition.Voters];
        ulong epoch = partition.Epoch;
        var late = new PartitionMoved { Group = partition.Group, MembershipIndex = 9 };
        late.Voters.AddRange(old);
        _run.Done(new MetadataCommand { PartitionMoved = late });
        Assert.Equal(moved, partition.Voters);
        Assert.Equal(epoch, partition.Epoch);
    }

    [Fact]
    public void Draining_a_node_plans_its_replicas_away_and_nothing_else()
    {
        AddNodes(5);
        uint id = _run.Create(_run.Keyspace());
        _run.Done(StateOf(2, NodeState.Draining));
        IReadOnlyList<MovePartition> moves = _run.Planner.PlanMoves(movesMax: 100);
        Assert.NotEmpty(moves);
        Assert.All(moves, move => Assert.DoesNotContain(2U, move.Voters));
        foreach (MovePartition move in moves)
        {
            _run.Done(new MetadataCommand { MovePartition = move });
            _run.Done(Moved(_run.Metadata.FindPartition(move.Group)!, 10));
        }

        Assert.Empty(_run.Planner.PlanMoves(movesMax: 100));
        Assert.All(
            _run.Metadata.PartitionsOf(id),
            partition => Assert.DoesNotContain(
                2U, partition.Voters.Select(replica => ReplicaId.FromPacked(replica).Node)));
        _run.Done(StateOf(2, NodeState.Removed));
    }

    [Fact]
    public void A_new_node_takes_its_share()
    {
        AddNodes(4);
        _run.Create(_run.Keyspace(), partitions: 64);
        Assert.Empty(_run.Planner.PlanMoves(movesMax: 1000));
        uint added = _run.AddNode();
        IReadOnlyList<MovePartition> moves = _run.Planner.PlanMoves(movesMax: 1000);
        Assert.InRange(moves.Count(move => move.Voters.Contains(added)), 20, 60);
    }

    [Fact]
    public void Voters_that_can_not_survive_a_death_are_warned_of()
    {
        Assert.Contains("lost", MetadataPlanner.Warning(_run.Keyspace("a", 1, 1)), StringComparison.Ordinal);
        Assert.Contains("two voters", MetadataPlanner.Warning(_run.Keyspace("a", 2, 2)), StringComparison.Ordinal);
        Assert.Contains("promote", MetadataPlanner.Warning(_run.Keyspace("a", 3, 1)), StringComparison.Ordinal);
        Assert.Null(MetadataPlanner.Warning(_run.Keyspace()));
    }

    [Fact]
    public void The_state_is_the_log_and_survives_a_checkpoint()
    {
        AddNodes(5);
        _run.Create(_run.Keyspace("a"), partitions: 16);
        _run.Create(_run.Keyspace("b", 3, 1), partitions: 4);
        _run.Done(StateOf(3, NodeState.Draining));
        foreach (MovePartition move in _run.Planner.PlanMoves(movesMax: 5))
        {
            _run.Done(new MetadataCommand { MovePartition = move });
        }

        _run.Refused(Level(9));
        var replayed = new ClusterMetadata(new MetadataLimits());
        ulong index = 0;
        foreach (byte[] command in _run.Log)
        {
            // A replica that takes a checkpoint after any entry must go on as one that did not.
            replayed.Apply(new LogIndex(++index), command);
            var loaded = new ClusterMetadata(new MetadataLimits());
            Assert.True(loaded.TryLoad(replayed.Encode()));
            replayed = loaded;
        }

        Assert.Equal(_run.Metadata.Encode(), replayed.Encode());
    }

    [Fact]
    public void A_command_that_this_build_does_not_know_stops_it_and_changes_nothing()
    {
        byte[] garbage = [0xFF, 0xFF, 0xFF, 0xFF, 1];
        byte[] newer = [0x08, 0x01, 0xFA, 0x07, 0x00];
        byte[] before = _run.Metadata.Encode();
        Assert.Null(_run.Metadata.Apply(new LogIndex(99), garbage));
        Assert.Null(_run.Metadata.Apply(new LogIndex(99), newer));
        Assert.Equal(before, _run.Metadata.Encode());
        Assert.False(new ClusterMetadata(new MetadataLimits()).TryLoad(garbage));
    }

    [Fact]
    public void Operations_are_remembered_for_people_and_bounded()
    {
        var run = new MetadataRun(new MetadataLimits { OperationsMax = 3 });
        for (int i = 0; i < 5; i++)
        {
            run.AddNode();
        }

        Assert.Equal(3, run.Metadata.State.Operations.Count);
        Assert.Contains("node 5 joins", run.Metadata.State.Operations[^1].Text, StringComparison.Ordinal);
    }

    private static MetadataCommand Founding(ulong cluster) =>
        new() { FoundCluster = new FoundCluster { Cluster = cluster, FeatureLevel = 1 } };

    private static MetadataCommand StateOf(uint node, NodeState state) =>
        new() { SetNodeState = new SetNodeState { Node = node, State = state } };

    private static MetadataCommand Level(uint level) =>
        new() { SetFeatureLevel = new SetFeatureLevel { FeatureLevel = level } };

    private static MetadataCommand Move(uint group, ulong epoch, params uint[] voters)
    {
        var move = new MovePartition { Group = group, ExpectedEpoch = epoch };
        move.Voters.AddRange(voters);
        return new MetadataCommand { MovePartition = move };
    }

    private static MetadataCommand Moved(PartitionRecord partition, ulong index)
    {
        var moved = new PartitionMoved { Group = partition.Group, MembershipIndex = index };
        moved.Voters.AddRange(partition.TargetVoters);
        moved.Learners.AddRange(partition.TargetLearners);
        return new MetadataCommand { PartitionMoved = moved };
    }

    private void AddNodes(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _run.AddNode();
        }
    }

    private string RefusedKeyspace(KeyspaceRecord keyspace, int partitions = 16) =>
        _run.Refused(new() { CreateKeyspace = _run.Planner.Plan(keyspace, partitions, []).Command });
}
