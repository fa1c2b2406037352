using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Commands;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.ClusterMode;

/// <summary>
/// The cluster endpoint of a node: one keyspace, whose slots clients find by MOVED as in Redis Cluster.
/// </summary>
public sealed record ClusterEndpoint
{
    /// <summary>The keyspace that it serves.</summary>
    public required string Keyspace { get; init; }

    /// <summary>Where clients reach it: host:port.</summary>
    public required string Address { get; init; }

    /// <summary>Who leads the partitions of this node.</summary>
    public required LeaderBoard Leaders { get; init; }
}

/// <summary>
/// Which node a client of the cluster endpoint is sent to for a slot: the leader of its partition, where that is known
/// and has a cluster endpoint for the same keyspace. Else this node serves it, by handing it on: nobody is sent where
/// nobody answers, and while a partition is between two leaders its commands wait here.
/// </summary>
internal static class SlotOwners
{
    /// <summary>The node to go to; null for this one.</summary>
    public static NodeRecord? Elsewhere(ClusterView view, ClusterEndpoint endpoint, PartitionRecord partition)
    {
        // Of a partition that is not here, whoever has it knows who leads it.
        NodeId owner = endpoint.Leaders.Of(new(partition.Group))
            ?? (IsHere(view, partition) || partition.Voters.Count == 0
                ? view.Self
                : ReplicaId.FromPacked(partition.Voters[0]).NodeId);
        return owner == view.Self ? null : Find(view, endpoint, owner);
    }

    /// <summary>This node has a replica of the partition.</summary>
    public static bool IsHere(ClusterView view, PartitionRecord partition) =>
        ReplicasOf(partition).Any(replica => replica.NodeId == view.Self);

    /// <summary>The other nodes that have the partition, and a cluster endpoint for the keyspace.</summary>
    public static IEnumerable<NodeRecord> Replicas(
        ClusterView view, ClusterEndpoint endpoint, PartitionRecord partition, uint besides) =>
        ReplicasOf(partition)
            .Where(replica => replica.Node != besides)
            .Select(replica => replica.NodeId == view.Self
                ? Self(view, endpoint)
                : Find(view, endpoint, replica.NodeId))
            .OfType<NodeRecord>()
            .OrderBy(record => record.Id);

    /// <summary>This node, with the address that it has now.</summary>
    public static NodeRecord Self(ClusterView view, ClusterEndpoint endpoint) => new()
    {
        Id = view.Self.Value, ClusterAddress = endpoint.Address, ClusterKeyspace = endpoint.Keyspace,
    };

    /// <summary>
    /// Answers MOVED, or CROSSSLOT for keys of several slots, where that is due; false when the command is for this
    /// node.
    /// </summary>
    public static bool TrySendAway(RespRequest request, KeyspaceView keyspace, Slot slot, bool writes)
    {
        RespConnection connection = request.Connection;
        if (connection.Client.Endpoint is not { } endpoint)
        {
            return false;
        }

        ClusterView view = connection.Shared.Gateway.View;
        PartitionRecord partition = keyspace.PartitionOf(slot);
        if (Elsewhere(view, endpoint, partition) is not { } owner)
        {
            return false;
        }

        if (!writes && connection.Client.IsReadOnly && IsHere(view, partition))
        {
            request.ReadsReplica = true;
            return false;
        }

        request.Error($"MOVED {slot.Value} {owner.ClusterAddress}");
        return true;
    }

    /// <summary>
    /// The same for a command of a partition, which may have keys of several slots, or none: as in Redis Cluster it
    /// concerns this node's part of the keyspace then.
    /// </summary>
    public static bool TrySendAway(RespRequest request, KeyspaceView keyspace, in CommandRoute route)
    {
        if (request.Connection.Client.Endpoint is null)
        {
            return false;
        }

        switch (route.Kind)
        {
            case RouteKind.OneSlot:
                return TrySendAway(request, keyspace, route.Slot, route.Spec!.Kind == CommandKind.Write);
            case RouteKind.SeveralSlots:
                request.Error("CROSSSLOT Keys in request don't hash to the same slot");
                return true;
            default:
                return false;
        }
    }

    /// <summary>Of the partitions, those that a command without keys concerns on this connection.</summary>
    public static IReadOnlyList<PartitionRecord> OwnOf(RespConnection connection, KeyspaceView keyspace)
    {
        if (connection.Client.Endpoint is not { } endpoint)
        {
            return keyspace.Partitions;
        }

        ClusterView view = connection.Shared.Gateway.View;
        return [.. keyspace.Partitions.Where(partition => Elsewhere(view, endpoint, partition) is null)];
    }

    private static IEnumerable<ReplicaId> ReplicasOf(PartitionRecord partition) =>
        partition.Voters.Concat(partition.Learners).Select(ReplicaId.FromPacked);

    private static NodeRecord? Find(ClusterView view, ClusterEndpoint endpoint, NodeId node) =>
        view.State.Nodes.FirstOrDefault(record => record.Id == node.Value
            && record.State != NodeState.Removed
            && record.ClusterAddress.Length > 0
            && string.Equals(record.ClusterKeyspace, endpoint.Keyspace, StringComparison.Ordinal));
}
