using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Replicas;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>
/// The requests that only look, from their arrival to their answer. Each is served from the applied rows once its level
/// is met.
/// <para>Invariant: expiry is judged by the logged time alone, here and on every other replica (pitfall R25). A leader
/// that sees by its clock that a row is due has the log's time moved on before it answers.</para>
/// </summary>
internal sealed class PartitionReads
{
    private readonly PartitionParts _parts;
    private readonly ColdRows _cold;
    private readonly PartitionWrites _writes;
    private readonly ExpiryWatch _watch;
    private readonly Dictionary<RequestId, OpenRequest> _open = [];
    private readonly Queue<OpenRequest> _ready = new();

    /// <summary>Ready ones that wait for rows or for the time.</summary>
    private readonly List<OpenRequest> _late = [];

    private readonly List<OpenRequest> _awaitingTime = [];

    public PartitionReads(PartitionParts parts, ColdRows cold, PartitionWrites writes)
    {
        _parts = parts;
        _cold = cold;
        _writes = writes;
        _watch = new(parts.Machine.Rows);
    }

    public bool HasWork => _ready.Count > 0;

    public Instant EarliestDeadline
    {
        get
        {
            Instant earliest = Instant.Never;
            foreach (OpenRequest open in _late)
            {
                earliest = Instant.Min(earliest, open.Request.Deadline);
            }

            return earliest;
        }
    }

    public void Add(OpenRequest open)
    {
        PartitionRequest request = open.Request;
        open.ReadId = _parts.NextRequest();
        _open.Add(open.ReadId, open);
        _parts.Replica.Read(open.ReadId, request.ReadLevel, request.Token, request.Deadline);
    }

    /// <summary>The replica says that a read's level is met.</summary>
    public void Ready(RequestId id) => _ready.Enqueue(_open[id]);

    public void Fetched(OpenRequest open)
    {
        _late.Remove(open);
        _ready.Enqueue(open);
    }

    /// <summary>An entry was applied: those that waited for the time look again.</summary>
    public void Applied()
    {
        foreach (OpenRequest open in _awaitingTime)
        {
            _late.Remove(open);
            _ready.Enqueue(open);
        }

        _awaitingTime.Clear();
    }

    /// <summary>The replica dropped a read. False when it is none of these.</summary>
    public bool OnReply(in ReplicaReply reply)
    {
        if (!_open.Remove(reply.Request, out OpenRequest? open))
        {
            return false;
        }

        _parts.Drop(open, reply.Reason, reply.LeaderHint);
        return true;
    }

    /// <summary>Serves all that is ready.</summary>
    public void Turn()
    {
        if (!_parts.IsLeader)
        {
            // The entry that they wait for may never come.
            Applied();
        }

        for (int count = _ready.Count; count > 0 && !_parts.TurnIsSpent; count--)
        {
            OpenRequest open = _ready.Dequeue();
            if (!open.IsAnswered)
            {
                Serve(open);
            }
        }
    }

    /// <summary>Drops those whose deadline passed while they waited for rows or for the time.</summary>
    public void Expire(Instant now)
    {
        for (int i = _late.Count - 1; i >= 0; i--)
        {
            OpenRequest open = _late[i];
            if (open.Request.Deadline <= now)
            {
                _late.RemoveAt(i);
                bool awaitsTime = _awaitingTime.Remove(open);
                Finish(open);
                _parts.Refuse(open, awaitsTime ? DropReason.ReadDeadlinePassed : DropReason.RowsDeadlinePassed);
            }
        }
    }

    public void Close()
    {
        // order-free: sorted before anyone is told.
        List<OpenRequest> open = [.. _open.Values];
        open.Sort(static (a, b) => a.Order.CompareTo(b.Order));
        foreach (OpenRequest read in open)
        {
            _parts.Refuse(read, DropReason.NotLeader);
        }

        _open.Clear();
        _ready.Clear();
        _late.Clear();
        _awaitingTime.Clear();
    }

    private void Serve(OpenRequest open)
    {
        PartitionRequest request = open.Request;
        HybridTime logged = _parts.Machine.Rows.Time;
        long clock = _parts.TimeMilliseconds;
        open.FirstClock ??= clock;
        clock = Math.Min(clock, open.FirstClock.Value);
        HybridTime time = Guards.ExpiryByLoggedTime ? logged : HybridTime.FromMilliseconds(clock);
        CommandEvaluation evaluation = _parts.Evaluation;
        EvaluationOutcome outcome = Run(open, _watch.Begin(logged.Milliseconds, clock), time);
        _parts.Spend(evaluation);
        if (outcome == EvaluationOutcome.Cold)
        {
            if (evaluation.Progress is { } progress && !ReferenceEquals(progress, open.Progress))
            {
                // What it has passed is not looked at again: it holds no more than what it waits for.
                open.Progress = progress;
                _cold.Release(open);
            }

            AwaitRows(open);
            return;
        }

        Invariant.Check(evaluation.ChangeCount == 0, "a read changes nothing");
        if (_watch.SawDue && request.ReadLevel == ReadLevel.Linearizable && _writes.ProposeTime())
        {
            _late.Add(open);
            _awaitingTime.Add(open);
            return;
        }

        if (outcome == EvaluationOutcome.Paused)
        {
            GoOnLater(open);
            return;
        }

        _writes.Used(open);
        ReadToken seen = Finish(open);
        ReadOnlyMemory<byte> reply = evaluation.Reply.Take();
        evaluation.LetGo();
        _parts.Done(open, seen, ValueVersion.None, reply);
    }

    private EvaluationOutcome Run(OpenRequest open, IRowSource rows, HybridTime time)
    {
        PartitionRequest request = open.Request;
        var first = RowVersion.At(_parts.Replica.AppliedAt.Index.Next, 0);
        return request.IsBatch || request.Lines.Length != 1
            ? _parts.Evaluation.Run(rows, request.Lines, request.IsBatch, time, first, open.Order)
            : _parts.Evaluation.RunPiece(rows, request.Lines[0], time, first, open.Order, open.Progress);
    }

    /// <summary>A piece is done; its rows need not be held for the next.</summary>
    private void GoOnLater(OpenRequest open)
    {
        open.Progress = _parts.Evaluation.Progress;
        _cold.Release(open);
        if (open.Request.Deadline <= _parts.Host.Now)
        {
            Finish(open);
            _parts.Refuse(open, DropReason.RowsDeadlinePassed);
        }
        else
        {
            _ready.Enqueue(open);
        }
    }

    private void AwaitRows(OpenRequest open)
    {
        if (_cold.TryFetch(open))
        {
            _late.Add(open);
        }
        else
        {
            Finish(open);
            _parts.Refuse(open, DropReason.Overloaded);
        }
    }

    /// <summary>The replica and the store need not keep anything for the read any longer.</summary>
    private ReadToken Finish(OpenRequest open)
    {
        _open.Remove(open.ReadId);
        _cold.Release(open);
        bool isTaken = _parts.Replica.TakeRead(open.ReadId, out ReadToken seen);
        Invariant.Check(isTaken || !_parts.Replica.IsRunning, "a read that was said to be ready is ready");
        return seen;
    }
}
