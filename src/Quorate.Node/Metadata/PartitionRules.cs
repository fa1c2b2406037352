using Google.Protobuf.Collections;
using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>
/// How a partition's row of the map changes. The map proposes where replicas are to be; the partition's own log decides
/// its membership; the map then shows it.
/// </summary>
internal static class PartitionRules
{
    public static PartitionRecord New(ClusterMetadata metadata, uint keyspace, PlacedPartition placed)
    {
        var partition = new PartitionRecord
        {
            Group = metadata.State.NextGroup++,
            Keyspace = keyspace,
            FirstSlot = placed.FirstSlot,
            LastSlot = placed.LastSlot,
            Epoch = 1,
            Generation = 1,
            NextIncarnation = 2,
        };
        partition.Voters.AddRange(placed.Voters.Select(node => new ReplicaId(node, 1).Packed));
        partition.Learners.AddRange(placed.Learners.Select(node => new ReplicaId(node, 1).Packed));
        return partition;
    }

    /// <summary>
    /// Sets where a partition's replicas are to be. A node that holds one keeps it; each other gets an incarnation that
    /// was never used.
    /// </summary>
    public static MetadataResult Move(ClusterMetadata metadata, MovePartition move)
    {
        if (metadata.FindPartition(move.Group) is not { } partition)
        {
            return Refusals.Of($"There is no partition {move.Group}.");
        }

        if (move.ExpectedEpoch != partition.Epoch)
        {
            return Refusals.Of(
                $"Partition {move.Group} is at epoch {partition.Epoch}, not {move.ExpectedEpoch}: look at it anew.");
        }

        if (move.Voters.Count == 0)
        {
            return Refusals.Of($"Partition {move.Group} needs a voter.");
        }

        if (move.Voters.Count + move.Learners.Count > metadata.Limits.ReplicasMax)
        {
            return Refusals.Of($"A partition has at most {metadata.Limits.ReplicasMax} replicas.");
        }

        if (NodesProblem(metadata, [.. move.Voters, .. move.Learners]) is { } problem)
        {
            return Refusals.Of(problem);
        }

        uint next = partition.NextIncarnation;
        ulong[] voters = [.. move.Voters.Select(node => ReplicaOn(partition, node, ref next))];
        ulong[] learners = [.. move.Learners.Select(node => ReplicaOn(partition, node, ref next))];
        Set(partition.TargetVoters, voters);
        Set(partition.TargetLearners, learners);
        if (IsThere(partition))
        {
            partition.TargetVoters.Clear();
            partition.TargetLearners.Clear();
        }

        partition.NextIncarnation = next;
        partition.Epoch++;
        return new MetadataResult();
    }

    /// <summary>What the partition's log has decided; an older word changes nothing.</summary>
    public static MetadataResult Moved(ClusterMetadata metadata, PartitionMoved moved)
    {
        if (metadata.FindPartition(moved.Group) is not { } partition)
        {
            return Refusals.Of($"There is no partition {moved.Group}.");
        }

        if (moved.MembershipIndex <= partition.MembershipIndex)
        {
            return new MetadataResult();
        }

        partition.MembershipIndex = moved.MembershipIndex;
        Set(partition.Voters, moved.Voters);
        Set(partition.Learners, moved.Learners);
        if (IsThere(partition))
        {
            partition.TargetVoters.Clear();
            partition.TargetLearners.Clear();
        }

        partition.Epoch++;
        return new MetadataResult();
    }

    /// <summary>Does a partition have, or is it to have, a replica on this node?</summary>
    public static bool Names(PartitionRecord partition, uint node) =>
        partition.Voters.Concat(partition.Learners).Concat(partition.TargetVoters).Concat(partition.TargetLearners)
            .Any(replica => ReplicaId.FromPacked(replica).Node == node);

    public static string? NodesProblem(ClusterMetadata metadata, uint[] nodes)
    {
        if (nodes.Distinct().Count() != nodes.Length)
        {
            return "A partition has one replica on a node, not two.";
        }

        foreach (uint node in nodes)
        {
            if (metadata.FindNode(node) is not { State: not NodeState.Removed })
            {
                return $"There is no node {node}.";
            }
        }

        return null;
    }

    private static ulong ReplicaOn(PartitionRecord partition, uint node, ref uint nextIncarnation)
    {
        foreach (ulong replica in partition.Voters.Concat(partition.Learners))
        {
            if (ReplicaId.FromPacked(replica).Node == node)
            {
                return replica;
            }
        }

        return new ReplicaId(node, nextIncarnation++).Packed;
    }

    private static bool IsThere(PartitionRecord partition) =>
        partition.Voters.Order().SequenceEqual(partition.TargetVoters.Order())
        && partition.Learners.Order().SequenceEqual(partition.TargetLearners.Order());

    private static void Set(RepeatedField<ulong> field, IEnumerable<ulong> values)
    {
        ulong[] taken = [.. values];
        field.Clear();
        field.AddRange(taken);
    }
}
