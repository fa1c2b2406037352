using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Clients' proposals from the moment they are in the log until they are answered. When leadership ends they
/// stay: the log decides what became of each (committed, or overwritten by another leader), and only the deadline
/// makes an outcome unknown.
/// <para>Invariants: each proposal is answered once; the queues are in the order of the log.</para>
/// </summary>
internal sealed class Proposals(GroupState state)
{
    private readonly Queue<Pending> _leader = new();
    private readonly Queue<Pending> _majority = new();
    private readonly List<Pending> _counted = [];
    private readonly List<Pending> _orphans = [];

    public int Count => _leader.Count + _majority.Count + _counted.Count + _orphans.Count;

    /// <summary>The last entry that was acknowledged at level `leader` in this term; reads must see it.</summary>
    public LogIndex LeaderAcknowledged { get; private set; }

    /// <summary>No deadline of a waiting proposal is earlier; it may be later than this.</summary>
    public Instant EarliestDeadline { get; private set; } = Instant.Never;

    public void Add(RequestId request, ReadToken entry, WriteLevel level, Instant deadline)
    {
        if (request.IsNone)
        {
            return;
        }

        var pending = new Pending(request, entry, level, deadline);
        EarliestDeadline = Instant.Min(EarliestDeadline, deadline);
        state.Output.Appended.Add(new(request, entry));
        switch (level.Kind)
        {
            case WriteLevelKind.Leader:
                _leader.Enqueue(pending);
                break;
            case WriteLevelKind.Majority:
                _majority.Enqueue(pending);
                break;
            default:
                _counted.Add(pending);
                break;
        }
    }

    /// <summary>The leader's own copy is durable up to here: level `leader` is met.</summary>
    public void OnDurable(LogIndex durable)
    {
        while (_leader.Count > 0 && _leader.Peek().Entry.Index <= durable)
        {
            Pending pending = _leader.Dequeue();
            LeaderAcknowledged = LogIndex.Max(LeaderAcknowledged, pending.Entry.Index);
            Acknowledge(pending);
        }
    }

    /// <summary>
    /// Entries are applied: level `majority` is met, and what became of a former leadership's proposals is known.
    /// </summary>
    public void OnApplied()
    {
        LogIndex applied = state.Log.Applied;
        while (_majority.Count > 0 && _majority.Peek().Entry.Index <= applied)
        {
            Acknowledge(_majority.Dequeue());
        }

        if (_orphans.Count > 0)
        {
            _orphans.RemoveAll(TrySettle);
        }
    }

    /// <summary>Copies have been counted anew: levels n and `all` may be met.</summary>
    public void OnCopies(Leader leader)
    {
        if (_counted.Count == 0)
        {
            return;
        }

        _counted.RemoveAll(pending =>
        {
            if (pending.Entry.Index > state.Log.Applied)
            {
                return false;
            }

            (int count, bool all) = leader.HoldersOf(pending.Entry.Index);
            bool met = pending.Level.Kind == WriteLevelKind.All ? all : count >= pending.Level.Replicas;
            if (met || !Guards.LevelCountsReplicas)
            {
                Acknowledge(pending);
                return true;
            }

            return false;
        });
    }

    /// <summary>Leadership has ended: what waits is decided by the log from now on.</summary>
    public void Orphan()
    {
        _orphans.AddRange(_leader);
        _orphans.AddRange(_majority);
        _orphans.AddRange(_counted);
        _leader.Clear();
        _majority.Clear();
        _counted.Clear();
        LeaderAcknowledged = LogIndex.Zero;
        _orphans.RemoveAll(TrySettle);
    }

    /// <summary>Says of proposals whose deadline has passed that their outcome is unknown.</summary>
    public void Expire()
    {
        Instant now = state.Now;
        if (EarliestDeadline > now)
        {
            return;
        }

        EarliestDeadline = Instant.Never;
        ExpireQueue(_leader, now);
        ExpireQueue(_majority, now);
        _counted.RemoveAll(pending => IsExpired(pending, now));
        _orphans.RemoveAll(pending => IsExpired(pending, now));
    }

    private void ExpireQueue(Queue<Pending> queue, Instant now)
    {
        for (int count = queue.Count; count > 0; count--)
        {
            Pending pending = queue.Dequeue();
            if (!IsExpired(pending, now))
            {
                queue.Enqueue(pending);
            }
        }
    }

    private bool IsExpired(in Pending pending, Instant now)
    {
        if (pending.Deadline > now)
        {
            EarliestDeadline = Instant.Min(EarliestDeadline, pending.Deadline);
            return false;
        }

        state.Drop(pending.Request, DropReason.DeadlinePassed);
        return true;
    }

    /// <summary>Answers a proposal of a lost leadership when the applied log tells what became of it.</summary>
    private bool TrySettle(Pending pending)
    {
        RaftLog log = state.Log;
        LogIndex index = pending.Entry.Index;
        if (log.Applied >= index)
        {
            Term? term = log.TermAt(index);
            if (term is null)
            {
                return false;
            }

            if (term != pending.Entry.Term)
            {
                state.Drop(pending.Request, DropReason.Overwritten);
            }
            else if (pending.Level.Kind is WriteLevelKind.Majority or WriteLevelKind.Leader)
            {
                Acknowledge(pending);
            }
            else
            {
                state.Drop(pending.Request, DropReason.LevelUncounted);
            }

            return true;
        }

        // Terms rise along the log, so an entry of an older term can not come any more.
        if (log.TermAt(log.Applied) > pending.Entry.Term)
        {
            state.Drop(pending.Request, DropReason.Overwritten);
            return true;
        }

        return false;
    }

    private void Acknowledge(in Pending pending) => state.Output.Acknowledged.Add(new(pending.Request, pending.Entry));

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Pending(RequestId Request, ReadToken Entry, WriteLevel Level, Instant Deadline);
}
