using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>A client's read that waits.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PendingRead(RequestId Request, Instant Deadline);

/// <summary>
/// The reads of this replica's own clients, whatever its role. A linearizable one is confirmed by the leader (here
/// or elsewhere) and then waits until this replica has applied what it must see; a session read waits for what its
/// token names; an eventual one waits for nothing.
/// <para>Invariants: each read is answered once; one question to the leader is out at a time, and its answer
/// counts only for the reads that came before it was asked.</para>
/// </summary>
internal sealed class Reads(GroupState state)
{
    private readonly List<PendingRead> _unasked = [];
    private readonly List<PendingRead> _asked = [];
    private readonly List<(PendingRead Read, LogIndex Index, Term Term)> _confirmed = [];
    private readonly List<(PendingRead Read, ReadToken Token)> _sessions = [];
    private ulong _lastQuestion;
    private Instant _askedAt;

    public int Count => _unasked.Count + _asked.Count + _confirmed.Count + _sessions.Count;

    /// <summary>No deadline of a waiting read is earlier; it may be later than this.</summary>
    public Instant EarliestDeadline { get; private set; } = Instant.Never;

    /// <summary>When the question that is out is asked again.</summary>
    public Instant RetryAt => _asked.Count == 0
        ? Instant.Never
        : _askedAt + (state.Settings.TickInterval * state.Settings.ReadRetryTicks);

    /// <summary>An answer of the leader is awaited, or there is something to ask it.</summary>
    public bool NeedsLeader => _asked.Count + _unasked.Count > 0;

    public void Add(in RaftInput input, Leader? leader)
    {
        int waiting = Count + (leader?.Reads.Count ?? 0);
        if (waiting >= state.Settings.PendingReadsMax)
        {
            state.Drop(input.Request, DropReason.Overloaded);
            return;
        }

        var read = new PendingRead(input.Request, input.Deadline);
        EarliestDeadline = Instant.Min(EarliestDeadline, read.Deadline);
        switch (input.ReadLevel)
        {
            case ReadLevel.Eventual:
                Ready(read);
                break;
            case ReadLevel.Session:
                if (!TryFinish(read, input.Token))
                {
                    _sessions.Add((read, input.Token));
                }

                break;
            default:
                if (leader is not null)
                {
                    leader.Reads.Add(read);
                }
                else
                {
                    _unasked.Add(read);
                    AskLeader();
                }

                break;
        }
    }

    /// <summary>A read that lost its leader waits for the next.</summary>
    public void AwaitLeader(in PendingRead read) => _unasked.Add(read);

    /// <summary>A confirmed read waits until <paramref name="index"/> is applied here.</summary>
    public void AwaitApplied(in PendingRead read, LogIndex index)
    {
        if (index <= state.Log.Applied)
        {
            Ready(read);
        }
        else
        {
            _confirmed.Add((read, index, state.Term));
        }
    }

    /// <summary>This replica has become the leader: what it would have asked another it now confirms itself.</summary>
    public void HandTo(Leader leader)
    {
        PendingRead[] reads = [.. _asked, .. _unasked];
        _asked.Clear();
        _unasked.Clear();
        foreach (PendingRead read in reads)
        {
            leader.Reads.Add(read);
        }
    }

    public void OnApplied()
    {
        if (_confirmed.Count > 0)
        {
            _confirmed.RemoveAll(waiting =>
            {
                if (waiting.Index <= state.Log.Applied)
                {
                    Ready(waiting.Read);
                    return true;
                }

                // It was to see writes of level `leader` that have been lost since: a later leader must be asked.
                bool isOvertaken = state.Log.TermAt(state.Log.Applied) > waiting.Term;
                if (isOvertaken)
                {
                    _unasked.Add(waiting.Read);
                }

                return isOvertaken;
            });
        }

        if (_sessions.Count > 0)
        {
            _sessions.RemoveAll(waiting => TryFinish(waiting.Read, waiting.Token));
        }
    }

    /// <summary>The leader has said how far to apply.</summary>
    public void OnReadResponse(in RaftMessage message)
    {
        if (_asked.Count == 0 || message.Round != _lastQuestion)
        {
            return;
        }

        foreach (PendingRead read in _asked)
        {
            AwaitApplied(read, message.Index);
        }

        _asked.Clear();
        AskLeader();
    }

    /// <summary>Asks the leader, when there is one and something to ask.</summary>
    public void AskLeader()
    {
        if (_asked.Count > 0 || _unasked.Count == 0 || state.Leader.IsNone || state.Leader == state.Id)
        {
            return;
        }

        _asked.AddRange(_unasked);
        _unasked.Clear();
        Ask();
    }

    /// <summary>Time has passed, or the leader has changed: a question that got lost is asked again.</summary>
    public void Retry()
    {
        if (RetryAt <= state.Now)
        {
            _unasked.InsertRange(0, _asked);
            _asked.Clear();
        }

        AskLeader();
    }

    /// <summary>Drops the reads whose deadline has passed.</summary>
    public void Expire(Leader? leader)
    {
        Instant now = state.Now;
        if (EarliestDeadline > now)
        {
            return;
        }

        EarliestDeadline = Instant.Never;
        leader?.Reads.Expire(now);
        DropExpired(_unasked, read => read, now);
        DropExpired(_asked, read => read, now);
        DropExpired(_confirmed, waiting => waiting.Read, now);
        DropExpired(_sessions, waiting => waiting.Read, now);
    }

    /// <summary>Drops what is expired in a list and takes note of the earliest deadline left.</summary>
    public void DropExpired<T>(List<T> waiting, Func<T, PendingRead> readOf, Instant now) => waiting.RemoveAll(item =>
    {
        PendingRead read = readOf(item);
        if (read.Request.IsNone)
        {
            return false;
        }

        if (read.Deadline > now)
        {
            EarliestDeadline = Instant.Min(EarliestDeadline, read.Deadline);
            return false;
        }

        state.Drop(read.Request, DropReason.ReadDeadlinePassed);
        return true;
    });

    private void Ask()
    {
        _askedAt = state.Now;
        _lastQuestion = Guards.ReadIdsCarryBootNonce
            ? state.BootNonce | ((_lastQuestion + 1) & uint.MaxValue)
            : _lastQuestion + 1;
        state.Send(new()
        {
            Kind = MessageKind.ReadRequest,
            From = state.Id,
            To = state.Leader,
            Term = state.Term,
            Round = _lastQuestion,
        });
    }

    /// <summary>
    /// Answers a session read that can be answered: what its token names is applied, or can never be.
    /// </summary>
    private bool TryFinish(in PendingRead read, ReadToken token)
    {
        RaftLog log = state.Log;
        if (token.Index == LogIndex.Zero)
        {
            Ready(read);
            return true;
        }

        if (token.Index <= log.Applied)
        {
            Term? term = log.TermAt(token.Index);
            if (term == token.Term || !Guards.SessionTokensCarryTerm)
            {
                Ready(read);
            }
            else
            {
                state.Drop(read.Request, term is null ? DropReason.SessionTooOld : DropReason.SessionLost);
            }

            return true;
        }

        // Terms rise along the log: once a later term is applied before that index, the entry can never be.
        if (log.TermAt(log.Applied) > token.Term && Guards.SessionTokensCarryTerm)
        {
            state.Drop(read.Request, DropReason.SessionLost);
            return true;
        }

        return false;
    }

    private void Ready(in PendingRead read) =>
        state.Output.ReadsReady.Add(new(read.Request, state.TokenAt(state.Log.Applied)));
}
