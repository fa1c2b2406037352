namespace Quorate.Storage.Memtables;

/// <summary>The limits of a <see cref="Memtable"/>.</summary>
public sealed record MemtableSettings
{
    /// <summary>
    /// A slot with more rows than this keeps them in order all the time, so that nobody has ever to sort more than
    /// this many at once.
    /// </summary>
    public int UnorderedRowsMax { get; init; } = 1024;

    /// <summary>Looks that a concurrent reader takes at a slot that is being changed before it says so.</summary>
    public int ReadAttemptsMax { get; init; } = 256;

    /// <summary>Retired pieces of memory that wait until somebody looks whether readers have passed them.</summary>
    public int RetiredCountMax { get; init; } = 64;

    /// <summary>Retired memory that waits until somebody looks whether readers have passed it, in bytes.</summary>
    public int RetiredBytesMax { get; init; } = 256 * 1024;

    /// <summary>Rows that one step of eviction or of the sweep looks at.</summary>
    public int StepRowsMax { get; init; } = 4096;

    /// <summary>How much of a row key's hash counts. Tests take less, so that hashes collide.</summary>
    internal ulong HashMask { get; init; } = ulong.MaxValue;
}
