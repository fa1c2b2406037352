using Quorate.Core.Model;

namespace Quorate.Node.Cluster;

/// <summary>A node as it knows itself and the others, at one moment: for operators.</summary>
public sealed record ClusterReport
{
    public required NodeId Self { get; init; }

    /// <summary>Zero before there is a cluster.</summary>
    public required Guid Cluster { get; init; }

    public required ulong MetadataVersion { get; init; }

    /// <summary>None when it is not known.</summary>
    public required ReplicaId MetadataLeader { get; init; }

    public required Term MetadataTerm { get; init; }

    public required IReadOnlyList<NodeReport> Nodes { get; init; }

    public required IReadOnlyList<KeyspaceReport> Keyspaces { get; init; }

    /// <summary>All partitions of all keyspaces, by group; what is known of each depends on what is here.</summary>
    public required IReadOnlyList<PartitionReport> Partitions { get; init; }

    public required long MemoryUsedBytes { get; init; }

    public required long MemoryTotalBytes { get; init; }

    /// <summary>What is under way: entries, requests, replies, messages; and how much may be.</summary>
    public required long MemoryUnderWayBytes { get; init; }

    public required long MemoryUnderWayTotalBytes { get; init; }

    /// <summary>Checkpoints and merges that go on, and those that wait for memory.</summary>
    public (int UnderWay, int Waiting) FileWork { get; init; }

    /// <summary>What is used, by what it is used for.</summary>
    public required IReadOnlyList<MemoryReport> Memory { get; init; }

    /// <summary>The disk has no space for more than what lets the node go on: it takes no writes.</summary>
    public required bool SpaceIsLow { get; init; }

    /// <summary>Requests handed to other nodes and not yet answered.</summary>
    public required int Forwarded { get; init; }

    /// <summary>Requests that wait for a leader to be found.</summary>
    public required int Waiting { get; init; }

    /// <summary>What needs an operator, a sentence each.</summary>
    public required IReadOnlyList<string> Alarms { get; init; }
}

/// <summary>A node as another one sees it.</summary>
public sealed record NodeReport(
    NodeId Id, string State, bool IsHeard, string PeerAddress, string RespAddress, string HttpAddress, string Zone);

/// <summary>A keyspace and what this node has of it.</summary>
/// <param name="Write">The write level of connections that have chosen none.</param>
/// <param name="Read">The read level of connections that have chosen none.</param>
/// <param name="TtlMilliseconds">The life of a key that is written without an expiry; zero for ever.</param>
/// <param name="BytesMax">What a cache may hold in one partition; zero for no bound.</param>
/// <param name="LiveBytes">Users' rows in this node's memory, in bytes.</param>
public sealed record KeyspaceReport(
    uint Id,
    string Name,
    int Partitions,
    uint Replicas,
    uint Voters,
    string Write,
    string Read,
    ulong TtlMilliseconds,
    bool IsEncrypted,
    string Eviction,
    ulong BytesMax,
    long LiveBytes);

/// <summary>A part of the memory budget.</summary>
public sealed record MemoryReport(string Use, long Bytes);

/// <summary>A partition as a node knows it.</summary>
/// <param name="IsHere">A replica of it runs on this node; else of what follows only the leader may be known.</param>
/// <param name="PreferredLeader">Where its leader should be for balance.</param>
/// <param name="Replicas">How far each replica is; lags are known at the leader alone.</param>
/// <param name="DirtyBytes">Rows in memory only, in bytes.</param>
/// <param name="LiveBytes">Users' rows in memory, in bytes.</param>
/// <param name="IsUnderReplicated">At the leader: a replica is silent or behind by more than the bound.</param>
/// <param name="Name">What people call it: <see cref="ClusterView.NameOf"/>.</param>
public sealed record PartitionReport(
    GroupId Group,
    uint Keyspace,
    SlotRange Slots,
    ulong Epoch,
    bool IsHere,
    NodeId? Leader,
    NodeId? PreferredLeader,
    Term Term,
    LogIndex Commit,
    LogIndex Applied,
    IReadOnlyList<ReplicaReport> Replicas,
    long DirtyBytes,
    long LiveBytes,
    bool IsUnderReplicated,
    string Name);

/// <param name="Lag">Entries that it is behind the leader's last; null where that is not known.</param>
/// <param name="LagMilliseconds">
/// How long ago the leader appended the first of them, about; zero when there is none, null where it is not known.
/// </param>
public sealed record ReplicaReport(ReplicaId Id, bool IsVoter, bool IsHeard, ulong? Lag, long? LagMilliseconds);
