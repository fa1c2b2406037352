using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Campaigns and votes (Raft, section 5.2 and 5.4.1; pre-vote: Raft thesis, section 9.6; refusing votes while a
/// leader lives: Raft, section 6).
/// <para>Invariants: a vote leaves this replica only after it is durable, its own vote for itself included; a
/// replica elects nobody while a promise to a leader holds, unless that leader itself asked for it.</para>
/// </summary>
internal sealed class Elections(GroupState state)
{
    private readonly VoteTally _tally = new();
    private bool _ownVoteIsPending;
    private ulong _preVoteRound;

    /// <summary>True when the election timer has run out and this replica may act on it.</summary>
    public bool MayCampaign
    {
        get
        {
            // Who alone decides need not wait for a timeout, but keeps a promise like anyone: the leader that just
            // removed itself may still hold the lease which that promise backs.
            bool isDue = state.Timers.ElectionIsDue || (state.IsSoleVoter && state.Role == Role.Follower);
            bool isFree = !state.PromiseHolds || (state.IsSoleVoter && !Guards.SoleVoterKeepsPromise);

            // Before term and vote of the last election are on disk it cannot be won, and nor can the next one: a disk
            // that is slower than elections would only be given more and more to write.
            bool isWritten = state.Durability.HardStateIsDurable || !Guards.CampaignsWaitForTheDisk;
            return isDue && isFree && isWritten && state.MayLead && !state.LogIsFarBehind;
        }
    }

    /// <summary>The last campaign was the former leader's wish.</summary>
    public bool WasForced { get; private set; }

    /// <summary>Begins a campaign; a forced one is the leader's own wish and asks nobody beforehand.</summary>
    public void Campaign(bool forced)
    {
        WasForced = forced;
        state.Timers.ResetElection();
        if (forced || state.IsSoleVoter || !Guards.PreVoteBeforeVote)
        {
            AskForVotes(forced);
            return;
        }

        state.Enter(Role.PreCandidate, state.Term, ReplicaId.None);
        _tally.Clear();
        _tally.Record(state.Id, granted: true);
        _preVoteRound++;
        SendToVoters(MessageKind.PreVoteRequest, state.Term.Next, forced: false);
    }

    /// <summary>Counts this replica's own vote once it is durable. True when that wins the election.</summary>
    public bool OwnVoteWins()
    {
        if (!_ownVoteIsPending || state.Role != Role.Candidate)
        {
            return false;
        }

        if (Guards.VoteLeavesAfterSync && !state.Durability.HardStateIsDurable)
        {
            return false;
        }

        // The others are asked only now.
        _ownVoteIsPending = false;
        state.Timers.Restart();
        _tally.Record(state.Id, granted: true);
        return Decide();
    }

    public void OnPreVoteRequest(in RaftMessage message)
    {
        bool granted = message.Term > state.Term && !RefusesFor(message) && LogSuffices(message);
        if (granted && !Guards.OnlyLeaderOrVoteDefersElection)
        {
            state.Timers.ResetElection();
        }

        // Nothing is promised, so nothing has to be durable first; but a newer term than the asker's is told.
        state.SendWhenTermDurable(new()
        {
            Kind = MessageKind.PreVoteResponse,
            From = state.Id,
            To = message.From,
            Term = granted ? message.Term : state.Term,
            Reject = !granted,
            Round = message.Round,
        });
    }

    /// <summary>Counts an answer; when they win the right to a real election, begins it.</summary>
    public void OnPreVoteResponse(in RaftMessage message)
    {
        bool answersUs = message.Reject ? message.Term <= state.Term : message.Term == state.Term.Next;
        if (state.Role != Role.PreCandidate || !answersUs || message.Round != _preVoteRound)
        {
            return;
        }

        _tally.Record(message.From, !message.Reject);
        switch (_tally.Result(state.Membership))
        {
            case ElectionResult.Won:
                AskForVotes(forced: false);
                break;
            case ElectionResult.Lost:
                state.Enter(Role.Follower, state.Term, ReplicaId.None);
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// True when a request is to be refused whatever its term: a leader lives, as far as is known here.
    /// </summary>
    public bool RefusesFor(in RaftMessage message) =>
        !message.Force && state.PromiseHolds && Guards.LiveLeaderRefusesVotes;

    /// <summary>Answers a request of this replica's own term; a newer term has been entered by now.</summary>
    public void OnVoteRequest(in RaftMessage message)
    {
        bool free = state.Vote.IsNone || state.Vote == message.From || !Guards.OneVotePerTerm;
        bool granted = message.Term == state.Term
            && state.Role != Role.Leader
            && free
            && LogSuffices(message)
            && (Guards.AskedReplicaVotes || state.IsVoter);
        if (granted)
        {
            state.Enter(Role.Follower, state.Term, ReplicaId.None);
            state.CastVote(message.From);
            state.Timers.ResetElection();
        }

        AnswerVote(message, granted);
    }

    public void AnswerVote(in RaftMessage message, bool granted)
    {
        var answer = new RaftMessage
        {
            Kind = MessageKind.VoteResponse, From = state.Id, To = message.From, Term = state.Term, Reject = !granted,
        };
        if (!Guards.VoteLeavesAfterSync)
        {
            state.Send(answer);
        }
        else
        {
            state.SendWhenTermDurable(answer);
        }
    }

    /// <summary>Counts an answer of this term. True when it wins the election.</summary>
    public bool OnVoteResponse(in RaftMessage message)
    {
        if (state.Role != Role.Candidate)
        {
            return false;
        }

        _tally.Record(message.From, !message.Reject);
        return Decide();
    }

    /// <summary>
    /// A replica that may not campaign has heard nothing for an election timeout. Its leader may be asleep and not
    /// know that this replica is awake; any word from it wakes the leader.
    /// </summary>
    public void RemindLeader()
    {
        state.Timers.ResetElection();
        if (!state.Leader.IsNone)
        {
            state.SendWhenTermDurable(new()
            {
                Kind = MessageKind.HeartbeatResponse,
                From = state.Id,
                To = state.Leader,
                Term = state.Term,
                Index = state.Log.Last,
                SentAt = Peer.NeverAcked,
            });
        }
    }

    private bool Decide()
    {
        switch (_tally.Result(state.Membership))
        {
            case ElectionResult.Won when !_ownVoteIsPending:
                return true;
            case ElectionResult.Lost:
                state.Enter(Role.Follower, state.Term, ReplicaId.None);
                return false;
            default:
                return false;
        }
    }

    private void AskForVotes(bool forced)
    {
        state.Enter(Role.Candidate, state.Term.Next, ReplicaId.None);
        state.CastVote(state.Id);
        _tally.Clear();
        _ownVoteIsPending = true;
        SendToVoters(MessageKind.VoteRequest, state.Term, forced);
    }

    private bool LogSuffices(in RaftMessage message) =>
        !Guards.VoteOnlyForUpToDateLog || state.Log.IsUpToDate(message.Index, message.LogTerm);

    private void SendToVoters(MessageKind kind, Term term, bool forced)
    {
        foreach (ReplicaId peer in state.Membership.AllReplicas)
        {
            if (peer == state.Id || !state.Membership.IsVoter(peer))
            {
                continue;
            }

            var request = new RaftMessage
            {
                Kind = kind,
                From = state.Id,
                To = peer,
                Term = term,
                Index = state.Log.Last,
                LogTerm = state.Log.LastTerm,
                Round = _preVoteRound,
                Force = forced,
            };
            if (kind == MessageKind.VoteRequest && Guards.VoteLeavesAfterSync)
            {
                state.SendWhenTermDurable(request);
            }
            else
            {
                state.Send(request);
            }
        }
    }
}
