using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Replicas;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;
using Quorate.Storage.Checkpoints;

namespace Quorate.Simulator.World;

/// <summary>Hosts a replica whose state machine is a store of numbered registers.</summary>
internal sealed class RegisterReplica : SimulatedReplica, IReplicaHost, IStateMachine
{
    private readonly RegisterStore _store = new();
    private readonly List<RequestId> _readsWaiting = [];
    private bool _applyWaits;
    private readonly RegisterProcess _process;
    private readonly ClockAlarm _alarm;
    private LogIndex _checkedAt;
    private bool _isAnnounced;

    public RegisterReplica(
        Simulation world, SimulatedNode node, int group, PlacedReplica placed, ulong seed, RegisterProcess process)
        : base(world, node, group, placed)
    {
        _process = process;
        _alarm = new ClockAlarm(
            node.Clock,
            () => world.Now,
            (at, number) => world.Queue.Add(at, Happening(EventKind.ReplicaTimer, number)));
        Replica = new Replica(
            placed.Id,
            world.Plan.Raft,
            world.Plan.Replica,
            this,
            client => Log = new ObservedLog(
                Record, client, inner => process.Log.For(NodeFiles.StreamOf(group, placed.Id), inner), Postpone),
            client => new CheckpointedMachine(
                this, inner => new ObservedCheckpoints(placed.Id, Checks, inner, Files), client),
            placed.Bootstrap,
            seed);

        CheckpointFiles Files(ICheckpointsClient client) =>
            new(node.Disk, NodeFiles.Prefix(group, placed.Id), client);
    }

    public override Replica Replica { get; }

    public override ulong? StateHash => _store.StateHash;

    Instant IReplicaHost.Now => Node.LocalTime;

    ulong IStateMachine.StateHash => _store.StateHash;

    string? IStateMachine.Problem => null;

    public void Start()
    {
        Replica.Start();
        AfterInput();
    }

    public void Receive(in RaftMessage message)
    {
        Replica.Receive(message);
        AfterInput();
    }

    public void Hear(in NodeNews news)
    {
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

    /// <summary>An event that this replica has asked for.</summary>
    public void Happen(in SimEvent happening)
    {
        switch (happening.Kind)
        {
            case EventKind.ReplicaTimer when _alarm.Rings(happening.Number):
                Replica.Tick();
                break;
            case EventKind.Apply:
                Replica.ApplyNext();
                break;
            case EventKind.ServeRead:
                Serve(new RequestId(happening.Number));
                break;
            case EventKind.Notice:
                Notice(happening.Number);
                return;
            default:
                return;
        }

        AfterInput();
    }

    void IReplicaHost.Send(in RaftMessage message)
    {
        if (!IsClosed)
        {
            World.Network.Send(World.Now, Node.Number, (int)message.To.Node - 1, Group, message);
        }
    }

    void IReplicaHost.Reply(in ReplicaReply reply) => Answer(
        reply.Request,
        new Answer(reply.Outcome, reply.Reason, reply.LeaderHint, reply.Token, reply.Result, World.Now));

    void IReplicaHost.SetDeadline(Instant deadline)
    {
        if (!IsClosed)
        {
            _alarm.Set(deadline);
        }
    }

    void IReplicaHost.ApplyWaits()
    {
        long delay = World.Yield(World.Plan.Workload.ApplyDelayMax);
        if (delay == 0)
        {
            _applyWaits = true;
        }
        else
        {
            HappensAfter(delay, EventKind.Apply, 0);
        }
    }

    void IReplicaHost.ReadWaits(RequestId request)
    {
        long delay = World.Yield(World.Plan.Workload.ReadDelayMax);
        if (delay == 0)
        {
            _readsWaiting.Add(request);
        }
        else
        {
            HappensAfter(delay, EventKind.ServeRead, request.Value);
        }
    }

    void IReplicaHost.RoleChanged(in RoleChanged change) => NoteRole(change);

    void IReplicaHost.End(string sentence)
    {
        if (!IsClosed)
        {
            Node.Ending = sentence;
        }
    }

    ReadOnlyMemory<byte> IStateMachine.Apply(Entry entry, bool resultWanted)
    {
        Checks.Committed.Add(Replica.Id, entry, Replica.Group!.Term);
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"applies {entry} {entry.Kind}");
        }

        return _store.Apply(entry, resultWanted);
    }

    byte[] IStateMachine.Snapshot() => _store.Snapshot();

    void IStateMachine.Load(ReadOnlyMemory<byte> state) => _store.Load(state);

    protected override void Submit(RequestId request, Attempt attempt, Instant deadline)
    {
        if (attempt.IsWrite)
        {
            Replica.Write(request, attempt.Batch, attempt.WriteLevel, deadline);
        }
        else
        {
            Replica.Read(request, attempt.ReadLevel, attempt.Token, deadline);
        }
    }

    protected override void ChangeMembership(RequestId request, Membership target, Instant deadline) =>
        Replica.ChangeMembership(request, target, deadline);

    protected override void Transfer(RequestId request, ReplicaId heir) => Replica.Transfer(request, heir);

    public override void AfterInput()
    {
        do
        {
            if (!LookAtGroup())
            {
                return;
            }

            if (!_isAnnounced)
            {
                _isAnnounced = true;
                _process.Announce();
            }
        }
        while (DoWhatWaits());

        if (Replica.AppliedAt.Index != _checkedAt)
        {
            _checkedAt = Replica.AppliedAt.Index;
            Checks.Committed.CheckState(Replica.Id, Replica.AppliedAt, _store.StateHash);
        }

        CheckBounds();
    }

    /// <summary>What the process does before it takes another input; false when there was nothing.</summary>
    private bool DoWhatWaits()
    {
        foreach (RequestId request in _readsWaiting)
        {
            Serve(request);
        }

        _readsWaiting.Clear();
        if (!_applyWaits)
        {
            return false;
        }

        _applyWaits = false;
        Replica.ApplyNext();
        return true;
    }

    private void Serve(RequestId request)
    {
        if (Replica.TakeRead(request, out ReadToken seen))
        {
            ReadOnlyMemory<byte> result = _store.Query(Attempts[request].Batch);
            Answer(request, new Answer(Outcome.Done, default, ReplicaId.None, seen, result, World.Now));
        }
    }
}
