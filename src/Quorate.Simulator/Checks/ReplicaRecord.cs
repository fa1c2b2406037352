using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Checks;

/// <summary>
/// What is known of one replica over all its lives: the log that it has written and the part of it that must
/// survive a loss of power. Kept after the replica is gone, for its disk counted when others were told so.
/// <para>Invariant: the durable log is the written one without the writes still under way, in their order.</para>
/// </summary>
internal sealed class ReplicaRecord(ReplicaId id, LogMatching matching)
{
    private readonly Queue<Pending> _pending = new();

    public ReplicaId Id { get; } = id;

    public ShadowLog Written { get; private set; } = new();

    public ShadowLog DurableLog { get; private set; } = new();

    /// <summary>Writes down what was promised when; null where nobody asks.</summary>
    public ReplicaPromises? Promises { get; set; }

    /// <summary>The disk is lost: no further life of this replica may start.</summary>
    public bool Lost { get; set; }

    public void Writing(Persist persist)
    {
        CheckVote(persist.HardState);
        Promises?.Writing(persist);
        _pending.Enqueue(new Pending(persist));
        Written.Apply(persist);
        foreach (Entry entry in persist.Entries)
        {
            matching.Add(Id, entry, Written.TermAt(entry.Index.Value - 1));
        }
    }

    public void Durable(ulong sequence)
    {
        bool hard = false;
        foreach (Pending pending in _pending)
        {
            if (pending.Persist.Sequence == sequence)
            {
                pending.Reported = true;
            }

            if (!pending.Reported)
            {
                break;
            }

            // A write that needs no sync is sure to be there only once a later one was synced.
            hard |= pending.Persist.MustSync;
        }

        if (hard)
        {
            Harden();
            Promises?.Durable(DurableLog);
        }
    }

    /// <summary>A new life of the replica found this log.</summary>
    public void Opened(RecoveredLog log)
    {
        ShadowLog candidate = DurableLog.Copy();
        ShadowLog? match = candidate.Difference(log) is null ? candidate.Copy() : null;
        string? first = candidate.Difference(log);
        while (_pending.TryDequeue(out Pending? pending))
        {
            candidate.Apply(pending.Persist);
            if (candidate.Difference(log) is null)
            {
                match = candidate.Copy();
            }
        }

        if (match is null)
        {
            RunClaims.Break(
                RunClaims.LogRecovery,
                $"replica {Id} opened a log that is neither what it made durable nor that with more of what it "
                    + $"wrote: {first}");
        }

        Written = match;
        DurableLog = match.Copy();
    }

    private void Harden()
    {
        int last = 0;
        int at = 0;
        foreach (Pending pending in _pending)
        {
            if (!pending.Reported)
            {
                break;
            }

            at++;
            last = pending.Persist.MustSync ? at : last;
        }

        for (int i = 0; i < last; i++)
        {
            DurableLog.Apply(_pending.Dequeue().Persist);
        }
    }

    private void CheckVote(HardState? next)
    {
        if (next is not { } state)
        {
            return;
        }

        HardState before = Written.HardState;
        if (state.Term < before.Term)
        {
            RunClaims.Break(RunClaims.VoteSafety, $"replica {Id} goes back from term {before.Term} to {state.Term}");
        }

        if (state.Term == before.Term && !before.Vote.IsNone && state.Vote != before.Vote)
        {
            RunClaims.Break(
                RunClaims.VoteSafety, $"replica {Id} votes for {before.Vote} and for {state.Vote} in term "
                    + $"{state.Term}");
        }
    }

    private sealed class Pending(Persist persist)
    {
        public Persist Persist { get; } = persist;

        public bool Reported { get; set; }
    }
}
