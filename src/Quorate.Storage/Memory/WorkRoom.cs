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
/// give back is given back; of each kind work begins in the order of asking, so that what needs much is not passed over
/// for ever by what needs little; work at leisure takes nothing that needed work waits for; while something waits, work
/// of its kind is under way, whose end lets it begin. Where rows are so large that the host's heap does not hold one
/// work of each kind, one goes on in all. One thread at a time.</para>
/// </summary>
public sealed class WorkRoom
{
    private readonly MemoryBudget _budget;

    /// <summary>By <see cref="WorkKind"/>, in the order of asking.</summary>
    private readonly List<Waiter>[] _waiting = [[], []];
    private readonly int[] _underWay = new int[2];
    private long _reserved;

    internal WorkRoom(MemoryBudget budget) => _budget = budget;

    /// <summary>Work that waits for memory.</summary>
    public int Waiting => _waiting[0].Count + _waiting[1].Count;

    /// <summary>Work that is under way.</summary>
    public int UnderWay => _underWay[0] + _underWay[1];

    /// <summary>Memory that work under way may take, in bytes.</summary>
    public long ReservedBytes => _reserved;

    /// <summary>Told of each that begins, when it is counted: for those who watch.</summary>
    public Action<WorkKind> Began { get; set; } = static _ => { };

    /// <summary>Work of one kind that is under way.</summary>
    public int UnderWayOf(WorkKind kind) => _underWay[(int)kind];

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
        bool isInTurn = _waiting[(int)kind].Count == 0 || !Guards.WorkBeginsInTurn;
        if (isInTurn && MayBegin(kind, bytes))
        {
            return Begin(kind, bytes);
        }

        _waiting[(int)kind].Add(new(bytes, begin));
        return null;
    }

    /// <summary>
    /// Work that was let begin turns out to take another amount of memory. Null when it has to wait again, before all
    /// others of its kind: the lease is given back then, and another comes to <paramref name="begin"/>.
    /// </summary>
    internal WorkLease? TryExchange(WorkLease lease, long bytes, Action<WorkLease> begin)
    {
        int kind = (int)lease.Kind;
        lease.HasEnded = true;
        GiveBack(lease);
        WorkLease? exchanged = null;
        if (MayBegin(lease.Kind, bytes))
        {
            exchanged = Begin(lease.Kind, bytes);
        }
        else
        {
            _waiting[kind].Insert(0, new(bytes, begin));
        }

        LetBegin();
        return exchanged;
    }

    /// <summary>Who waits does so no longer; those behind it may now fit.</summary>
    internal void Forget(Action<WorkLease> begin)
    {
        foreach (List<Waiter> waiting in _waiting)
        {
            waiting.RemoveAll(each => each.Begin == begin);
        }

        LetBegin();
    }

    private bool MayBegin(WorkKind kind, long bytes) =>
        (FitsHeap(kind, bytes) && (_underWay[(int)kind] == 0 || (bytes <= FreeBytes && IsNotBefore(kind))))
        || UnderWay == 0
        || !Guards.WorkWaitsForMemory;

    /// <summary>Needed work does not wait, or this is such.</summary>
    private bool IsNotBefore(WorkKind kind) =>
        kind == WorkKind.Needed || _waiting[(int)WorkKind.Needed].Count == 0;

    private bool FitsHeap(WorkKind kind, long bytes) =>
        _budget.WorkBytesMax == long.MaxValue
        || !Guards.LargeWorkIsCounted
        || (Math.Max(_reserved, _budget.UsedBy(MemoryUse.Work)) <= _budget.WorkBytesMax - bytes && IsNotBefore(kind));

    private WorkLease Begin(WorkKind kind, long bytes)
    {
        _underWay[(int)kind]++;
        _reserved += bytes;
        Began(kind);
        return new(this, kind, bytes);
    }

    private void GiveBack(WorkLease lease)
    {
        Invariant.Check(_underWay[(int)lease.Kind] > 0, "work ends that was begun");
        _underWay[(int)lease.Kind]--;
        _reserved -= lease.Bytes;
    }

    private void End(WorkLease lease)
    {
        GiveBack(lease);
        LetBegin();
    }

    /// <summary>
    /// Of each kind the first that waits, as long as it fits. Who is told may ask, give back or forget meanwhile, so
    /// nothing is remembered from one to the next.
    /// </summary>
    private void LetBegin()
    {
        foreach (WorkKind kind in (ReadOnlySpan<WorkKind>)[WorkKind.Needed, WorkKind.Leisure])
        {
            List<Waiter> waiting = _waiting[(int)kind];
            while (waiting.Count > 0 && MayBegin(kind, waiting[0].Bytes))
            {
                Waiter next = waiting[0];
                waiting.RemoveAt(0);
                next.Begin(Begin(kind, next.Bytes));
            }
        }
    }

    private readonly record struct Waiter(long Bytes, Action<WorkLease> Begin);

    /// <summary>The right to work with so much memory, in bytes, until it is disposed.</summary>
    internal sealed class WorkLease(WorkRoom room, WorkKind kind, long bytes) : IDisposable
    {
        public WorkKind Kind => kind;

        public long Bytes => bytes;

        /// <summary>It was given back.</summary>
        public bool HasEnded { get; set; }

        public void Dispose()
        {
            if (!HasEnded)
            {
                HasEnded = true;
                room.End(this);
            }
        }
    }
}
