namespace Quorate.Node.Partitions;

/// <summary>Which keys of a cache go first; the names are Redis's.</summary>
public enum EvictionPolicy
{
    /// <summary>None: commands that may take more memory get an error instead.</summary>
    NoEviction,

    /// <summary>The least recently used, of all.</summary>
    AllKeysLru,

    /// <summary>Any.</summary>
    AllKeysRandom,

    /// <summary>The least recently used, of those that expire.</summary>
    VolatileLru,

    /// <summary>Those that expire soonest.</summary>
    VolatileTtl,
}

/// <summary>How a partition is kept in bounds as a cache, each limit with its unit.</summary>
public sealed record CacheSettings
{
    /// <summary>
    /// Users' rows in memory (<see cref="Storage.Stores.IPartitionStore.LiveBytes"/>), in bytes. It is looked at when
    /// an entry is begun; one entry, and what is under way, may exceed it.
    /// </summary>
    public required long BytesMax { get; init; }

    public EvictionPolicy Policy { get; init; }

    /// <summary>Rows drawn for each key that goes.</summary>
    public int Samples { get; init; } = 5;

    /// <summary>
    /// Rows drawn when none before was one that may go, until it is said that there is none.
    /// </summary>
    public int SamplesMax { get; init; } = 1024;

    /// <summary>The best of former draws, which compete again.</summary>
    public int CandidatesMax { get; init; } = 16;

    /// <summary>Keys that go with one entry.</summary>
    public int KeysPerEntryMax { get; init; } = 1024;

    /// <summary>
    /// Rows that go with one entry: headers, and the elements of collections. Elements beyond are drawn later.
    /// </summary>
    public int RowsPerEntryMax { get; init; } = 4096;

    /// <summary>Keys whose last use is known; two may share a place, and count then as used together.</summary>
    public int UsesMax { get; init; } = 64 * 1024;
}
