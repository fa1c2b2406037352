using Quorate.Core.Model;
using Quorate.Core.Placement;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Replicas;
using Quorate.Node.Runtime;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Stores;

namespace Quorate.Node.Cluster;

/// <summary>What a <see cref="ClusterNode"/> is made of.</summary>
public sealed record ClusterPlace
{
    /// <summary>What <see cref="Formation"/> has said of this data folder.</summary>
    public required ClusterIdentity Identity { get; init; }

    /// <summary>
    /// Addresses, zone, weight and feature level as they are at this start; id and state are the metadata's.
    /// </summary>
    public required NodeRecord Self { get; init; }

    /// <summary>Drawn at each start of the process; never zero.</summary>
    public required ulong Boot { get; init; }

    public required IDisk Disk { get; init; }

    public required MemoryBudget Memory { get; init; }

    public required IEntropy Entropy { get; init; }

    /// <summary>Opens the data keys of encrypted keyspaces; null where none was given.</summary>
    public MasterKey? MasterKey { get; init; }

    /// <summary>Those who read the rows of partitions from other threads; null where nobody does.</summary>
    public MemtableReaders? Readers { get; init; }

    /// <summary>Makes what a partition publishes for readers on other threads; null where there are none.</summary>
    public Func<GroupId, IReadPublication>? Published { get; init; }

    /// <summary>Makes the rows of a partition; null for memtables and sorted files on the disk above.</summary>
    public Func<PartitionRows, IPartitionStoreClient, IPartitionStore>? Rows { get; init; }
}

/// <summary>A partition whose rows are to be opened.</summary>
/// <param name="Prefix">The names of its files begin with it.</param>
/// <param name="Encryption">Null for a keyspace that is not encrypted.</param>
public sealed record PartitionRows(
    GroupId Group, ReplicaId Id, string Prefix, SlotRange Slots, Compression Compression, StoreEncryption? Encryption);

/// <summary>The times and limits of a cluster's node, each with its unit.</summary>
public sealed record ClusterSettings
{
    public NodeSettings Node { get; init; } = new();

    public PartitionSettings Partition { get; init; } = new();

    public PlacementSettings Placement { get; init; } = new();

    public MetadataLimits Metadata { get; init; } = new();

    public RoutingSettings Routing { get; init; } = new();

    /// <summary>What the cache of blocks may hold, in bytes; it gives way when memory is short.</summary>
    public long BlockCacheBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>The metadata group has at most so many voters; other nodes follow.</summary>
    public int MetadataVotersMax { get; init; } = 7;

    /// <summary>When the metadata group takes checkpoints.</summary>
    public ReplicaSettings MetadataReplica { get; init; } = new() { CheckpointEntries = 1000 };

    /// <summary>Of the keyspace `default`, which the first leader makes.</summary>
    public int DefaultPartitions { get; init; } = 16;

    /// <summary>Of the keyspace `default`; one where there are fewer nodes than this.</summary>
    public uint DefaultReplicas { get; init; } = 3;

    /// <summary>A replica that lacks more entries than this counts as far behind.</summary>
    public ulong LagMax { get; init; } = 10_000;

    /// <summary>Between two looks at what a node does by itself (balance, membership, the map).</summary>
    public Duration DutyInterval { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>Between two leaderships that this node hands back to where they belong.</summary>
    public Duration BalanceInterval { get; init; } = Duration.FromMilliseconds(300);

    /// <summary>A node has been heard for so long before leaderships are handed back to it.</summary>
    public Duration BalanceAfter { get; init; } = Duration.FromSeconds(1);

    /// <summary>How long a node that asks to join is told what refused it, until the group is asked again.</summary>
    public Duration RefusalKept { get; init; } = Duration.FromSeconds(3);

    /// <summary>Before a node's own row that was refused is proposed again.</summary>
    public Duration RefusedRowInterval { get; init; } = Duration.FromSeconds(30);

    /// <summary>How long one proposal of the metadata group's own leader is waited for.</summary>
    public Duration DutyDeadline { get; init; } = Duration.FromSeconds(5);

    /// <summary>Between two looks at how far a stop has come.</summary>
    public Duration StopInterval { get; init; } = Duration.FromMilliseconds(20);

    /// <summary>A node that stops waits no longer than this for others to take its leaderships.</summary>
    public Duration HandOverAfter { get; init; } = Duration.FromSeconds(2);

    /// <summary>The node is ready to stop this long after it was told to, whatever is not saved by then.</summary>
    public Duration StopAfter { get; init; } = Duration.FromSeconds(4);

    /// <summary>
    /// A node that stops and has nothing more to hand over waits until no other node has handed it a request for so
    /// long: one that was on its way when the process ends would come to an unknown end.
    /// </summary>
    public Duration StopQuiet { get; init; } = Duration.FromMilliseconds(100);

    /// <summary>It waits at most so long for that: who finds no leader anywhere goes on asking.</summary>
    public Duration StopQuietMax { get; init; } = Duration.FromSeconds(1);
}

/// <summary>The times and limits of requests on their way, each with its unit.</summary>
public sealed record RoutingSettings
{
    /// <summary>
    /// The words of one request, in bytes: less than a message between nodes holds, so that every node takes the same
    /// requests, whether it leads or not.
    /// </summary>
    public long CallBytesMax { get; init; } = 72 * 1024 * 1024;

    /// <summary>Requests handed to one peer and not yet answered; beyond, they are refused.</summary>
    public int ForwardedMax { get; init; } = 16 * 1024;

    /// <summary>Their words, in bytes (one request is always let out).</summary>
    public long ForwardedBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Requests of one partition that wait for a leader to be found; beyond, they are refused.</summary>
    public int WaitingMax { get; init; } = 16 * 1024;

    /// <summary>Their words, in bytes (one request is always let in).</summary>
    public long WaitingBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Before a request that was refused for a reason of place is asked again; doubled up to the
    /// most.</summary>
    public Duration BackOffMin { get; init; } = Duration.FromMilliseconds(5);

    public Duration BackOffMax { get; init; } = Duration.FromMilliseconds(50);

    /// <summary>Between two looks at the deadlines of requests that are out.</summary>
    public Duration SweepInterval { get; init; } = Duration.FromMilliseconds(20);

    /// <summary>
    /// After the deadline of a request that another node has, for its answer to arrive: it knows better what became of
    /// it.
    /// </summary>
    public Duration AnswerGrace { get; init; } = Duration.FromMilliseconds(20);

    /// <summary>
    /// A request that is out for so long is waited for no more by those that are to leave after it: its answer may be
    /// lost.
    /// </summary>
    public Duration DetachAfter { get; init; } = Duration.FromSeconds(1);

    /// <summary>Metadata calls of this node that are not answered yet; beyond, they are refused.</summary>
    public int MetadataCallsMax { get; init; } = 256;
}
