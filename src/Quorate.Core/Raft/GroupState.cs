using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// What all parts of a replica share: who it is, its term and vote, its log, its timers, and the output of the
/// step under way.
/// <para>Invariants: the term never falls; the vote changes only from none within a term; what a step changed of
/// either is handed out as a write before the step ends.</para>
/// </summary>
internal sealed class GroupState
{
    private RaftOutput? _output;

    public GroupState(ReplicaId id, RaftSettings settings, RecoveredState recovered, ulong seed, Instant now)
    {
        Id = id;
        Settings = settings;
        Random = new(seed);
        BootNonce = Random.NextUInt64() << 32;
        Log = new(settings, recovered);
        Durability = new(recovered.LastIndex);
        Term = Term.Max(recovered.HardState.Term, Log.LastTerm);
        Vote = Term == recovered.HardState.Term ? recovered.HardState.Vote : ReplicaId.None;
        Now = now;
        Timers = new(this);

        // A voter that starts again may have answered a leader's heartbeat just before it went down, and a lease
        // may stand on that answer. It has forgotten, so it keeps the longest promise it can have given.
        HeardFromLeader = Term > Term.Zero && Guards.RestartedVoterWaitsOutLease
            ? now
            : new(now.Microseconds - settings.LeasePromise.Microseconds);
    }

    public ReplicaId Id { get; }

    public RaftSettings Settings { get; }

    public SeededRandom Random { get; }

    /// <summary>The upper half of this process's read ids; another process's differ (pitfall R6).</summary>
    public ulong BootNonce { get; }

    public RaftLog Log { get; }

    public Durability Durability { get; }

    public Timers Timers { get; }

    public Instant Now { get; set; }

    public Term Term { get; private set; }

    public ReplicaId Vote { get; private set; }

    public Role Role { get; private set; }

    public ReplicaId Leader { get; private set; }

    public bool IsAsleep { get; private set; }

    /// <summary>When it last fell asleep; answers to what was sent before do not wake it.</summary>
    public Instant AsleepSince { get; private set; }

    /// <summary>
    /// When this replica last had a leader's word; its promise not to elect another counts from here.
    /// </summary>
    public Instant HeardFromLeader { get; set; }

    public Membership Membership => Log.Membership;

    public RaftOutput Output => _output!;

    public bool IsVoter => Membership.IsVoter(Id);

    /// <summary>
    /// This replica may have to lead: it votes, or did until an entry that is not committed yet. Such an entry may be
    /// in its log alone, and nobody with a shorter log could then be elected (Raft thesis, section 4.2.2).
    /// </summary>
    public bool MayLead =>
        IsVoter || (Guards.LeavingVoterMayLead && Log.Memberships.At(Log.Commit).Membership.IsVoter(Id));

    /// <summary>As many writes as the log may owe are on their way to it.</summary>
    public bool LogIsFarBehind => Durability.InFlightCount >= Settings.PersistsInFlightMax;

    /// <summary>
    /// Entries hold as much memory as they may, and applying what is committed will free some. Where nothing waits to
    /// be applied, more must be let in: an entry of a new term may be all that is missing to commit the rest.
    /// </summary>
    public bool MemoryIsFull => Log.BytesInMemory >= Settings.MemoryBytesMax
        && (Log.Commit > Log.Applied || !Guards.FullMemoryLetsCommitThrough);

    /// <summary>This replica alone decides.</summary>
    public bool IsSoleVoter => !Membership.IsJoint && Membership.Voters.Length == 1 && Membership.IsIncomingVoter(Id);

    /// <summary>True while the promise holds that this replica gave by answering a leader.</summary>
    public bool PromiseHolds => Now < HeardFromLeader + Settings.LeasePromise;

    public void Begin(RaftOutput output, Instant now)
    {
        _output = output;
        Now = Instant.Max(Now, now);
    }

    public void FallAsleep()
    {
        IsAsleep = true;
        AsleepSince = Now;
    }

    public void Awake() => IsAsleep = false;

    /// <summary>Enters a newer term, or takes another role within the same.</summary>
    public void Enter(Role role, Term term, ReplicaId leader)
    {
        Invariant.Check(term >= Term, $"a term never falls: {Term} to {term}");
        if (role == Role && term == Term && leader == Leader)
        {
            return;
        }

        if (term > Term)
        {
            Term = term;
            Vote = ReplicaId.None;
            Durability.HardStateChanged();
        }

        Role = role;
        Leader = leader;
        Output.RoleChanges.Add(new(role, term, leader));
    }

    public void CastVote(ReplicaId candidate)
    {
        if (Vote == candidate)
        {
            return;
        }

        Invariant.Check(Vote.IsNone || !Guards.OneVotePerTerm, $"one vote in term {Term}: {Vote}, then {candidate}");
        Vote = candidate;
        Durability.HardStateChanged();
    }

    public void Send(in RaftMessage message) => Output.SendNow.Add(message);

    /// <summary>Sends once all that has been appended so far is durable.</summary>
    public void SendWhenDurable(in RaftMessage message) => Durability.SendWhenDurable(message);

    /// <summary>Sends once this replica's term and vote are durable; entries may still be on their way.</summary>
    public void SendWhenTermDurable(in RaftMessage message)
    {
        if (Durability.HardStateIsDurable)
        {
            Output.SendNow.Add(message);
        }
        else
        {
            Durability.SendWhenDurable(message);
        }
    }

    public void Drop(RequestId request, DropReason reason) => Drop(request, reason, Leader);

    public void Drop(RequestId request, DropReason reason, ReplicaId hint)
    {
        if (!request.IsNone)
        {
            Output.Dropped.Add(new(request, reason, hint));
        }
    }

    public ReadToken TokenAt(LogIndex index) => new(Log.TermAt(index) ?? Term.Zero, index);
}
