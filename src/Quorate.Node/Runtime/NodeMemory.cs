using Quorate.Storage.Memory;

namespace Quorate.Node.Runtime;

/// <summary>How a node stays within its memory: it asks for room in time, and says when there is none left.</summary>
internal sealed class NodeMemory(MemoryBudget budget, NodeSettings settings)
{
    /// <summary>
    /// So much over the total that no more may be written: what is only a cache goes at once, so these are rows that no
    /// checkpoint has yet.
    /// </summary>
    public bool IsOverfull => budget.OverBytes > budget.TotalBytes / settings.MemoryOverDivisor;

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
