using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Commands;
using Quorate.Node.Liveness;
using Quorate.Node.Replicas;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Node.Partitions;

/// <summary>
/// One node's copy of a partition: a replica over a store of rows, the leader's evaluation of commands, request
/// sessions and expiry. It is fed inputs and tells its host what follows; it has no thread, clock or socket of its own.
/// <para>Invariants: every request gets one answer; inputs only take note, and <see cref="Turn"/> does what they ask
/// for, so that what arrives together is done together; nothing is answered before the log has decided over what it
/// saw.</para>
/// </summary>
public sealed class Partition : IReplicaHost
{
    private readonly IPartitionHost _host;
    private bool _publishes;
    private readonly PartitionParts _parts;
    private readonly ColdRows _cold;
    private readonly PartitionWrites _writes;
    private readonly PartitionReads _reads;
    private readonly SortedDictionary<ulong, RequestId> _operations = [];
    private ulong _lastOrder;
    private int _applies;
    private bool _turnWaits;
    private bool _isInTurn;
    private Instant _replicaDeadline = Instant.Never;
    private Instant _nextTimeEntry;
    private RequestId _handOver;
    private bool _isClosed;
    private bool _isFilled;

    public Partition(PartitionPlace place, RaftSettings raft, PartitionSettings settings, IPartitionHost host)
    {
        _host = host;
        Published = place.Published;
        _publishes = MayPublish(settings.Cache);
        _parts = new(settings, host);
        _cold = new(_parts);
        _parts.Replica = new Replica(
            place.Id,
            raft,
            settings.Replica,
            this,
            place.Log,
            client => _parts.Machine = new PartitionMachine(
                client, place, settings.ExpiriesTrackedMax, Fetched, host.SnapshotRefused),
            place.Bootstrap,
            place.Seed);
        _writes = new(_parts, _cold, place.Seal, place.Seed);
        _reads = new(_parts, _cold, _writes);
    }

    /// <summary>For looking: role, term, indexes. It is stepped by this partition alone.</summary>
    public Replica Replica => _parts.Replica;

    /// <summary>The applied rows; for looking.</summary>
    public IPartitionStore Rows => _parts.Machine.Rows;

    /// <summary>What readers on other threads may rely on; see <see cref="PartitionReader"/>.</summary>
    public IReadPublication Published { get; }

    public bool IsLeader => _parts.IsLeader;

    /// <summary>
    /// It holds all that the group had when this replica came to belong to it, so that what it answers is of some
    /// moment since: one that is being filled has nothing of most keys.
    /// </summary>
    public bool IsFilled => _isFilled |= Replica.IsRunning
        && (Replica.Group!.HoldsItsMembership || !Guards.FillingReplicasAnswerNothing);

    /// <summary>The disk was full when the rows were last to be made durable.</summary>
    public bool IsStoreFull => _parts.Machine.IsFull;

    /// <summary>Requests taken and not yet answered; of these, those that wait for rows.</summary>
    public (int Open, int Cold) Waiting => (_parts.Open, _cold.Count);

    /// <summary>What it keeps of memory to evaluate in, between two uses, in bytes.</summary>
    internal int BufferBytes => _parts.Evaluation.Capacity + _parts.Entry!.Capacity;

    Instant IReplicaHost.Now => _host.Now;

    /// <summary>Reads the disk and joins the group.</summary>
    public void Start() => Replica.Start();

    public void Receive(in RaftMessage message)
    {
        if (!_isClosed && (message.Entries is not { } entries || _parts.Machine.HoldsKeysOf(entries)))
        {
            Replica.Receive(message);
        }
    }

    /// <summary>The deadline that was set has come. Harmless at any other time.</summary>
    public void Tick()
    {
        if (_isClosed)
        {
            return;
        }

        Instant now = _host.Now;
        if (Published.TakeUsed())
        {
            Replica.Used();
        }

        if (_replicaDeadline <= now)
        {
            // The turn that it asks for tells the next one.
            _replicaDeadline = Instant.Never;
            Replica.Tick();
        }

        _writes.Expire(now);
        _reads.Expire(now);
        MoveTimeOn(now);
        AfterInput();
    }

    /// <summary>Takes a request; it is answered by <see cref="IPartitionHost.Reply"/>, perhaps at once.</summary>
    public void Submit(PartitionRequest request)
    {
        var open = new OpenRequest(request, ++_lastOrder);
        bool isFull = _parts.IsFullFor(open);
        _parts.Opened(open);
        if (isFull)
        {
            _parts.Refuse(open, DropReason.Overloaded);
        }
        else if (!CommandTable.Writes(request.Lines))
        {
            if (_isClosed || !Replica.IsRunning)
            {
                _parts.Refuse(open, DropReason.NotLeader);
                return;
            }

            _reads.Add(open);
        }
        else if (_isClosed || !_parts.IsLeader)
        {
            _parts.Refuse(open, DropReason.NotLeader);
        }
        else if (_host.WriteRefusal is { } refusal)
        {
            _parts.Refuse(open, refusal);
        }
        else
        {
            _writes.Add(open);
        }

        AfterInput();
    }

    /// <summary>Moves the group to another membership; answered under the request's id.</summary>
    public void ChangeMembership(RequestId request, Membership target, Instant deadline) =>
        Replica.ChangeMembership(Operation(request), target, deadline);

    /// <summary>Hands leadership over; answered under the request's id.</summary>
    public void Transfer(RequestId request, ReplicaId target) => Replica.Transfer(Operation(request), target);

    /// <summary>A node that the group may have a replica on fell silent or is heard again.</summary>
    public void Hear(in NodeNews news)
    {
        if (_isClosed)
        {
            return;
        }

        if (news.Heard)
        {
            Replica.NodeCameBack(news.Node);
        }
        else
        {
            Replica.NodeFellSilent(news.Node);
        }

        AfterInput();
    }

    /// <summary>The keyspace was altered: a cache's bound and policy, the life of keys.</summary>
    public void Change(CacheSettings? cache, long ttlMilliseconds)
    {
        bool isOther = cache != _parts.Settings.Cache;
        _parts.Change(cache, ttlMilliseconds);
        if (_isClosed || !isOther)
        {
            return;
        }

        _writes.SettingsChanged();
        _publishes = MayPublish(cache);
        if (!_publishes)
        {
            Published.Publish(default);
        }
    }

    /// <summary>The log needs the space that a checkpoint would let go.</summary>
    public void WantCheckpoint()
    {
        if (!_isClosed)
        {
            Replica.WantCheckpoint();
        }
    }

    /// <summary>The newest time of the log that was applied here, in milliseconds since 1970.</summary>
    public long LoggedMilliseconds => Replica.IsRunning ? _parts.Machine.Rows.Time.Milliseconds : 0;

    /// <summary>The node knows the time now: what waited for that goes on.</summary>
    public void ClockIsKnown() => AfterInput();

    /// <summary>What the node's memory had no room for may be evaluated now.</summary>
    public void RoomCame() => AskForTurn();

    /// <summary>Does all that waits: applies, serves reads, evaluates and proposes.</summary>
    public void Turn()
    {
        _turnWaits = false;
        if (_isClosed)
        {
            return;
        }

        _isInTurn = true;
        _parts.BeginTurn();
        for (int i = 0; _applies > 0 && i < _parts.Settings.TurnAppliesMax && !_parts.TurnIsSpent; i++)
        {
            _applies--;
            _parts.Spend(Replica.ApplyNext());
            _writes.Applied(Replica.AppliedAt.Index);
            _reads.Applied();
            _parts.LookAtLoggedTime();
        }

        // What was applied may have taken long enough: others come first.
        if (!_parts.TurnIsSpent)
        {
            _parts.BeginTurn();
            _reads.Turn();
            if (Guards.ReadsLeaveWritesTheirTurn)
            {
                _parts.BeginTurn();
            }

            _writes.Turn();
        }
        else
        {
            // A leadership that is over would go on to count what it had pending.
            AskForTurn();
        }

        Replica.Finish();
        _isInTurn = false;
        if (Replica.IsUnfinished)
        {
            AskForTurn();
        }

        AfterInput();
    }

    /// <summary>
    /// Does background work of the store, about as much as the budget says, in bytes. True when there is more to do.
    /// </summary>
    public bool Work(int budgetBytes) => !_isClosed && Replica.IsRunning && Rows.Work(budgetBytes);

    /// <summary>As <see cref="Leave"/>, because the process ends well; memory is given back.</summary>
    public void Close()
    {
        if (!_isClosed)
        {
            Leave();
            Rows.Close();
        }
    }

    /// <summary>As <see cref="Close"/>, and the files of the rows are deleted; then it is told.</summary>
    public void Destroy(Action destroyed)
    {
        Leave();
        _parts.Machine.Destroyed = destroyed;
        Rows.Destroy();
    }

    /// <summary>
    /// Hands leadership to any other voter, if it leads and is not handing over already.
    /// </summary>
    /// <param name="silent">Nodes that are not heard: they are not asked.</param>
    public void HandOver(IReadOnlySet<NodeId> silent)
    {
        if (!IsLeader || _handOver != RequestId.None)
        {
            return;
        }

        foreach (ReplicaId voter in Replica.Group!.Membership.AllReplicas)
        {
            bool isHeir = voter != Replica.Id
                && Replica.Group.Membership.IsVoter(voter)
                && !silent.Contains(voter.NodeId);
            if (isHeir)
            {
                _handOver = _parts.NextRequest();
                Replica.Transfer(_handOver, voter);
                return;
            }
        }
    }

    void IReplicaHost.Send(in RaftMessage message)
    {
        if (!_isClosed)
        {
            _host.Send(message);
        }
    }

    void IReplicaHost.Reply(in ReplicaReply reply)
    {
        if (_operations.Remove(reply.Request.Value, out RequestId operation))
        {
            _host.Reply(new PartitionReply(
                operation, reply.Outcome, reply.Reason, reply.LeaderHint, reply.Token, RowVersion.Zero, default));
        }
        else if (reply.Request == _handOver)
        {
            _handOver = RequestId.None;
        }
        else
        {
            bool isKnown = _isClosed || _writes.OnReply(reply) || _reads.OnReply(reply);
            Invariant.Check(isKnown, $"the replica answers what it was asked, not {reply.Request}");
        }
    }

    void IReplicaHost.SetDeadline(Instant deadline)
    {
        _replicaDeadline = deadline;
        TellDeadline();
    }

    bool IReplicaHost.FinishWaits()
    {
        if (!_isInTurn)
        {
            AskForTurn();
        }

        return true;
    }

    void IReplicaHost.ApplyWaits()
    {
        _applies++;
        AskForTurn();
    }

    void IReplicaHost.ReadWaits(RequestId request)
    {
        _reads.Ready(request);
        AskForTurn();
    }

    void IReplicaHost.ReadLeaseIs(in ReadLease lease)
    {
        if (_publishes && !_isClosed)
        {
            Published.Publish(new PublishedRead(lease, Replica.AppliedAt));
        }
    }

    void IReplicaHost.RoleChanged(in RoleChanged change)
    {
        _host.RoleChanged(change);
        AskForTurn();
    }

    void IReplicaHost.End(string sentence)
    {
        if (!_isClosed)
        {
            Leave();
            _host.End(sentence);
        }
    }

    private void Fetched(ulong tag)
    {
        if (_isClosed || _cold.Fetched(tag) is not { } open)
        {
            return;
        }

        if (open.ReadId.IsNone)
        {
            _writes.Fetched(open);
        }
        else
        {
            _reads.Fetched(open);
        }

        AskForTurn();
    }

    /// <summary>Where the least recently used rows go first, whoever reads must say so.</summary>
    private static bool MayPublish(CacheSettings? cache) =>
        cache?.Policy is not (EvictionPolicy.AllKeysLru or EvictionPolicy.VolatileLru);

    private RequestId Operation(RequestId request)
    {
        RequestId own = _parts.NextRequest();
        _operations.Add(own.Value, request);
        return own;
    }

    /// <summary>Takes nothing more; requests are answered as far as they can be. Memory and files stay.</summary>
    public void Leave()
    {
        if (_isClosed)
        {
            return;
        }

        _writes.Close();
        _reads.Close();
        foreach (RequestId operation in _operations.Values)
        {
            var lost = DropReason.LeadershipLost;
            _host.Reply(new(operation, lost.Outcome(), lost, ReplicaId.None, default, RowVersion.Zero, default));
        }

        _operations.Clear();
        _isClosed = true;
        _parts.Machine.Failed = _host.End;
        Published.Publish(default);
        Replica.Close();
    }

    private void AfterInput()
    {
        if (_writes.HasWork || _reads.HasWork || _applies > 0)
        {
            AskForTurn();
        }

        TellDeadline();
    }

    private void AskForTurn()
    {
        if (!_turnWaits && !_isClosed)
        {
            _turnWaits = true;
            _host.TurnWaits();
        }
    }

    private void TellDeadline()
    {
        if (!_isClosed)
        {
            Instant own = Instant.Min(_writes.EarliestDeadline, _reads.EarliestDeadline);
            _host.SetDeadline(Instant.Min(_replicaDeadline, Instant.Min(own, TimeEntryAt())));
        }
    }

    /// <summary>When a row is known to expire, on the node's monotonic clock.</summary>
    private Instant TimeEntryAt()
    {
        if (_parts.Machine.Expiries.Earliest is not long moment || !_parts.MayEvaluate || _writes.TimeIsUnderWay)
        {
            return Instant.Never;
        }

        long wait = Math.Max(0, moment - _parts.TimeMilliseconds);
        Instant due = _host.Now + Duration.FromMilliseconds(Math.Min(wait, int.MaxValue));
        return Instant.Max(due, _nextTimeEntry);
    }

    /// <summary>Rows are due, and nothing else has moved the log's time on.</summary>
    private void MoveTimeOn(Instant now)
    {
        if (TimeEntryAt() <= now)
        {
            _nextTimeEntry = now + _parts.Settings.ExpiryInterval;
            _writes.ProposeTime();
        }
    }
}
