using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Replicas;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.World;

/// <summary>Hosts a replica whose state machine is a store of numbered registers.</summary>
internal sealed class RegisterReplica : SimulatedReplica, IReplicaHost, IStateMachine
{
    private readonly RegisterStore _store = new();
    private readonly List<RequestId> _readsWaiting = [];
    private bool _applyWaits;
    private LogIndex _checkedAt;

    public RegisterReplica(Simulation world, SimulatedNode node, int group, PlacedReplica placed, ulong seed)
        : base(world, node, group, placed)
    {
        Replica = new Replica(
            placed.Id,
            world.Plan.Raft,
            world.Plan.Replica,
            this,
            client => Log = node.Storage.LogOf(group, placed.Id, Record, client, Postpone),
            client => new CheckpointedMachine(
                this, inner => node.Storage.CheckpointsOf(group, placed.Id, Checks, inner), client),
            placed.Bootstrap,
            seed);
    }

    public override Replica Replica { get; }

    public override ulong? StateHash => _store.StateHash;

    Instant IReplicaHost.Now => Node.LocalTime;

    ulong IStateMachine.StateHash => _store.StateHash;

    string? IStateMachine.Problem => null;

    public override void Receive(in RaftMessage message)
    {
        Replica.Receive(message);
        AfterInput();
    }

    public override void Hear(in NodeNews news)
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

    public override void ApplyNext()
    {
        Replica.ApplyNext();
        AfterInput();
    }

    public override void ServeRead(RequestId request)
    {
        Serve(request);
        AfterInput();
    }

    void IReplicaHost.Send(in RaftMessage message) => SendMessage(message);

    void IReplicaHost.Reply(in ReplicaReply reply) => Answer(
        reply.Request,
        new Answer(reply.Outcome, reply.Reason, reply.LeaderHint, reply.Token, reply.Result, World.Now));

    void IReplicaHost.SetDeadline(Instant deadline) => KeepDeadline(deadline);

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

    void IReplicaHost.End(string sentence) => EndProcess(sentence);

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

    protected override void Open() => Replica.Start();

    protected override void Tick() => Replica.Tick();

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

    protected override bool DoWhatWaits()
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

    protected override void CheckState()
    {
        if (Replica.AppliedAt.Index != _checkedAt)
        {
            _checkedAt = Replica.AppliedAt.Index;
            Checks.Committed.CheckState(Replica.Id, Replica.AppliedAt, _store.StateHash);
        }
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
