using Quorate.Core;
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

    /// <summary>Entries of the groups' logs in memory: not applied yet, or kept for followers.</summary>
    Entries = 4,

    /// <summary>The words of requests that wait here, at a partition, or for another node's answer.</summary>
    Requests = 5,

    /// <summary>Replies that wait for clients, and clients' unfinished commands, as the node's edge counts
    /// them.</summary>
    Clients = 6,

    /// <summary>Messages from and to other nodes, as the node's host counts them.</summary>
    Links = 7,
}

/// <summary>
/// A node's memory, counted: one for a node, whose parts say what they take and give back. It decides nothing by
/// itself; whoever can make room asks for <see cref="OverBytes"/>, and whoever can refuse asks
/// <see cref="MayTake"/>. It knows no clock and no collector, so that the same inputs make room at the same moments.
/// <para>It has two parts: what is held (rows, blocks, indexes, work on files), and what is under way (entries,
/// requests, replies, messages). The first can be written out and let go; the second is bounded by taking no
/// more.</para>
/// <para>Invariants: nothing is given back that was not taken. One thread at a time.</para>
/// </summary>
public sealed class MemoryBudget
{
    private const int Uses = 8;

    private readonly long[] _used = new long[Uses];

    /// <param name="totalBytes">For what is held.</param>
    /// <param name="underWayBytes">For what is under way; without it that is counted and not bounded.</param>
    public MemoryBudget(long totalBytes, long underWayBytes = long.MaxValue)
    {
        Invariant.Check(totalBytes > 0 && underWayBytes > 0, "a memory budget has at least one byte");
        TotalBytes = totalBytes;
        UnderWayTotalBytes = underWayBytes;
        Work = new(this);
    }

    /// <summary>
    /// Whether the host's heap has room for so many bytes more: asked before something large is made that can be
    /// refused, since what is counted here is less than what is there. Without a host it always has.
    /// </summary>
    public Func<long, bool> HeapHasRoom { get; set; } = static _ => true;

    /// <summary>Who may begin to write files.</summary>
    public WorkRoom Work { get; }

    /// <summary>
    /// What work on files may take of the host's heap, in bytes: more of it does not begin beside other, and what one
    /// takes beyond this counts as under way, too. Without a host's word there is no such bound.
    /// </summary>
    public long WorkBytesMax { get; init; } = long.MaxValue;

    /// <summary>All that may be held.</summary>
    public long TotalBytes { get; }

    /// <summary>What is held.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>All that may be under way.</summary>
    public long UnderWayTotalBytes { get; }

    /// <summary>What is under way.</summary>
    public long UnderWayBytes { get; private set; }

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
        if (use >= MemoryUse.Entries)
        {
            UnderWayBytes += bytes;
        }
        else
        {
            UsedBytes += bytes;
        }
    }

    public void Give(MemoryUse use, long bytes)
    {
        Take(use, -bytes);
        Invariant.Check(_used[(int)use] >= 0, "memory is given back only after it was taken");
    }

    /// <summary>Notes what somebody else has counted, from now on.</summary>
    public void Note(MemoryUse use, long bytes) => Take(use, bytes - _used[(int)use]);

    /// <summary>
    /// Whether so much more may come under way of what can be refused: a request. One is always let in, so that what is
    /// larger than all the room is done alone.
    /// </summary>
    public bool MayTake(long bytes) =>
        UnderWayBytes + WorkBeyondBytes <= UnderWayTotalBytes - bytes || UsedBy(MemoryUse.Requests) == 0;

    private long WorkBeyondBytes =>
        Guards.LargeWorkIsCounted ? Math.Max(0, UsedBy(MemoryUse.Work) - WorkBytesMax) : 0;
}
