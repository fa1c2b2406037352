using Quorate.Core.Model;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.Plans;

/// <summary>What a key of the values workload is used for. Each use has a key of its own per hash tag.</summary>
internal enum KeyUse
{
    /// <summary>Integers, each unlike every other: SET, GET, DEL, compare-and-set by version.</summary>
    Register,

    /// <summary>INCRBY and GET.</summary>
    Counter,

    Text,
    Hash,
    Set,
    List,
    SortedSet,
    Json,

    /// <summary>Now of this type, now of that one.</summary>
    Any,

    /// <summary>Two keys that are written together only, always alike.</summary>
    Pair,
}

/// <summary>
/// What clients do with typed values, in plans that run whole partitions. Weights are drawn per seed, most of them
/// zero in most seeds, so that a few things are met often together.
/// </summary>
internal sealed record ValuesPlan
{
    /// <summary>Hash tags per group; each has one key of each use.</summary>
    public int Tags { get; init; } = 1;

    /// <summary>How often each use is drawn, by <see cref="KeyUse"/>.</summary>
    public required int[] Weights { get; init; }

    /// <summary>Elements that a collection's fields and members are drawn from.</summary>
    public int Elements { get; init; } = 6;

    /// <summary>Bytes that written values carry beside what makes them unlike each other.</summary>
    public int PaddingBytes { get; init; }

    /// <summary>Out of a hundred writes to keys that are no registers: those that set or change an expiry.</summary>
    public int ExpiryPercent { get; init; }

    /// <summary>Expiries lie up to so many milliseconds ahead.</summary>
    public int ExpiryMillisecondsMax { get; init; } = 2000;

    /// <summary>Out of a hundred requests to keys that are no registers: several commands together.</summary>
    public int BatchPercent { get; init; }

    /// <summary>Out of a thousand writes: FLUSHDB.</summary>
    public int ClearPermille { get; init; }

    /// <summary>Out of a hundred reads: pieces of an iteration over all keys.</summary>
    public int ScanPercent { get; init; }

    /// <summary>Out of a hundred clients: those that number their requests in a session.</summary>
    public int SessionPercent { get; init; }

    /// <summary>Out of a hundred numbered requests: sent once more, to any node, after they were answered.</summary>
    public int LateRepeatPercent { get; init; }

    /// <summary>The rows lie in the store's plain twin, not in memtable and tables.</summary>
    public bool HasTwin { get; init; }

    /// <summary>Rows in files are encrypted, with a key that the seed gives.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>How often each node exchanges the data key that it encrypts with.</summary>
    public uint KeyRotations { get; init; }

    /// <summary>A node's memory for rows and blocks, in bytes for each group.</summary>
    public long MemoryBytes { get; init; } = 1L << 30;

    /// <summary>Of these, for blocks that may be read again.</summary>
    public long CacheBytes { get; init; } = 1 << 20;

    /// <summary>The limits of stores; names and partition are each store's own.</summary>
    public PartitionStoreSettings Store { get; init; } = new() { Prefix = "", Partition = new GroupId(1) };

    /// <summary>The twin in memory shows each row as cold until it was fetched.</summary>
    public bool RowsAreCold { get; init; }

    /// <summary>How far nodes' wall clocks are off, and how far they jump, in milliseconds, either way.</summary>
    public int WallSkewMax { get; init; }

    /// <summary>
    /// At any time only one wall clock of three or more is off, and it is right when its process starts: then the time
    /// that entries carry stays near the true one.
    /// </summary>
    public bool FewClocksStray { get; init; }

    /// <summary>Beyond so many milliseconds a node's clock strays, and it hands its leaderships over.</summary>
    public long ClockStrayMax { get; init; } = 10_000;

    /// <summary>Out of a hundred reads: those that are tried beside the one that drives the node.</summary>
    public int FastReadPercent { get; init; }

    /// <summary>Until such a read, having looked at the lease, looks at the rows, in microseconds, at most.</summary>
    public long FastReadDelayMax { get; init; }

    /// <summary>
    /// What one round of background work does for a partition while there are faults, in bytes, at most.
    /// </summary>
    public int WorkBytesMax { get; init; } = 4096;

    /// <summary>Until background work goes on while there are faults, in microseconds, at most.</summary>
    public long WorkPauseMax { get; init; } = 2000;

    /// <summary>Partitions that one round of background work looks after.</summary>
    public int WorkPartitionsMax { get; init; } = 16;
}
