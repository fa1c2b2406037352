using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Node.Runtime;

/// <summary>The times and limits of a node and of its parts.</summary>
public sealed record NodeSettings
{
    public RaftSettings Raft { get; init; } = new();

    public NodeHeartbeatSettings Heartbeats { get; init; } = new();

    public NodeLogSettings Log { get; init; } = new();

    /// <summary>
    /// When rows that are in memory only take more than the total of the memory divided by this, the partition with the
    /// most of them takes a checkpoint.
    /// </summary>
    public int MemoryDirtyDivisor { get; init; } = 2;

    /// <summary>
    /// When entries in memory take more than what may be under way divided by this, those that are kept for followers
    /// alone go.
    /// </summary>
    public int MemoryEntriesDivisor { get; init; } = 8;

    /// <summary>
    /// While the rows that all partitions have proposed and not applied take more than what may be under way divided by
    /// this, leaders evaluate no more writes.
    /// </summary>
    public int MemoryPendingDivisor { get; init; } = 32;

    /// <summary>
    /// Writes are refused while the memory is over its total by more than the total divided by this: what is only a
    /// cache goes at once, so more than that are rows that no checkpoint has yet, and indexes and filters of open
    /// files, which never leave.
    /// </summary>
    public int MemoryOverDivisor { get; init; } = 8;

    /// <summary>Partitions that one call of Work gives their turn.</summary>
    public int WorkPartitionsMax { get; init; } = 16;

    /// <summary>
    /// How far the node's wall clock may be from those of the majority of the nodes that it hears, in milliseconds.
    /// Beyond, it hands its leaderships over.
    /// </summary>
    public long ClockStrayMaxMilliseconds { get; init; } = 10_000;

    /// <summary>
    /// How far the wall clock may move away from where the node's own monotonic clock leads it, in milliseconds, within
    /// <see cref="ClockTrustAfter"/>. Beyond, it is not believed.
    /// </summary>
    public long ClockStepMaxMilliseconds { get; init; } = 1000;

    /// <summary>How long a wall clock that has jumped must stand before it is believed.</summary>
    public Duration ClockTrustAfter { get; init; } = Duration.FromSeconds(60);

    /// <summary>
    /// How long a node that was started waits for the clocks of most others before it logs anything by its own.
    /// </summary>
    public Duration ClockUnknownMax { get; init; } = Duration.FromSeconds(2);
}

/// <summary>What a node is made of.</summary>
public sealed record NodePlace
{
    public required NodeId Id { get; init; }

    /// <summary>Drawn at each start of the process; never zero.</summary>
    public required ulong Boot { get; init; }

    public required IDisk Disk { get; init; }

    /// <summary>Gives a new log its secret.</summary>
    public required IEntropy Entropy { get; init; }

    public required MemoryBudget Memory { get; init; }

    /// <summary>Of the blocks of all rows' files, counted in the memory; null where nothing is cached.</summary>
    public BlockCache? Cache { get; init; }

    /// <summary>Makes the rows of a partition, whose files have names of their own.</summary>
    public required Func<GroupId, ReplicaId, IPartitionStoreClient, IPartitionStore> Rows { get; init; }

    /// <summary>
    /// The data keys that entries are sealed with, each of which stays while the log needs it; null when none are.
    /// </summary>
    public KeyRing? Keys { get; init; }

    /// <summary>For checks that stand between a replica and its log: by default nothing does.</summary>
    public Func<PartitionOpening, IGroupLogClient, Func<IGroupLogClient, IGroupLog>, IGroupLog> Log { get; init; } =
        static (_, client, log) => log(client);

    /// <summary>Where a partition's readers on other threads learn what they may rely on.</summary>
    public Func<GroupId, IReadPublication> Published { get; init; } = static _ => new PlainReadPublication();

    /// <summary>For checks that see each entry just before it is applied.</summary>
    public Action<GroupId, Entry>? Applies { get; init; }
}

/// <summary>A partition to be opened on a node.</summary>
public sealed record PartitionOpening
{
    public required GroupId Group { get; init; }

    public required ReplicaId Id { get; init; }

    /// <summary>The first membership of a group that is created with all its replicas at once; else null.</summary>
    public Membership? Bootstrap { get; init; }

    public PartitionSettings Settings { get; init; } = new();

    public IEntrySeal Seal { get; init; } = PlainEntries.Instance;
}
