namespace Quorate.Simulator.Plans;

/// <summary>What kind of keys a command of the values workload works on. Each has a key of its own per hash tag.</summary>
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

    /// <summary>Out of a hundred clients: those that number their requests in a session.</summary>
    public int SessionPercent { get; init; }

    /// <summary>Out of a hundred numbered requests: sent once more, to any node, after they were answered.</summary>
    public int LateRepeatPercent { get; init; }
}
