using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Storage.Memory;

namespace Quorate.Node.Cluster;

/// <summary>Puts together what a node knows.</summary>
internal static class Reporting
{
    public static ClusterReport Make(ClusterParts parts, CallRouter router, LeaderBalance balance)
    {
        MetadataState state = parts.View.State;
        RaftGroup? metadata = parts.Metadata.Raft;
        PartitionReport[] partitions = [.. state.Partitions.Select(row => Of(parts, row, balance))];
        return new ClusterReport
        {
            Self = parts.Self,
            Cluster = parts.Place.Identity.Cluster,
            MetadataVersion = parts.View.Version,
            MetadataLeader = metadata?.Leader ?? ReplicaId.None,
            MetadataTerm = metadata?.Term ?? Term.Zero,
            Nodes = [.. state.Nodes.Select(node => Of(parts, node))],
            Keyspaces = [.. state.Keyspaces.Select(keyspace => Of(keyspace, partitions))],
            Partitions = partitions,
            MemoryUsedBytes = parts.Place.Memory.UsedBytes,
            MemoryTotalBytes = parts.Place.Memory.TotalBytes,
            MemoryUnderWayBytes = parts.Place.Memory.UnderWayBytes,
            MemoryUnderWayTotalBytes = parts.Place.Memory.UnderWayTotalBytes,
            FileWork = (parts.Place.Memory.Work.UnderWay, parts.Place.Memory.Work.Waiting),
            Memory =
            [
                .. Enum.GetValues<MemoryUse>().Select(
                    use => new MemoryReport(use.ToString(), parts.Place.Memory.UsedBy(use))),
            ],
            SpaceIsLow = parts.Runtime.SpaceIsLow,
            Forwarded = router.Forwarded,
            Waiting = router.Waiting,
            Alarms = [.. Alarms(parts, metadata, partitions)],
        };
    }

    /// <summary>What operators are told of a snapshot that was refused.</summary>
    public static string SnapshotSentence(string partition, string problem) =>
        $"What partition {partition}'s leader sends of its rows cannot be taken here: {problem.TrimEnd('.')}.";

    private static IEnumerable<string> Alarms(
        ClusterParts parts, RaftGroup? metadata, IReadOnlyList<PartitionReport> partitions)
    {
        if (metadata is null or { Leader.IsNone: true })
        {
            yield return "Nobody leads the metadata group as far as this node knows: nothing can be created or "
                + "changed.";
        }

        if (parts.Runtime.SpaceIsLow)
        {
            yield return $"The disk of node {parts.Self.Value} is full: it takes no writes. Free some space.";
        }

        foreach (string problem in parts.Runtime.ClockProblems())
        {
            yield return problem;
        }

        // Who leads the others is for their own nodes to know.
        int leaderless = partitions.Count(partition => partition is { IsHere: true, Leader: null });
        if (leaderless > 0)
        {
            yield return $"Of {leaderless} partitions that this node holds no leader is known here.";
        }

        int under = partitions.Count(partition => partition.IsUnderReplicated);
        if (under > 0)
        {
            yield return $"Of {under} partitions that this node leads a replica is silent or far behind.";
        }

        foreach (GroupId group in parts.Runtime.Partitions)
        {
            if (parts.Runtime.Find(group)?.Rows.SnapshotProblem is { } problem)
            {
                yield return SnapshotSentence(parts.View.NameOf(group), problem);
            }
        }

        foreach (NodeRecord node in parts.View.State.Nodes)
        {
            if (node.State != NodeState.Removed && !parts.IsHeard(new(node.Id)))
            {
                yield return $"Node {node.Id} ({node.PeerAddress}) is not heard.";
            }
        }
    }

    private static NodeReport Of(ClusterParts parts, NodeRecord node) => new(
        new(node.Id),
        node.State switch
        {
            NodeState.Active => node.ReadReplica ? "replica" : "active",
            NodeState.Draining => "draining",
            _ => "removed",
        },
        parts.IsHeard(new(node.Id)),
        node.PeerAddress,
        node.RespAddress,
        node.HttpAddress,
        node.Zone);

    private static KeyspaceReport Of(KeyspaceRecord keyspace, PartitionReport[] partitions)
    {
        PartitionReport[] own = [.. partitions.Where(partition => partition.Keyspace == keyspace.Id)];
        return new(
            keyspace.Id,
            keyspace.Name,
            own.Length,
            keyspace.Replicas,
            keyspace.Voters,
            keyspace.WriteLevel == LevelKind.Count
                ? keyspace.WriteLevelCount.ToString(CultureInfo.InvariantCulture)
                : Small(keyspace.WriteLevel),
            Small(keyspace.ReadLevel),
            keyspace.TtlMilliseconds,
            keyspace.Encrypted,
            keyspace.Eviction.ToString(),
            keyspace.BytesMax,
            own.Sum(partition => partition.LiveBytes));
    }

    /// <summary>As people write it in commands.</summary>
    private static string Small(Enum value) => value.ToString().ToLowerInvariant();

    public static PartitionReport Of(ClusterParts parts, PartitionRecord row, LeaderBalance balance)
    {
        var group = new GroupId(row.Group);
        Partition? here = parts.Runtime.Find(group);
        RaftGroup? raft = here?.Replica.Group;
        NodeId? leader = ClusterParts.TryLeader(raft, out NodeId known) ? known : null;
        ReplicaReport[] replicas =
        [
            .. row.Voters.Concat(row.Learners).Select(packed =>
            {
                ReplicaId id = ReplicaId.FromPacked(packed);
                ulong? lag = LagOf(here, raft, id);
                return new ReplicaReport(
                    id, row.Voters.Contains(packed), parts.IsHeard(id.NodeId), lag, AgeOf(here, raft, lag));
            }),
        ];
        SortedSet<uint> readers =
            [.. parts.View.State.Nodes.Where(node => node.ReadReplica).Select(node => node.Id)];

        // Nothing is less safe without a read replica.
        bool isUnder = here is { IsLeader: true } && replicas.Any(replica => !readers.Contains(replica.Id.Node)
            && (!replica.IsHeard || replica.Lag > parts.Settings.LagMax));
        return new(
            group, row.Keyspace, row.Slots(), row.Epoch, here is not null, leader, balance.PreferredOf(group),
            raft?.Term ?? Term.Zero, raft?.CommitIndex ?? LogIndex.Zero, here?.Replica.AppliedAt.Index ?? LogIndex.Zero,
            replicas, here?.Rows.DirtyBytes ?? 0, here?.Rows.LiveBytes ?? 0, isUnder, parts.View.NameOf(group));
    }

    /// <summary>How long the first entry that a replica has not yet is there, in milliseconds.</summary>
    private static long? AgeOf(Partition? here, RaftGroup? raft, ulong? lag) =>
        lag is not { } entries || here is null || raft is null ? null
        : entries == 0 ? 0
        : here.Replica.AgeOf(new(raft.LastIndex.Value - entries + 1)).Microseconds / 1000;

    private static ulong? LagOf(Partition? here, RaftGroup? raft, ReplicaId replica) =>
        here is not { IsLeader: true } || raft is null ? null
        : replica == raft.Id ? 0
        : raft.LastIndex - raft.MatchOf(replica);
}
