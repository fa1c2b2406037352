using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Core.Placement;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>
/// Makes the plans that commands carry: where a new keyspace's partitions go, and which partitions move when nodes
/// come, go or change. Run by whoever proposes; the state machine checks the outcome and does not plan.
/// </summary>
public sealed class MetadataPlanner(ClusterMetadata metadata, PlacementSettings settings)
{
    /// <summary>
    /// The command that creates a keyspace of this many partitions on the nodes there are, and what a person should
    /// know before it is proposed; null for nothing.
    /// </summary>
    /// <param name="wrappedKey">The first data key of an encrypted keyspace, wrapped; else empty.</param>
    public (CreateKeyspace Command, string? Warning) Plan(
        KeyspaceRecord keyspace, int partitions, ReadOnlySpan<byte> wrappedKey)
    {
        var command = new CreateKeyspace
        {
            Keyspace = keyspace,
            WrappedKey = Google.Protobuf.ByteString.CopyFrom(wrappedKey),
        };
        if (!MetadataLimits.IsPartitionCount(partitions))
        {
            // Left to the state machine to refuse, in its own words.
            return (command, null);
        }

        uint slots = (uint)(Slot.Count / partitions);
        uint[] firsts = [.. Enumerable.Range(0, partitions).Select(i => (uint)i * slots)];
        NodeId[][] placed = Place(metadata.State.NextKeyspace, firsts, (int)keyspace.Replicas);
        for (uint i = 0; i < partitions; i++)
        {
            var partition = new PlacedPartition { FirstSlot = i * slots, LastSlot = ((i + 1) * slots) - 1 };
            uint[] nodes = [.. placed[i].Select(id => id.Value)];
            partition.Voters.AddRange(nodes.Take((int)keyspace.Voters));
            partition.Learners.AddRange(nodes.Skip((int)keyspace.Voters));
            command.Partitions.Add(partition);
        }

        return (command, Warning(keyspace));
    }

    /// <summary>
    /// The moves that bring all partitions to where the ring wants them, at most <paramref name="movesMax"/>; those
    /// that are under way are left alone.
    /// </summary>
    public IReadOnlyList<MovePartition> PlanMoves(int movesMax)
    {
        List<MovePartition> moves = [];
        foreach (KeyspaceRecord keyspace in metadata.State.Keyspaces)
        {
            PartitionRecord[] partitions = [.. metadata.PartitionsOf(keyspace.Id)];
            uint[] firsts = [.. partitions.Select(partition => partition.FirstSlot)];
            NodeId[][] placed = Place(keyspace.Id, firsts, (int)keyspace.Replicas);
            for (int i = 0; i < partitions.Length && moves.Count < movesMax; i++)
            {
                if (partitions[i].TargetVoters.Count == 0
                    && placed[i].Length == keyspace.Replicas
                    && MoveTo(keyspace, partitions[i], placed[i]) is { } move)
                {
                    moves.Add(move);
                }
            }
        }

        return moves;
    }

    /// <summary>
    /// The next partition that a read replica is to follow and does not yet; null when each follows all.
    /// </summary>
    public MovePartition? PlanReadReplica()
    {
        foreach (NodeRecord node in metadata.State.Nodes)
        {
            PartitionRecord? row = node is { ReadReplica: true, State: NodeState.Active }
                ? metadata.State.Partitions.FirstOrDefault(row => MayFollow(row, node.Id))
                : null;
            if (row is not null)
            {
                var move = new MovePartition { Group = row.Group, ExpectedEpoch = row.Epoch };
                move.Voters.AddRange(row.Voters.Select(replica => ReplicaId.FromPacked(replica).Node));
                move.Learners.AddRange(row.Learners.Select(replica => ReplicaId.FromPacked(replica).Node));
                move.Learners.Add(node.Id);
                return move;
            }
        }

        return null;
    }

    private bool MayFollow(PartitionRecord row, uint node) => row.TargetVoters.Count == 0
        && row.Voters.Count + row.Learners.Count < metadata.Limits.ReplicasMax
        && !PartitionRules.Names(row, node);

    /// <summary>What a keyspace can not survive, in a sentence; null when it survives a death.</summary>
    public static string? Warning(KeyspaceRecord keyspace) => keyspace.Voters switch
    {
        1 when keyspace.Replicas == 1 =>
            $"Keyspace '{keyspace.Name}' has one replica: when its node dies its data is gone until the node returns, "
                + "and lost if the disk is.",
        1 => $"Keyspace '{keyspace.Name}' has one voter: when its node dies an operator must promote a replica.",
        2 => $"Keyspace '{keyspace.Name}' has two voters: both must be up for it to take writes. Three survive one "
            + "death.",
        _ => null,
    };

    private MovePartition? MoveTo(KeyspaceRecord keyspace, PartitionRecord partition, NodeId[] placed)
    {
        // Who votes already goes on voting: changing roles for the sake of the ring's order would gain nothing.
        uint[] voting = [.. partition.Voters.Select(replica => ReplicaId.FromPacked(replica).Node)];
        uint[] nodes = [.. placed.Select(id => id.Value).OrderBy(node => voting.Contains(node) ? 0 : 1)];
        uint[] voters = nodes[..(int)keyspace.Voters];
        uint[] following = [.. partition.Learners.Select(replica => ReplicaId.FromPacked(replica).Node)];

        // Read replicas follow whatever the ring says.
        uint[] learners =
        [
            .. nodes[(int)keyspace.Voters..],
            .. following.Where(node => metadata.FindNode(node) is { ReadReplica: true }),
        ];
        if (voters.Order().SequenceEqual(voting.Order()) && learners.Order().SequenceEqual(following.Order()))
        {
            return null;
        }

        var move = new MovePartition { Group = partition.Group, ExpectedEpoch = partition.Epoch };
        move.Voters.AddRange(voters);
        move.Learners.AddRange(learners);
        return move;
    }

    /// <summary>
    /// A partition's place hangs on its first slot, not on its number, so that a split moves none but the new half.
    /// </summary>
    private NodeId[][] Place(uint keyspace, uint[] firstSlots, int replicas)
    {
        PlacementNode[] nodes =
        [
            .. metadata.State.Nodes
                .Where(node => node is { State: NodeState.Active, ReadReplica: false })
                .Select(node => new PlacementNode(
                    new NodeId(node.Id), (int)node.Weight,
                    node.Zone.Length > 0 ? $"{node.Region}/{node.Zone}" : $"node {node.Id}")),
        ];
        PlacementPartition[] wanted = new PlacementPartition[firstSlots.Length];
        Span<byte> name = stackalloc byte[8];
        for (int i = 0; i < firstSlots.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(name, keyspace);
            BinaryPrimitives.WriteUInt32LittleEndian(name[4..], firstSlots[i]);
            wanted[i] = new PlacementPartition(KeyHash.Of(name), replicas);
        }

        return PlacementPlan.Make(nodes, wanted, settings);
    }
}
