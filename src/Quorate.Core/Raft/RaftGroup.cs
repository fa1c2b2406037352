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
    private readonly SnapshotReceiver _snapshots;
    private readonly Applier _applier;
    private readonly Proposals _proposals;
    private readonly Reads _reads;
    private readonly Roles _roles;
    private readonly Inbox _inbox;

    /// <summary>
    /// Starts as a follower, whatever it was before.
    /// </summary>
    /// <param name="seed">For timeouts and read ids; must differ between replicas and between starts.</param>
    public RaftGroup(ReplicaId id, RaftSettings settings, RecoveredState recovered, ulong seed, Instant now)
    {
        _state = new(id, settings, recovered, seed, now);
        _elections = new(_state);
        _snapshots = new(_state);
        _applier = new(_state);
        _proposals = new(_state);
        _reads = new(_state);
        _roles = new(_state, _proposals, _reads);
        _inbox = new(_state, _roles, _elections, _snapshots, _reads);
    }

    public ReplicaId Id => _state.Id;

    public RaftSettings Settings => _state.Settings;

    public Role Role => _state.Role;

    /// <summary>The last campaign of this replica was the former leader's wish, not its silence.</summary>
    public bool CampaignWasAsked => _elections.WasForced;

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

    /// <summary>It belongs to the newest membership that it knows, and has applied all up to that.</summary>
    public bool HoldsItsMembership =>
        Membership.Contains(Id) && _state.Log.Applied >= _state.Log.Memberships.Last.Index;

    /// <summary>
    /// Until when this replica may serve linearizable reads by itself, on its own clock; zero unless it leads under a
    /// lease.
    /// </summary>
    public Instant LeaseUntil => Leading?.LeaseUntil ?? Instant.Zero;

    public bool IsAsleep => _state.IsAsleep;

    /// <summary>Entries held in memory, in bytes.</summary>
    public long BytesInMemory => _state.Log.BytesInMemory;

    /// <summary>
    /// Lets go of the entries that are in memory although applied here; a follower that needs them has them fetched.
    /// </summary>
    public void ReleaseCached() => _state.Log.ReleaseCached();

    /// <summary>Requests that wait for an answer: proposals and reads.</summary>
    public int RequestsWaiting => _proposals.Count + _reads.Count + (Leading?.Reads.Count ?? 0);

    /// <summary>Whether a proposal of so many bytes would be refused now because too much is on its way.</summary>
    public bool ProposalsWait(long bytes) => Leading?.ProposalsWait(bytes) ?? false;

    /// <summary>Writes handed to the log and not yet reported durable.</summary>
    public int PersistsInFlight => _state.Durability.InFlightCount;

    /// <summary>What a read served from the applied state now has seen.</summary>
    public ReadToken AppliedToken => _state.TokenAt(_state.Log.Applied);

    /// <summary>The term of an entry that the log has or had; null when that is not known any more.</summary>
    public Term? TermAt(LogIndex index) => _state.Log.TermAt(index);

    /// <summary>What a checkpoint of the state as applied now stands for.</summary>
    public SnapshotMeta CheckpointMeta() => _state.Log.CheckpointMeta();

    /// <summary>How far a peer's log is known to match, for the leader's metrics; zero elsewhere.</summary>
    public LogIndex MatchOf(ReplicaId peer) => Leading?.Peers.Find(peer)?.Match ?? LogIndex.Zero;

    private Leader? Leading => _roles.Leader;

    /// <summary>
    /// Takes one input and says what is to be done. <paramref name="output"/> is added to, not cleared.
    /// </summary>
    public void Step(in RaftInput input, RaftOutput output)
    {
        Take(input, output);
        Finish(output);
    }

    /// <summary>
    /// Takes one input of several that belong together. What follows from it at once is put out: answers, entries to
    /// apply, most messages. What is to be written, and entries to be sent, wait for <see cref="Finish"/>, so that all
    /// of them become one write and one append for each peer.
    /// </summary>
    public void Take(in RaftInput input, RaftOutput output)
    {
        _state.Begin(output, input.Now);
        if (BeginsWriteOfItsOwn(input))
        {
            Write();
        }

        Dispatch(input);
        Settle();
        output.ReadLease = Leading?.ReadLease ?? default;
    }

    /// <summary>Puts out what has waited. To be called after the last <see cref="Take"/>, soon.</summary>
    public void Finish(RaftOutput output)
    {
        _state.Begin(output, _state.Now);
        Write();
        output.NextDeadline = NextDeadline();
    }

    /// <summary>
    /// What another leader's word may cut, or a snapshot replace, is written before: within one write the log is cut
    /// first and added to after that.
    /// </summary>
    private bool BeginsWriteOfItsOwn(in RaftInput input) =>
        input.Kind == RaftInputKind.SnapshotPersisted
        || (input.Kind == RaftInputKind.Message && input.Message.Term > _state.Term);

    private void Write()
    {
        Leading?.Replication.SendWhatWaits();
        _state.Durability.Flush(new(_state.Term, _state.Vote, _state.Log.Commit), _state.Log.Last, _state.Output);
    }

    private void Dispatch(in RaftInput input)
    {
        switch (input.Kind)
        {
            case RaftInputKind.Tick:
                Tick();
                break;
            case RaftInputKind.Message:
                _inbox.Receive(input.Message);
                break;
            case RaftInputKind.Propose or RaftInputKind.ProposeMembership or RaftInputKind.Transfer:
                Request(input);
                break;
            case RaftInputKind.Read:
                if (input.ReadLevel == ReadLevel.Linearizable
                    || (input.ReadLevel == ReadLevel.Session && input.Token.Index > _state.Log.Applied))
                {
                    _roles.WakeUp();
                }

                _reads.Add(input, Leading);
                break;
            case RaftInputKind.Persisted:
                _state.Durability.Completed(input.Sequence);
                break;
            case RaftInputKind.Applied:
                _applier.OnApplied(input.Index);
                OnApplied();
                break;
            case RaftInputKind.Checkpointed:
                LogRetention.Release(_state, input.Snapshot!, Leading, input.SpaceIsWanted);
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
            case RaftInputKind.Used:
                Leading?.Stir();
                break;
            case RaftInputKind.Wake:
                _roles.Wake();
                break;
            default:
                TakeOfPeer(input);
                break;
        }
    }

    private void TakeOfPeer(in RaftInput input)
    {
        if (Leading is not Leader leader || leader.Peers.Find(input.Peer) is not Peer peer)
        {
            return;
        }

        switch (input.Kind)
        {
            case RaftInputKind.EntriesFetched:
                leader.Replication.OnEntriesFetched(peer, input.Index, input.Entries!);
                break;
            case RaftInputKind.SnapshotFetched:
                leader.Snapshots.OnFetched(peer, input);
                break;
            case RaftInputKind.Unreachable:
                leader.Replication.OnUnreachable(peer);
                break;
            default:
                break;
        }
    }

    private void Request(in RaftInput input)
    {
        if (Leading is null)
        {
            _state.Drop(input.Request, DropReason.NotLeader);
            return;
        }

        _roles.WakeUp();
        switch (input.Kind)
        {
            case RaftInputKind.Propose:
                Leading.Propose(input);
                break;
            case RaftInputKind.ProposeMembership:
                Leading.Membership.Propose(input.Request, input.Membership!, input.Deadline);
                break;
            default:
                _roles.Handover.Begin(Leading, input.Request, input.Peer);
                break;
        }
    }

    private void Tick()
    {
        int ticks = _state.IsAsleep ? 0 : _state.Timers.Credit();
        if (ticks > 0)
        {
            if (Leading is not null)
            {
                if (!Leading.Tick(ticks))
                {
                    _roles.StepDown(_state.Term, ReplicaId.None);
                }
            }
            else if (_elections.MayCampaign && !_snapshots.IsInstalling)
            {
                _elections.Campaign(forced: false);
            }
            else if (_state.Timers.ElectionIsDue && !_state.MayLead)
            {
                _elections.RemindLeader();
            }
        }

        _roles.Handover.GiveUp();
        _reads.Retry();
        _proposals.Expire();
        _reads.Expire(Leading);
        Leading?.Membership.Expire();
    }

    /// <summary>Draws every consequence of what the input changed.</summary>
    private void Settle()
    {
        if (_elections.OwnVoteWins())
        {
            _roles.BecomeLeader();
        }

        if (Leading is not null)
        {
            Lead(Leading);
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

        if (isDone)
        {
            leader.Replication.SendWhatWaits();

            // The membership without this replica is committed (Raft, section 6): its work is done.
            _roles.Handover.Bequeath(leader);
            _roles.StepDown(_state.Term, ReplicaId.None);
        }
    }

    private void OnApplied()
    {
        _proposals.OnApplied();
        _reads.OnApplied();
    }

    private Instant NextDeadline()
    {
        Instant deadline = Instant.Min(_proposals.EarliestDeadline, _reads.EarliestDeadline);
        deadline = Instant.Min(deadline, Instant.Min(_reads.RetryAt, _roles.Handover.GiveUpAt));
        if (Leading is not null)
        {
            deadline = Instant.Min(deadline, Leading.Membership.Deadline);
        }

        if (_state.IsAsleep)
        {
            return deadline;
        }

        Timers timers = _state.Timers;
        int ticks = Leading is not null ? Leading.TicksUntilDue()
            : _state.IsSoleVoter ? 1
            : Math.Max(1, timers.ElectionTimeout - timers.ElectionElapsed);
        return Instant.Min(deadline, timers.Deadline(ticks));
    }
}
