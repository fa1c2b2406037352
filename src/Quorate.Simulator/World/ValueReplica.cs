using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Node.Replicas;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.World;

/// <summary>Hosts a partition: a replica over a store of rows, with commands that its leader evaluates.</summary>
internal sealed class ValueReplica : SimulatedReplica, IPartitionHost
{
    /// <summary>Background work done at once, in bytes, at most.</summary>
    private const int WorkBytesMax = 4096;

    /// <summary>Until background work goes on, in microseconds, at most.</summary>
    private const long WorkPauseMax = 2000;

    private readonly ValueReplay _model;
    private ObservedStore? _rows;
    private bool _turnWaits;
    private bool _workWaits;

    public ValueReplica(Simulation world, SimulatedNode node, int group, PlacedReplica placed, ulong seed)
        : base(world, node, group, placed)
    {
        _model = (ValueReplay)Checks.Model;
        Partition = new Partition(
            new PartitionPlace
            {
                Id = placed.Id,
                Bootstrap = placed.Bootstrap,
                Seed = seed,
                Log = client => Log = node.Storage.LogOf(group, placed.Id, Record, client, Postpone),
                Rows = client => _rows = new ObservedStore(
                    this, Checks, Record, client, inner => node.Storage.RowsOf(group, placed.Id, inner)),
                Seal = RunKeys.SealOf(node, group),
            },
            world.Plan.Raft,
            world.Plan.Partition,
            this);
    }

    public Partition Partition { get; }

    public override Replica Replica => Partition.Replica;

    public override ulong? StateHash => _rows!.HashNow();

    Instant IPartitionHost.Now => Node.LocalTime;

    long IPartitionHost.WallClockMilliseconds => Node.WallMilliseconds;

    DropReason? IPartitionHost.WriteRefusal => Node.Storage.SpaceIsLow ? DropReason.SpaceIsLow : null;

    public override void Close()
    {
        base.Close();
        Partition.Close();
    }

    public override void WantCheckpoint() => Partition.WantCheckpoint();

    public override void Ended() => _rows!.Close();

    public override void Receive(in RaftMessage message)
    {
        Partition.Receive(message);
        AfterInput();
    }

    public override void Hear(in NodeNews news)
    {
        Partition.Hear(news);
        AfterInput();
    }

    public override void ApplyNext()
    {
        Partition.Turn();
        AfterInput();
    }

    public override void ServeRead(RequestId request) =>
        throw new InvalidOperationException("a partition serves its reads by itself");

    public override void Work()
    {
        _workWaits = false;
        DoWork();
        AfterInput();
    }

    void IPartitionHost.Send(in RaftMessage message) => SendMessage(message);

    void IPartitionHost.Reply(in PartitionReply reply)
    {
        var answer = new Answer(
            reply.Outcome, reply.Reason, reply.LeaderHint, reply.Token, reply.Reply, World.Now);
        if (Answer(reply.Request, answer) is { IsWrite: false, Answer.Outcome: Outcome.Done } read)
        {
            _model.CheckRead(read);
        }
    }

    void IPartitionHost.SetDeadline(Instant deadline) => KeepDeadline(deadline);

    void IPartitionHost.TurnWaits()
    {
        long delay = World.Yield(World.Plan.Workload.ApplyDelayMax);
        if (delay == 0)
        {
            _turnWaits = true;
        }
        else
        {
            HappensAfter(delay, EventKind.Apply, 0);
        }
    }

    void IPartitionHost.RoleChanged(in RoleChanged change) => NoteRole(change);

    void IPartitionHost.Proposed(RequestId request, ReadToken place, bool isExecuted)
    {
        Attempt attempt = Attempts[request];
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"{(isExecuted ? "evaluates" : "recognises")} {attempt} at {place}");
        }

        _model.Evaluated(attempt, place, isExecuted);
    }

    void IPartitionHost.End(string sentence) => EndProcess(sentence);

    /// <summary>The store is open: its files are walked from end to end, unless a bit was turned in them.</summary>
    public void CheckFiles()
    {
        if (!World.Operator.Rot.Doubts(Node.Number) && Node.Storage.ProblemsOf(Group, Replica.Id) is [var first, ..])
        {
            RunClaims.Break(RunClaims.StrictFiles, $"{Name} has opened its rows, and {first}");
        }
    }

    /// <summary>The store has applied an entry.</summary>
    public void Applied(Entry entry)
    {
        Checks.Committed.Add(Replica.Id, entry, Replica.Group!.Term);
        if (World.Trace.Verbose)
        {
            World.Note(Name, $"applies {entry} {entry.Kind}");
        }
    }

    protected override void Open() => Partition.Start();

    protected override void Tick() => Partition.Tick();

    protected override void Submit(RequestId request, Attempt attempt, Instant deadline)
    {
        Node.Storage.Tick();
        Partition.Submit(new PartitionRequest
        {
            Id = request,
            Lines = ValueRequest.CommandLines(attempt.Values!.Lines),
            IsBatch = attempt.Values.IsBatch,
            WriteLevel = attempt.WriteLevel,
            ReadLevel = attempt.ReadLevel,
            Token = attempt.Token,
            Deadline = deadline,
            Session = attempt.Numbered,
        });
    }

    protected override void ChangeMembership(RequestId request, Membership target, Instant deadline) =>
        Partition.ChangeMembership(request, target, deadline);

    protected override void Transfer(RequestId request, ReplicaId heir) => Partition.Transfer(request, heir);

    protected override bool DoWhatWaits()
    {
        if (!_turnWaits)
        {
            return false;
        }

        _turnWaits = false;
        Partition.Turn();
        return true;
    }

    protected override void CheckState()
    {
        _rows!.CheckNow();
        if (!_workWaits)
        {
            DoWork();
        }
    }

    private void DoWork()
    {
        if (Partition.Work(1 + (int)World.Yield(WorkBytesMax)) && !_workWaits)
        {
            _workWaits = true;
            HappensAfter(1 + World.Yield(WorkPauseMax), EventKind.Work, 0);
        }
    }
}
