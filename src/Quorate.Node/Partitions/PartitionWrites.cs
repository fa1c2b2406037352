using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>
/// The requests that may change something, from their arrival to their answer. All that have come since the last turn
/// are evaluated in order, each over the applied rows and all that is pending, and go into one entry for each run of
/// requests with the same write level.
/// <para>Invariants: nothing is evaluated but by a leader that has applied an entry of its own term; a reply leaves
/// only when the log has decided over the entry that carries it and what it saw; requests that name the same key are
/// executed in the order of their arrival, even when one has to wait for cold rows; what is pending is what was
/// proposed in this term and is not applied yet.</para>
/// </summary>
internal sealed partial class PartitionWrites
{
    private readonly PartitionParts _parts;
    private readonly RowOverlay _pending;
    private readonly EntryBuilder _entry;
    private readonly RequestSessions _sessions;
    private readonly WriteQueue _queue;
    private CacheEviction? _eviction;
    private readonly IEntrySeal _seal;
    private readonly ulong _seed;
    private readonly SortedDictionary<ulong, Proposal> _proposals = [];
    private readonly List<ProposedRequest> _taken = [];
    private Term _term;
    private HybridTime _lastTime;
    private ulong _timeEntry;
    private bool _entryIsFull;

    /// <summary>Of the entry for which there was no room last; zero when there was.</summary>
    private long _awaitedBytes;

    /// <summary>Bytes of what is pending, as the host knows them.</summary>
    private long _pendingBytes;

    /// <summary>Changes at the beginning of the entry that let go of rows.</summary>
    private int _evicted;

    public PartitionWrites(PartitionParts parts, ColdRows cold, IEntrySeal seal, ulong seed)
    {
        _parts = parts;
        _seal = seal;
        _seed = seed;
        _pending = new(parts.Machine.Rows);
        _parts.Entry = _entry = new(_pending);
        _sessions = new(parts.Settings);
        _queue = new(parts, cold);
        SettingsChanged();
        Invariant.Check(ChangesBeforeMax > 0, "an entry numbers the changes of at least one request");
    }

    /// <summary>No deadline of a request is earlier; it may be later than this.</summary>
    public Instant EarliestDeadline { get; private set; } = Instant.Never;

    /// <summary>Requests wait that a turn would evaluate, or refuse.</summary>
    public bool HasWork => _queue.HasReady && (!_parts.IsLeader || MayPropose);

    /// <summary>An entry that only carries the time is on its way.</summary>
    public bool TimeIsUnderWay => _timeEntry != 0;

    /// <summary>Changes that are proposed and not applied.</summary>
    public int PendingChanges => _pending.Count;

    /// <summary>
    /// Requests wait, rather than be refused, while as much as may be is on its way to the disks.
    /// </summary>
    private bool MayPropose => _parts.MayLog
        && !_parts.Replica.Group!.ProposalsWait(_awaitedBytes)
        && (_parts.Host.MayPropose() || !Guards.PendingOfAllIsBounded);

    /// <summary>An entry with this many changes takes in no further request.</summary>
    private int ChangesBeforeMax =>
        RowVersion.OrdinalsMax - _parts.Settings.Limits.ChangesMax - _sessions.ChangesMax;

    /// <summary>The cache's bounds or policy are others. What it knew of uses is forgotten.</summary>
    public void SettingsChanged() =>
        _eviction = _parts.Settings.Cache is { } cache ? new(_parts, cache, _pending, _seed) : null;

    public void Add(OpenRequest open)
    {
        EarliestDeadline = Instant.Min(EarliestDeadline, open.Request.Deadline);
        _queue.Add(open);
    }

    public void Fetched(OpenRequest open) => _queue.Fetched(open);

    public void Applied(LogIndex index)
    {
        _pending.Applied(index);
        CountPending();
        _eviction?.Applied(index);
    }

    /// <summary>A read was served: its keys stay longer in a cache.</summary>
    public void Used(OpenRequest open) => _eviction?.Used(open.Keys);

    /// <summary>Evaluates and proposes all that is ready.</summary>
    public void Turn()
    {
        if (!_parts.IsLeader)
        {
            Leave();
            _queue.RefuseAll(DropReason.NotLeader);
            return;
        }

        EnterTerm();
        while (MayPropose && _queue.HasReady && !_parts.TurnIsSpent)
        {
            ProposeNext();
        }
    }

    /// <summary>Proposes an entry that carries the time and nothing else. False when none can be taken now.</summary>
    public bool ProposeTime()
    {
        if (!_parts.MayLog)
        {
            return false;
        }

        // A read may ask for the time before the first turn of this term: what it proposes is of this term, too.
        EnterTerm();
        if (_timeEntry == 0)
        {
            _entry.Begin(_parts.Replica.Group!.LastIndex.Next);
            _evicted = 0;
            Proposal proposal = new(_parts.NextRequest(), []);
            _timeEntry = proposal.Id.Value;
            Instant deadline = _parts.Host.Now + _parts.Settings.TimeEntryDeadline;
            Propose(proposal, WriteLevel.Majority, deadline, NextTime());
        }

        return _timeEntry != 0;
    }

    /// <summary>What an earlier leadership left is forgotten before this one's first proposal.</summary>
    private void EnterTerm()
    {
        if (_parts.Replica.Group!.Term != _term)
        {
            Leave();
            _term = _parts.Replica.Group.Term;
        }
    }

    /// <summary>A leadership is over: what it had pending is decided by the log.</summary>
    private void Leave()
    {
        _pending.Clear();
        CountPending();
        _eviction?.Clear();
        _term = default;
        _awaitedBytes = 0;
        _lastTime = default;
        _timeEntry = 0;
    }

    private HybridTime NextTime() =>
        HybridTime.Max(_lastTime, _parts.Machine.Rows.Time).After(_parts.TimeMilliseconds);

    /// <summary>Evaluates requests of one level until an entry is full, and proposes it.</summary>
    private void ProposeNext()
    {
        HybridTime time = NextTime();
        _entry.Begin(_parts.Replica.Group!.LastIndex.Next);
        _taken.Clear();
        _eviction?.AddTo(_entry, time);
        _evicted = _entry.Count;
        PartitionSettings settings = _parts.Settings;
        Instant deadline = Instant.Zero;
        WriteLevel? level = null;
        _entryIsFull = false;
        while (!_entryIsFull
            && !_parts.TurnIsSpent
            && _taken.Count < settings.ProposalRequestsMax
            && _entry.Count <= ChangesBeforeMax
            && _queue.TryPeek(out OpenRequest? open)
            && (level is null || open.Request.WriteLevel == level))
        {
            _queue.Take();
            if (Evaluate(open, time) is { } taken)
            {
                _taken.Add(taken);
                level = open.Request.WriteLevel;
                deadline = Instant.Max(deadline, open.Request.Deadline);
            }
        }

        if (level is not null && _parts.Replica.Group.ProposalsWait(_entry.Bytes))
        {
            WaitForRoom();
        }
        else if (level is { } agreed)
        {
            _awaitedBytes = 0;
            Propose(new Proposal(_parts.NextRequest(), [.. _taken]), agreed, deadline, time);
        }
        else
        {
            Cut();
        }

        CountPending();
    }

    private void CountPending()
    {
        long bytes = _pending.Bytes;
        if (bytes != _pendingBytes)
        {
            long more = bytes - _pendingBytes;
            _pendingBytes = bytes;
            _parts.Host.PendingBytesChanged(more);
        }
    }

    private void Propose(Proposal proposal, WriteLevel level, Instant deadline, HybridTime time)
    {
        var sealedFor = new ReadToken(_parts.Replica.Group!.Term, _entry.NextVersion.Index);
        _proposals.Add(proposal.Id.Value, proposal);
        ReadOnlyMemory<byte> payload = _seal.Seal(sealedFor, _entry.Encode(time));
        ReadToken place = _parts.Replica.Write(proposal.Id, payload, level, deadline);
        if (place.Index == LogIndex.Zero)
        {
            // The refusal has answered its requests.
            Cut();
            return;
        }

        Invariant.Check(place == sealedFor, $"what is evaluated for {sealedFor} is logged there, not at {place}");
        _lastTime = time;
        _eviction?.Proposed(place.Index);
        if (_evicted > 0)
        {
            _parts.Host.Evicts(place, _evicted);
        }

        foreach (ProposedRequest request in proposal.Requests)
        {
            _parts.Host.Proposed(request.Open.Request.Id, place, request.IsExecuted, request.Reply);
        }
    }

    /// <summary>Null when the request is answered already, set aside, or put back.</summary>
    private ProposedRequest? Evaluate(OpenRequest open, HybridTime time)
    {
        PartitionRequest request = open.Request;
        var verdict = SessionVerdict.Execute;
        if (request.Session is { } session)
        {
            IRowSource rows = Guards.PendingDuplicatesAreRecognised ? _pending : _parts.Machine.Rows;
            verdict = _sessions.Look(rows, session, SlotOf(open));
        }

        if (verdict == SessionVerdict.Execute && _eviction is { IsFull: true } && CommandTable.MayGrow(request.Lines))
        {
            _queue.Release(open);
            return new ProposedRequest(open, ValueVersion.None, CacheEviction.FullReply(), true);
        }

        if (verdict == SessionVerdict.Execute)
        {
            ulong seed = _seed ^ open.Order;
            EvaluationOutcome outcome = _parts.Evaluation.Run(
                _pending, request.Lines, request.IsBatch, time, _entry.NextVersion, seed);
            _parts.Spend(_parts.Evaluation);
            verdict = outcome == EvaluationOutcome.Cold ? SessionVerdict.Cold : verdict;
        }

        switch (verdict)
        {
            case SessionVerdict.Cold:
                _queue.SetAside(open);
                return null;
            case SessionVerdict.Refuse:
                _queue.Release(open);
                _parts.Refuse(open, _sessions.Refusal);
                return null;
            case SessionVerdict.Answer:
                _queue.Release(open);
                return new ProposedRequest(open, _sessions.Remembered.Version, _sessions.Remembered.Reply, false);
            default:
                return TakeIn(open, time);
        }
    }

    /// <summary>What a request has done goes into the entry, unless it does not fit.</summary>
    private ProposedRequest? TakeIn(OpenRequest open, HybridTime time)
    {
        CommandEvaluation evaluation = _parts.Evaluation;
        if (_entry.Count > _evicted && _entry.Bytes + evaluation.Changes.Length > _parts.Settings.ProposalBytesMax)
        {
            // Its changes do not fit behind the others; in the next entry it sees another index and time.
            _entryIsFull = true;
            _queue.PutBack(open);
            return null;
        }

        _queue.Release(open);
        _eviction?.Used(open.Keys);
        bool isRemembered = open.Request.Session is not null
            && !(evaluation.LackedRoom && Guards.RefusedForMemoryIsForgotten);
        ValueVersion version = evaluation.ChangeCount == 0
            ? ValueVersion.None
            : new(_parts.Replica.Group!.Term, evaluation.LastVersion);
        ReadOnlyMemory<byte> reply = evaluation.Reply.Take();
        _entry.TakeOver(evaluation);
        if (isRemembered)
        {
            _sessions.Remember(_entry, time, version, reply.Span);
        }

        return new ProposedRequest(open, version, reply, true);
    }

    /// <summary>
    /// The entry is too large for what is on its way already: its requests are evaluated again later.
    /// </summary>
    private void WaitForRoom()
    {
        _awaitedBytes = _entry.Bytes;
        Cut();
        for (int i = _taken.Count - 1; i >= 0; i--)
        {
            _queue.PutBack(_taken[i].Open);
        }
    }

    private void Cut()
    {
        _entry.Cut();
        _eviction?.Cut();
    }

    private Slot SlotOf(OpenRequest open) =>
        open.TryGetFirstKey(out ReadOnlyMemory<byte> key) ? KeyHash.SlotOf(key.Span) : _parts.Settings.FirstSlot;
}
