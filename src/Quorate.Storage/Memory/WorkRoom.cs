using Quorate.Core;
using Quorate.Core.Model;

namespace Quorate.Storage.Memory;

/// <summary>What work on files is begun for.</summary>
public enum WorkKind : byte
{
    /// <summary>A checkpoint, or a merge for which one waits: rows in memory only become durable by it.</summary>
    Needed,

    /// <summary>A merge that can wait.</summary>
    Leisure,
}

/// <summary>
/// Who may begin to write files, so that the work of all partitions together stays within the node's memory: what fits
/// beside rows, indexes and the work that is under way begins, all else waits its turn.
/// <para>Invariants: of each kind one always goes on, whatever there is, so that memory which only a checkpoint can
/// give back is given back, unless their rows are so large that the host's heap holds one work alone: then that goes
/// on; who waits begins, in the order of asking, as soon as the end of other work lets it, and some work is under way
/// until then. One thread at a time.</para>
/// </summary>
public sealed class WorkRoom
{
    private const int Kinds = 2;

    private readonly MemoryBudget _budget;
    private readonly List<(WorkKind Kind, long Bytes, Action<WorkLease> Begin)> _waiting = [];
    private readonly int[] _underWay = new int[Kinds];
    private long _reserved;

    internal WorkRoom(MemoryBudget budget) => _budget = budget;

    /// <summary>Work that waits for memory.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Work that is under way.</summary>
    public int UnderWay => _underWay.Sum();

    /// <summary>What work that is begun now may take; blocks of files that may be read again give way to it.</summary>
    private long FreeBytes => _budget.TotalBytes
        - _budget.UsedBy(MemoryUse.Memtables)
        - _budget.UsedBy(MemoryUse.IndexesAndFilters)
        - Math.Max(_budget.UsedBy(MemoryUse.Work), _reserved);

    /// <summary>Begins work that may take so much memory, in bytes. Null when it has to wait.</summary>
    /// <param name="kind">What it is for.</param>
    /// <param name="bytes">Memory that it takes at most.</param>
    /// <param name="begin">Called once, if it has to wait, when it may begin.</param>
    internal WorkLease? TryBegin(WorkKind kind, long bytes, Action<WorkLease> begin)
    {
        if (MayBegin(kind, bytes))
        {
            return Begin(kind, bytes);
        }

        _waiting.Add((kind, bytes, begin));
        return null;
    }

    /// <summary>Who waits does so no longer.</summary>
    internal void Forget(Action<WorkLease> begin) => _waiting.RemoveAll(each => each.Begin == begin);

    private bool MayBegin(WorkKind kind, long bytes) =>
        (FitsHeap(bytes) && (_underWay[(int)kind] == 0 || bytes <= FreeBytes))
        || UnderWay == 0
        || !Guards.WorkWaitsForMemory;

    private bool FitsHeap(long bytes) =>
        Math.Max(_reserved, _budget.UsedBy(MemoryUse.Work)) <= _budget.WorkBytesMax - bytes
        || !Guards.LargeWorkIsCounted;

    private WorkLease Begin(WorkKind kind, long bytes)
    {
        _underWay[(int)kind]++;
        _reserved += bytes;
        return new(this, kind, bytes);
    }

    private void End(WorkKind kind, long bytes)
    {
        Invariant.Check(_underWay[(int)kind] > 0, "work ends that was begun");
        _underWay[(int)kind]--;
        _reserved -= bytes;
        for (int i = 0; i < _waiting.Count;)
        {
            (WorkKind Kind, long Bytes, Action<WorkLease> Begin) next = _waiting[i];
            if (MayBegin(next.Kind, next.Bytes))
            {
                _waiting.RemoveAt(i);
                next.Begin(Begin(next.Kind, next.Bytes));
            }
            else
            {
                i++;
            }
        }
    }

    /// <summary>The right to work, until it is disposed.</summary>
    internal sealed class WorkLease(WorkRoom room, WorkKind kind, long bytes) : IDisposable
    {
        private bool _hasEnded;

        public void Dispose()
        {
            if (!_hasEnded)
            {
                _hasEnded = true;
                room.End(kind, bytes);
            }
        }
    }
}
