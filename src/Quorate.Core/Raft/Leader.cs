using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// A leadership: what a replica does and remembers from winning an election until it steps down. A new one is
/// made for each term that is won, so nothing of a former one outlives it.
/// <para>Invariants: the commit index moves only to an entry of this term that a quorum holds durably; leases and
/// reads are served only after that happened once; a transfer that was begun ends the lease for good.</para>
/// </summary>
internal sealed class Leader
{
    private readonly GroupState _state;
    private readonly LogIndex _first;
    private int _heartbeatElapsed;
    private int _checkElapsed;
    private int _idleTicks;
    private bool _quorumIsSilent;

    public Leader(GroupState state, Proposals proposals, Reads reads, LeaderHandover handover)
    {
        _state = state;
        Peers = new(state);
        Proposals = proposals;
        Replication = new(state, Peers);
        Snapshots = new(state, Peers, Replication);
        Replication.Snapshots = Snapshots;
        Membership = new(state, this);
        Handover = handover;
        Reads = new(state, this, reads);
        _first = state.Log.Last.Next;
    }

    public PeerSet Peers { get; }

    public Proposals Proposals { get; }

    public LeaderReplication Replication { get; }

    public LeaderSnapshots Snapshots { get; }

    public LeaderMembership Membership { get; }

    public LeaderHandover Handover { get; }

    public LeaderReads Reads { get; }

    /// <summary>
    /// An entry of this leader's own term is committed, so its commit index is the group's (Raft, section 8).
    /// </summary>
    public bool HasCommittedInTerm => _state.Log.Commit >= _first;

    /// <summary>No further request can be taken: too many wait, or the log is far behind.</summary>
    public bool IsFull =>
        Proposals.Count + Membership.RequestsHeld >= _state.Settings.PendingProposalsMax
        || _state.LogIsFarBehind
        || _state.MemoryIsFull;

    /// <summary>Bytes of entries appended and not yet committed.</summary>
    public long UncommittedBytes { get; private set; }

    /// <summary>Until when reads need no round; zero without a lease.</summary>
    public Instant LeaseUntil
    {
        get
        {
            if (!HasCommittedInTerm || (Handover.LeaseHasEnded && Guards.TransferEndsLease))
            {
                return Instant.Zero;
            }

            Instant sentAt = QuorumAnsweredAt();
            return sentAt.Microseconds == long.MinValue ? Instant.Zero : sentAt + _state.Settings.LeaseDuration;
        }
    }

    /// <summary>
    /// What a linearizable read must see: all that is committed, and all that was acknowledged before that.
    /// </summary>
    public LogIndex ReadIndex => Guards.ReadsCoverLeaderWrites
        ? LogIndex.Max(_state.Log.Commit, Proposals.LeaderAcknowledged)
        : _state.Log.Commit;

    /// <summary>What readers beside the group may rely on; nothing before an entry of this term is applied.</summary>
    public ReadLease ReadLease
    {
        get
        {
            Instant until = LeaseUntil;
            bool isLease = _state.Log.Applied >= _first && until > Instant.Zero;
            return isLease ? new(_state.Term, _first, until, ReadIndex) : default;
        }
    }

    /// <summary>Takes office with an entry of the new term, which is word to everyone as well.</summary>
    public void Begin() => Append(EntryKind.Barrier, ReadOnlyMemory<byte>.Empty);

    /// <summary>
    /// Whether a proposal of so many bytes would be refused now and taken later: too much is on its way.
    /// </summary>
    public bool ProposalsWait(long bytes) =>
        IsFull || (UncommittedBytes > 0 && UncommittedBytes + bytes > _state.Settings.UncommittedBytesMax);

    /// <summary>Appends an entry, which is sent on with all others of the step; its index.</summary>
    public LogIndex Append(EntryKind kind, ReadOnlyMemory<byte> payload)
    {
        var entry = new Entry(_state.Log.Last.Next, _state.Term, kind, payload);
        _state.Log.Append(entry);
        _state.Durability.Append(entry);
        UncommittedBytes += entry.Bytes;
        _idleTicks = 0;
        if (kind == EntryKind.Membership)
        {
            Peers.Follow(_state.Membership);
        }

        Replication.EntriesWait = true;
        return entry.Index;
    }

    public void Propose(in RaftInput input)
    {
        if (Refusal(input) is DropReason reason)
        {
            _state.Drop(input.Request, reason, Handover.IsUnderWay ? Handover.Target : _state.Id);
            return;
        }

        LogIndex index = Append(EntryKind.Data, input.Batch);
        Proposals.Add(input.Request, new(_state.Term, index), input.WriteLevel, input.Deadline);
    }

    /// <summary>Counts copies and moves the commit index (Raft, sections 5.3 and 5.4.2). True when it moved.</summary>
    public bool TryCommit()
    {
        LogIndex own = Guards.LeaderCountsOnlyDurable ? _state.Durability.Index : _state.Log.Last;
        LogIndex held = new(Quorum.Reached(_state.Membership, new Held(Peers, _state.Id, own)));
        if (held <= _state.Log.Commit || (Guards.CountOnlyOwnTerm && _state.Log.TermAt(held) != _state.Term))
        {
            return false;
        }

        for (LogIndex index = _state.Log.Commit.Next; index <= held; index = index.Next)
        {
            UncommittedBytes -= index >= _first && _state.Log.InMemory(index) ? _state.Log[index].Bytes : 0;
        }

        _state.Log.CommitTo(held);
        return true;
    }

    /// <summary>
    /// How many replicas, this one counted, hold an entry durably; and whether all that level `all` waits for do.
    /// </summary>
    public (int Count, bool All) HoldersOf(LogIndex index)
    {
        int count = 0;
        bool all = true;
        foreach (ReplicaId id in _state.Membership.AllReplicas)
        {
            LogIndex held = id == _state.Id ? _state.Durability.Index : Peers.Find(id)?.Match ?? LogIndex.Zero;
            count += held >= index ? 1 : 0;
            all &= held >= index || !CountsForAll(id);
        }

        return (count, all);
    }

    /// <summary>Time has passed. False when no quorum answers and the leader must step down (check-quorum).</summary>
    public bool Tick(int ticks)
    {
        _checkElapsed += ticks;
        if (_checkElapsed >= _state.Settings.ElectionTicks)
        {
            _checkElapsed = 0;
            _quorumIsSilent = Quorum.Reached(_state.Membership, new Active(Peers, _state.Id)) == 0;
            Peers.EndPeriod();
            if (_quorumIsSilent && Guards.LeaderChecksQuorum)
            {
                return false;
            }
        }

        Handover.Tick(ticks);
        _heartbeatElapsed += ticks;
        _idleTicks += ticks;
        if (_heartbeatElapsed >= _state.Settings.HeartbeatTicks)
        {
            _heartbeatElapsed = 0;
            if (!TrySleep())
            {
                Replication.SendHeartbeats(Reads.Round);
            }
        }

        Replication.Tick(ticks);
        Snapshots.Tick();
        return true;
    }

    /// <summary>How many ticks until <see cref="Tick"/> has something to do.</summary>
    public int TicksUntilDue() => Math.Max(1, _state.Settings.HeartbeatTicks - _heartbeatElapsed);

    /// <summary>
    /// Something came from a peer: it lives, and backs rounds and lease from when its request was sent.
    /// </summary>
    public void HearPeer(in RaftMessage message)
    {
        Peer? peer = Peers.Find(message.From);
        if (peer is null)
        {
            return;
        }

        peer.Hear();
        if (message.Kind is not (MessageKind.AppendResponse or MessageKind.HeartbeatResponse))
        {
            return;
        }

        ulong round = Guards.RoundsConfirmOnlyEarlierReads ? message.Round : Reads.Round;
        Instant sentAt = Guards.LeaseCountsFromSending ? message.SentAt : _state.Now;
        peer.AckedRound = Math.Max(peer.AckedRound, round);
        peer.AckedSentAt = Instant.Max(peer.AckedSentAt, sentAt);
        Instant answered = QuorumAnsweredAt();
        if (answered.Microseconds != long.MinValue)
        {
            // A leader that a quorum answers is itself a replica that hears from a leader: it elects nobody else.
            _state.HeardFromLeader = Instant.Max(_state.HeardFromLeader, answered);
        }
    }

    /// <summary>Something was asked of the group; it stays awake for a while.</summary>
    public void Stir() => _idleTicks = 0;

    /// <summary>The quorum is checked anew from now, after a sleep.</summary>
    public void Awake()
    {
        _idleTicks = 0;
        _checkElapsed = 0;
        Peers.EndPeriod();
        Replication.SendHeartbeats(Reads.Round);
    }

    public ulong QuorumRound() => Quorum.Reached(_state.Membership, new Rounds(Peers, _state.Id, Reads.Round));

    private DropReason? Refusal(in RaftInput input)
    {
        RaftSettings settings = _state.Settings;
        if (Handover.IsUnderWay)
        {
            return DropReason.Transferring;
        }

        if (input.Batch.Length > settings.EntryBytesMax)
        {
            return DropReason.TooLarge;
        }

        WriteLevel level = input.WriteLevel;
        if (level.Kind == WriteLevelKind.Count && level.Replicas > _state.Membership.AllReplicas.Length)
        {
            return DropReason.LevelImpossible;
        }

        return ProposalsWait(input.Batch.Length) ? DropReason.Overloaded : null;
    }

    private bool CountsForAll(ReplicaId id)
    {
        foreach (Learner learner in _state.Membership.Learners)
        {
            if (learner.Id == id)
            {
                return learner.Kind == LearnerKind.Standing || _state.Membership.IsVoter(id);
            }
        }

        return true;
    }

    /// <summary>
    /// The latest moment by which a quorum is known to have answered what was sent then; lowest when there is none.
    /// </summary>
    private Instant QuorumAnsweredAt()
    {
        ulong reached = Quorum.Reached(_state.Membership, new SentAt(Peers, _state.Id, _state.Now));
        return SentAt.FromOrder(reached);
    }

    private bool TrySleep()
    {
        RaftLog log = _state.Log;
        bool idle = _state.Settings.SleepAfterTicks > 0
            && _idleTicks >= _state.Settings.SleepAfterTicks
            && HasCommittedInTerm
            && log.Commit == log.Last
            && log.Applied == log.Last
            && _state.Durability.InFlightCount == 0
            && Proposals.Count == 0
            && Reads.Count == 0
            && !Handover.IsUnderWay
            && Membership.IsSettled
            && !_quorumIsSilent
            && Peers.SettledAt(log.Last, _state.Membership, _state.Id);
        if (!idle)
        {
            return false;
        }

        Replication.SendSleep();
        _state.FallAsleep();
        return true;
    }

    private readonly struct Held(PeerSet peers, ReplicaId self, LogIndex own) : Quorum.IMeasure
    {
        public ulong Of(ReplicaId voter) => (voter == self ? own : peers.Find(voter)?.Match ?? LogIndex.Zero).Value;
    }

    private readonly struct Active(PeerSet peers, ReplicaId self) : Quorum.IMeasure
    {
        public ulong Of(ReplicaId voter) => voter == self || peers.Find(voter) is { IsActive: true } ? 1UL : 0UL;
    }

    private readonly struct Rounds(PeerSet peers, ReplicaId self, ulong own) : Quorum.IMeasure
    {
        public ulong Of(ReplicaId voter) => voter == self ? own : peers.Find(voter)?.AckedRound ?? 0;
    }

    /// <summary>Moments as unsigned numbers in the same order; the lowest moment is zero.</summary>
    private readonly struct SentAt(PeerSet peers, ReplicaId self, Instant now) : Quorum.IMeasure
    {
        public static Instant FromOrder(ulong order) => new((long)(order ^ (1UL << 63)));

        public ulong Of(ReplicaId voter) =>
            (ulong)(voter == self ? now : peers.Find(voter)?.AckedSentAt ?? Peer.NeverAcked).Microseconds ^ (1UL << 63);
    }
}
