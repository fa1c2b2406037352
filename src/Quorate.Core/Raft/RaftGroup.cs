using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// One replica's part in one Raft group, as a pure state machine with a single writer: inputs in, outputs out, no
/// clock, no I/O, no thread (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", extended
/// version; Ongaro's thesis for what goes beyond it). docs/ARCHITECTURE.md maps the paper's rules to members.
/// <para>Invariants: the parts in this folder each state their own; together they hold the five properties of the
/// paper's figure 3, which simulator and scripts check from outside.</para>
/// </summary>
public sealed class RaftGroup
{
    private readonly GroupState _state;
    private readonly Elections _elections;
    private readonly Follower _follower;
    private readonly SnapshotReceiver _snapshots;
    private readonly Applier _applier;
    private readonly Proposals _proposals;
    private readonly Reads _reads;
    private readonly LeaderHandover _handover;
    private Leader? _leader;

    /// <summary>
    /// Starts as a follower, whatever it was before.
    /// </summary>
    /// <param name="seed">For timeouts and read ids; must differ between replicas and between starts.</param>
    public RaftGroup(ReplicaId id, RaftSettings settings, RecoveredState recovered, ulong seed, Instant now)
    {
        _state = new(id, settings, recovered, seed, now);
        _elections = new(_state);
        _follower = new(_state);
        _snapshots = new(_state);
        _applier = new(_state);
        _proposals = new(_state);
        _reads = new(_state);
        _handover = new(_state);
    }

    public ReplicaId Id => _state.Id;

    public RaftSettings Settings => _state.Settings;

    public Role Role => _state.Role;

    public Term Term => _state.Term;

    /// <summary>Who this replica has voted for in this term, or none.</summary>
    public ReplicaId Vote => _state.Vote;

    /// <summary>The leader of this term as far as is known here, or none.</summary>
    public ReplicaId Leader => _state.Leader;

    public LogIndex CommitIndex => _state.Log.Commit;

    /// <summary>The last index that the state machine was reported to have applied.</summary>
    public LogIndex AppliedIndex => _state.Log.Applied;

    /// <summary>Entries up to here are durable in this replica's log.</summary>
    public LogIndex DurableIndex => _state.Durability.Index;

    public LogIndex LastIndex => _state.Log.Last;

    /// <summary>The index before the first entry that the log still holds.</summary>
    public LogIndex BaseIndex => _state.Log.Base;

    /// <summary>The membership that counts now: the last one appended.</summary>
    public Membership Membership => _state.Membership;

    /// <summary>Until when this replica may serve linearizable reads by itself, on its own clock; zero unless it leads under a lease.</summary>
    public Instant LeaseUntil => _leader?.LeaseUntil ?? Instant.Zero;

    public bool IsAsleep => _state.IsAsleep;

    /// <summary>Entries held in memory, in bytes.</summary>
    public long BytesInMemory => _state.Log.BytesInMemory;

    /// <summary>Requests that wait for an answer: proposals and reads.</summary>
    public int RequestsWaiting => _proposals.Count + _reads.Count + (_leader?.Reads.Count ?? 0);

    /// <summary>Writes handed to the log and not yet reported durable.</summary>
    public int PersistsInFlight => _state.Durability.InFlightCount;

    /// <summary>What a read served from the applied state now has seen.</summary>
    public ReadToken AppliedToken => _state.TokenAt(_state.Log.Applied);

    /// <summary>The term of an entry that the log has or had; null when that is not known any more.</summary>
    public Term? TermAt(LogIndex index) => _state.Log.TermAt(index);

    /// <summary>What a checkpoint of the state as applied now stands for.</summary>
    public SnapshotMeta CheckpointMeta() => _state.Log.CheckpointMeta();

    /// <summary>How far a peer's log is known to match, for the leader's metrics; zero elsewhere.</summary>
    public LogIndex MatchOf(ReplicaId peer) => _leader?.Peers.Find(peer)?.Match ?? LogIndex.Zero;

    /// <summary>Takes one input and says what is to be done. <paramref name="output"/> is added to, not cleared.</summary>
    public void Step(in RaftInput input, RaftOutput output)
    {
        _state.Begin(output, input.Now);
        Take(input);
        Settle();
        _state.Durability.Flush(new(_state.Term, _state.Vote, _state.Log.Commit), _state.Log.Last, output);
        output.NextDeadline = NextDeadline();
    }

    private void Take(in RaftInput input)
    {
        switch (input.Kind)
        {
            case RaftInputKind.Tick:
                Tick();
                break;
            case RaftInputKind.Message:
                Receive(input.Message);
                break;
            case RaftInputKind.Propose or RaftInputKind.ProposeMembership or RaftInputKind.Transfer:
                Request(input);
                break;
            case RaftInputKind.Read:
                WakeUp();
                _reads.Add(input, _leader);
                break;
            case RaftInputKind.Persisted:
                _state.Durability.Completed(input.Sequence);
                break;
            case RaftInputKind.Applied:
                _applier.OnApplied(input.Index);
                OnApplied();
                break;
            case RaftInputKind.Checkpointed:
                LogRetention.Release(_state, input.Snapshot!, _leader);
                break;
            case RaftInputKind.EntriesFetched when input.Peer == _state.Id:
                _applier.OnFetched(input.Index, input.Entries!);
                break;
            case RaftInputKind.SnapshotPersisted:
                if (_snapshots.OnPersisted(input.Snapshot!))
                {
                    _applier.Reset();
                    OnApplied();
                }

                break;
            case RaftInputKind.SnapshotFailed:
                _snapshots.OnFailed(input.Snapshot!);
                break;
            case RaftInputKind.Wake:
                Wake();
                break;
            default:
                TakeOfPeer(input);
                break;
        }
    }

    private void TakeOfPeer(in RaftInput input)
    {
        if (_leader?.Peers.Find(input.Peer) is not Peer peer)
        {
            return;
        }

        switch (input.Kind)
        {
            case RaftInputKind.EntriesFetched:
                _leader.Replication.OnEntriesFetched(peer, input.Index, input.Entries!);
                break;
            case RaftInputKind.SnapshotFetched:
                _leader.Snapshots.OnFetched(peer, input);
                break;
            case RaftInputKind.Unreachable:
                _leader.Replication.OnUnreachable(peer);
                break;
            default:
                break;
        }
    }

    private void Request(in RaftInput input)
    {
        if (_leader is null)
        {
            _state.Drop(input.Request, DropReason.NotLeader);
            return;
        }

        WakeUp();
        switch (input.Kind)
        {
            case RaftInputKind.Propose:
                _leader.Propose(input);
                break;
            case RaftInputKind.ProposeMembership:
                _leader.Membership.Propose(input.Request, input.Membership!, input.Deadline);
                break;
            default:
                _handover.Begin(_leader, input.Request, input.Peer);
                break;
        }
    }

    private void Tick()
    {
        int ticks = _state.IsAsleep ? 0 : _state.Timers.Credit();
        if (ticks > 0)
        {
            if (_leader is not null)
            {
                if (!_leader.Tick(ticks))
                {
                    StepDown(_state.Term, ReplicaId.None);
                }
            }
            else if (_elections.MayCampaign && !_snapshots.IsInstalling)
            {
                _elections.Campaign(forced: false);
            }
            else if (_state.Timers.ElectionIsDue && !_state.IsVoter)
            {
                _state.Timers.ResetElection();
            }

            _reads.Tick(ticks);
        }

        _proposals.Expire();
        _reads.Expire(_leader);
        _leader?.Membership.Expire();
    }

    /// <summary>Takes a message, after the rules that hold for all of them (Raft, figure 2, rules for all servers).</summary>
    private void Receive(in RaftMessage message)
    {
        bool isForMe = Guards.MessagesNameTheIncarnation ? message.To == _state.Id : message.To.Node == _state.Id.Node;
        if (!isForMe)
        {
            return;
        }

        if (_state.IsAsleep && message.Kind != MessageKind.Sleep)
        {
            // A sleeper's leader lives as far as its node knows, so a candidate's message is no reason to elect it.
            WakeUp();
            _state.HeardFromLeader = _state.Now;
        }

        if (message.Kind == MessageKind.VoteRequest && message.Term >= _state.Term && _elections.RefusesFor(message))
        {
            _elections.AnswerVote(message, granted: false);
            return;
        }

        if (message.Term < _state.Term)
        {
            AnswerOlderTerm(message);
            return;
        }

        bool isPreVote = message.Kind == MessageKind.PreVoteRequest
            || (message.Kind == MessageKind.PreVoteResponse && !message.Reject);
        if (message.Term > _state.Term && !isPreVote)
        {
            StepDown(message.Term, IsOfLeader(message.Kind) ? message.From : ReplicaId.None);
        }

        if (IsOfLeader(message.Kind))
        {
            _follower.HearLeader(message.From);
            ReceiveFromLeader(message);
        }
        else
        {
            ReceiveFromPeer(message);
        }
    }

    private void ReceiveFromLeader(in RaftMessage message)
    {
        switch (message.Kind)
        {
            case MessageKind.AppendRequest:
                _follower.OnAppend(message);
                break;
            case MessageKind.Heartbeat:
                _follower.OnHeartbeat(message);
                break;
            case MessageKind.Commit:
                _follower.OnCommitNotice(message);
                break;
            case MessageKind.Sleep:
                _follower.OnSleep(message);
                break;
            default:
                _snapshots.OnChunk(message);
                break;
        }
    }

    private void ReceiveFromPeer(in RaftMessage message)
    {
        switch (message.Kind)
        {
            case MessageKind.PreVoteRequest:
                _elections.OnPreVoteRequest(message);
                break;
            case MessageKind.PreVoteResponse:
                _elections.OnPreVoteResponse(message);
                break;
            case MessageKind.VoteRequest:
                _elections.OnVoteRequest(message);
                break;
            case MessageKind.VoteResponse:
                if (_elections.OnVoteResponse(message))
                {
                    BecomeLeader();
                }

                break;
            case MessageKind.ReadRequest:
                _leader?.Reads.AddForwarded(message);
                break;
            case MessageKind.ReadResponse:
                _reads.OnReadResponse(message);
                break;
            case MessageKind.TimeoutNow:
                if (_leader is null && _state.Membership.IsIncomingVoter(_state.Id) && !_snapshots.IsInstalling)
                {
                    _elections.Campaign(forced: true);
                }

                break;
            default:
                ReceiveAnswer(message);
                break;
        }
    }

    private void ReceiveAnswer(in RaftMessage message)
    {
        if (_leader is null || _leader.Peers.Find(message.From) is not Peer peer)
        {
            return;
        }

        _leader.HearPeer(message);
        switch (message.Kind)
        {
            case MessageKind.AppendResponse:
                _leader.Replication.OnAppendResponse(peer, message);
                break;
            case MessageKind.HeartbeatResponse:
                _leader.Replication.OnHeartbeatResponse(peer);
                break;
            default:
                _leader.Snapshots.OnResponse(peer, message);
                break;
        }

        _handover.OnProgress(peer);
    }

    /// <summary>Tells a leader or candidate of an older term that there is a newer one (pitfall R22); other old messages say nothing.</summary>
    private void AnswerOlderTerm(in RaftMessage message)
    {
        if (!Guards.OlderTermIsAnswered)
        {
            return;
        }

        switch (message.Kind)
        {
            case MessageKind.PreVoteRequest:
                _elections.OnPreVoteRequest(message);
                break;
            case MessageKind.VoteRequest:
                _elections.AnswerVote(message, granted: false);
                break;
            case MessageKind kind when IsOfLeader(kind):
                _state.SendWhenTermDurable(new()
                {
                    Kind = MessageKind.HeartbeatResponse, From = _state.Id, To = message.From, Term = _state.Term, Reject = true,
                });
                break;
            default:
                break;
        }
    }

    private static bool IsOfLeader(MessageKind kind) => kind is MessageKind.AppendRequest
        or MessageKind.Heartbeat or MessageKind.Commit or MessageKind.Sleep or MessageKind.SnapshotChunk;

    private void BecomeLeader()
    {
        _state.Enter(Role.Leader, _state.Term, _state.Id);
        _leader = new(_state, _proposals, _reads, _handover);
        _leader.Begin();
        _reads.HandTo(_leader);
    }

    /// <summary>Becomes a follower, of a newer term or of the same (Raft, section 5.1).</summary>
    private void StepDown(Term term, ReplicaId leader)
    {
        if (_leader is Leader former)
        {
            _leader = null;
            former.Reads.End();
            former.Membership.End();
            _handover.End();
            _proposals.Orphan();
            _state.Timers.ResetElection();
        }

        _state.Enter(Role.Follower, term, leader);
    }

    /// <summary>Draws every consequence of what the input changed.</summary>
    private void Settle()
    {
        if (_elections.OwnVoteWins())
        {
            BecomeLeader();
        }

        if (_leader is not null)
        {
            Lead(_leader);
        }

        _applier.Emit();
        _reads.AskLeader();
    }

    private void Lead(Leader leader)
    {
        _proposals.OnDurable(_state.Durability.Index);
        bool isDone = false;
        while (leader.TryCommit())
        {
            isDone = leader.Membership.OnCommitted();
        }

        leader.Reads.Advance();
        _proposals.OnCopies(leader);
        if (_state.Membership.Learners.Length > 0)
        {
            leader.Membership.PromoteAny();
        }

        if (!_state.IsAsleep)
        {
            leader.Replication.AnnounceCommit();
        }

        if (isDone)
        {
            // The membership without this replica is committed (Raft, section 6): its work is done.
            _handover.Bequeath(leader);
            StepDown(_state.Term, ReplicaId.None);
        }
    }

    private void OnApplied()
    {
        _proposals.OnApplied();
        _reads.OnApplied();
    }

    /// <summary>Something is asked of a sleeping group: its timers run again.</summary>
    private void WakeUp()
    {
        _leader?.Stir();
        if (!_state.IsAsleep)
        {
            return;
        }

        _state.IsAsleep = false;
        _state.Timers.Restart();
        _leader?.Awake();
    }

    /// <summary>A node of the group fell silent or came back: a sleeping leader shows itself, a sleeping follower looks for one.</summary>
    private void Wake()
    {
        if (!_state.IsAsleep || !Guards.SilenceWakesSleepers)
        {
            return;
        }

        WakeUp();
        _state.Timers.HastenElection();
    }

    private Instant NextDeadline()
    {
        Instant deadline = Instant.Min(_proposals.EarliestDeadline, _reads.EarliestDeadline);
        if (_leader is not null)
        {
            deadline = Instant.Min(deadline, _leader.Membership.Deadline);
        }

        if (_state.IsAsleep)
        {
            return deadline;
        }

        Timers timers = _state.Timers;
        int ticks = _leader is not null ? _leader.TicksUntilDue()
            : _state.IsSoleVoter ? 1
            : Math.Max(1, timers.ElectionTimeout - timers.ElectionElapsed);
        ticks = _reads.NeedsLeader ? Math.Min(ticks, _state.Settings.ReadRetryTicks) : ticks;
        return Instant.Min(deadline, timers.Deadline(ticks));
    }
}
