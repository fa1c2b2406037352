using Quorate.Core;
using Quorate.Storage.Blocks;
using Quorate.Storage.Memory;

namespace Quorate.Node.Runtime;

/// <summary>How a node stays within its memory: it asks for room in time, and says when there is none left.</summary>
internal sealed class NodeMemory(MemoryBudget budget, BlockCache? cache, NodeSettings settings)
{
    private readonly Queue<PartitionShell> _awaitingRoom = new();
    private long _pendingBytes;

    /// <summary>
    /// So much over the total that no more may be written: what is only a cache goes at once, so these are rows that no
    /// checkpoint has yet, and the indexes and filters of open files, which stay as long as the files do.
    /// </summary>
    public bool IsOverfull => Guards.OverfullMemoryRefusesWrites
        && budget.OverBytes > budget.TotalBytes / settings.MemoryOverDivisor;

    /// <summary>Whether a request may be taken beside all that is under way on the node.</summary>
    public bool MayTake(long bytes) => budget.MayTake(bytes) || !Guards.UnderWayIsBounded;

    /// <summary>Whether the heap has room for something large.</summary>
    public bool HeapHasRoom(long bytes) => budget.HeapHasRoom(bytes) || !Guards.HeapIsAskedFirst;

    /// <summary>
    /// Whether a leader may evaluate one more write: what all have proposed and not applied is there as rows, as
    /// entries, and on its way to the disk, and a few bytes of a client (APPEND, SETBIT) may make a large row. The last
    /// one that is let in may exceed the room.
    /// </summary>
    public bool MayPropose => _pendingBytes <= budget.UnderWayTotalBytes / settings.MemoryPendingDivisor;

    /// <summary>Is told once when <see cref="MayPropose"/> is true again.</summary>
    public void AwaitRoom(PartitionShell shell) => _awaitingRoom.Enqueue(shell);

    public void PendingBytesChanged(long more)
    {
        _pendingBytes += more;
        while (more < 0 && MayPropose && _awaitingRoom.TryDequeue(out PartitionShell? shell))
        {
            shell.RoomCame();
        }
    }

    public void RequestBytesChanged(long more) => budget.Take(MemoryUse.Requests, more);

    public void EntryBytesChanged(long more) => budget.Take(MemoryUse.Entries, more);

    /// <summary>
    /// Entries that were applied stay in memory for followers, in each group as much as it may; when those of all
    /// groups take too much they go, and a follower that needs them gets them from the disk.
    /// </summary>
    public void ReleaseEntries(IEnumerable<PartitionShell> partitions)
    {
        if (budget.UsedBy(MemoryUse.Entries) <= budget.UnderWayTotalBytes / settings.MemoryEntriesDivisor)
        {
            return;
        }

        foreach (PartitionShell shell in partitions)
        {
            shell.ReleaseEntries();
        }
    }

    /// <summary>While memory is short the cache of blocks keeps no more than its own share.</summary>
    public void ShrinkCache()
    {
        if (budget.OverBytes > 0)
        {
            cache?.MakeRoom();
        }
    }

    /// <summary>
    /// Memory is short: whoever holds rows that are not needed may give them back, whether or not anything happened to
    /// it; and when too many rows are in memory only, the partition with the most of them is to take a checkpoint.
    /// </summary>
    public void MakeRoom(IEnumerable<PartitionShell> partitions, WorkRotation work)
    {
        long most = budget.TotalBytes / settings.MemoryDirtyDivisor;
        if (budget.UsedBytes < most)
        {
            return;
        }

        ShrinkCache();
        bool isOver = budget.OverBytes > 0;
        PartitionShell? heaviest = null;
        long heaviestBytes = 0;
        long dirty = 0;
        foreach (PartitionShell shell in partitions)
        {
            if (isOver)
            {
                work.Add(shell);
            }

            long bytes = shell.Partition.Rows.DirtyBytes;
            dirty += bytes;
            if (bytes > heaviestBytes)
            {
                (heaviest, heaviestBytes) = (shell, bytes);
            }
        }

        if (dirty > most)
        {
            heaviest?.Partition.WantCheckpoint();
        }
    }
}
