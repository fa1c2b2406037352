using Quorate.Core.Model;

namespace Quorate.Storage.Memory;

/// <summary>What a node's memory is used for.</summary>
public enum MemoryUse : byte
{
    /// <summary>Rows in memory, with their tables and orders.</summary>
    Memtables = 0,

    /// <summary>Blocks of files, kept because they may be read again. They may go at any time.</summary>
    BlockCache = 1,

    /// <summary>Sparse indexes and filters of open files. They stay while the files are open.</summary>
    IndexesAndFilters = 2,

    /// <summary>
    /// Files that are being written, and blocks on their way from the disk or read ahead by a merge. It goes with the
    /// work that needs it.
    /// </summary>
    Work = 3,
}

/// <summary>
/// A node's memory, counted: one for a node, whose parts say what they take and give back. It decides nothing by
/// itself; whoever can make room asks for <see cref="OverBytes"/>, and whoever can refuse asks
/// <see cref="MayTake"/>. It knows no clock and no collector, so that the same inputs make room at the same moments.
/// <para>Invariants: nothing is given back that was not taken. One thread at a time.</para>
/// </summary>
public sealed class MemoryBudget
{
    private const int Uses = 4;

    private readonly long[] _used = new long[Uses];

    public MemoryBudget(long totalBytes)
    {
        Invariant.Check(totalBytes > 0, "a memory budget has at least one byte");
        TotalBytes = totalBytes;
    }

    /// <summary>All that may be used.</summary>
    public long TotalBytes { get; }

    public long UsedBytes { get; private set; }

    /// <summary>What must be given back by those who can; zero when all is within the total.</summary>
    public long OverBytes => Math.Max(0, UsedBytes - TotalBytes);

    public long FreeBytes => Math.Max(0, TotalBytes - UsedBytes);

    public long UsedBy(MemoryUse use) => _used[(int)use];

    /// <summary>
    /// Notes that memory is in use. It never refuses: an entry that is committed must be applied, and a block that a
    /// command needs must be read, whatever there is.
    /// </summary>
    public void Take(MemoryUse use, long bytes)
    {
        _used[(int)use] += bytes;
        UsedBytes += bytes;
    }

    public void Give(MemoryUse use, long bytes)
    {
        _used[(int)use] -= bytes;
        UsedBytes -= bytes;
        Invariant.Check(_used[(int)use] >= 0, "memory is given back only after it was taken");
    }

    /// <summary>Whether this much more may be taken by somebody who can be refused: a request, a transfer.</summary>
    public bool MayTake(long bytes) => bytes <= FreeBytes;
}
