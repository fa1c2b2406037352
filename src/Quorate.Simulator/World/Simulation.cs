using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Faults;
using Quorate.Simulator.Network;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Tracing;
using Quorate.Simulator.Workload;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.World;

/// <summary>
/// One run: whole clusters of the real code on a virtual clock, network and disk. One thread, one seed.
/// <para>Invariants: time only goes on; an event happens to the life of a process that it was meant for or not at
/// all; nothing here reads a clock, draws chance from elsewhere or depends on the order of a hash table.</para>
/// </summary>
internal sealed class Simulation
{
    private readonly SeededRandom _disks;
    private readonly SeededRandom _yields;
    private readonly List<SimulatedClient> _clients = [];
    private readonly RunSchedule _schedule;
    private int _replicas;

    /// <param name="recordsDisks">What nodes do to their disks is written down, to be done to others.</param>
    public Simulation(Plan plan, Trace trace, bool recordsDisks = false)
    {
        RecordsDisks = recordsDisks;
        Plan = plan;
        Trace = trace;
        Streams = new Streams(plan.Seed, plan.Salt);
        _disks = Streams.Open(StreamName.Disks, ulong.MaxValue);
        _yields = Streams.Open(StreamName.Yields);
        Network = new SimulatedNetwork(plan.Network, plan.Nodes, Streams.Open(StreamName.Network), Queue);
        Placements = new Placement[plan.Groups.Length];
        Checks = new GroupChecks[plan.Groups.Length];
        for (int group = 0; group < plan.Groups.Length; group++)
        {
            Place(group, plan.Groups[group]);
        }

        Nodes = new SimulatedNode[plan.Nodes];
        for (int node = 0; node < plan.Nodes; node++)
        {
            Nodes[node] = new SimulatedNode(this, node);
        }

        Operator = new Operator(this);
        Faults = new FaultDriver(this);
        for (int client = 0; client < plan.Clients; client++)
        {
            _clients.Add(new SimulatedClient(this, client));
        }

        _schedule = new RunSchedule(this);
    }

    public Plan Plan { get; }

    /// <summary>Then logs are not asked for space in the end, so that a restart has entries to apply.</summary>
    public bool RecordsDisks { get; }

    public Trace Trace { get; }

    /// <summary>How often what is judged now and then was judged.</summary>
    public Judgements Judgements { get; } = new();

    public Streams Streams { get; }

    public EventQueue Queue { get; } = new();

    /// <summary>True time, in microseconds since the run began.</summary>
    public long Now { get; private set; }

    public SimulatedNetwork Network { get; }

    public SimulatedNode[] Nodes { get; }

    public Placement[] Placements { get; }

    public GroupChecks[] Checks { get; }

    /// <summary>All attempts of all clients; an attempt's id is its place plus one.</summary>
    public List<Attempt> Attempts { get; } = [];

    public Operator Operator { get; }

    public FaultDriver Faults { get; }

    public IReadOnlyList<SimulatedClient> Clients => _clients;

    /// <summary>Operations that clients have begun by themselves.</summary>
    public int Operations { get; private set; }

    /// <summary>Leaders elected in all groups together.</summary>
    public long Elections { get; set; }

    /// <summary>The id that the next attempt will have.</summary>
    public ulong NextAttempt => (ulong)Attempts.Count + 1;

    /// <summary>Runs to the end of the schedule, or to the first broken claim, which is thrown.</summary>
    public void Run()
    {
        foreach (SimulatedNode node in Nodes)
        {
            node.Start();
        }

        foreach (SimulatedClient client in _clients)
        {
            client.Begin();
        }

        _schedule.Begin();
        while (!_schedule.IsOver)
        {
            Now = Queue.Take(out SimEvent happening);
            Happen(happening);
            if (Trace.Events > EventsMax(Now))
            {
                RunClaims.Break(RunClaims.Bounds, $"{Trace.Events} events in {Now / 1000} ms: the run feeds on itself");
            }
        }
    }

    /// <summary>The run is over: what its processes hold outside of the collector's reach is given back.</summary>
    public void End()
    {
        foreach (SimulatedNode node in Nodes)
        {
            node.End();
            if (node.Disk.Struck.HasFlag(DiskFailures.Names))
            {
                Judgements.Note(Judgements.NamesFailed);
            }
        }
    }

    /// <summary>Throws an event away whose process has ended.</summary>
    public void Discard(in SimEvent happening)
    {
        if (happening.Kind == EventKind.Message)
        {
            Network.Arrived((int)happening.Number, happening.Target);
            Network.Messages.Release(happening.Slot);
        }
        else if (happening.Kind == EventKind.Heartbeat)
        {
            Network.Arrived(happening.Group, happening.Target);
        }
        else if (happening.Kind == EventKind.ClientRequest)
        {
            RefuseConnection(Attempts[(int)happening.Number - 1]);
        }
    }

    /// <summary>
    /// More events by a time (in microseconds) than any honest run has: a million, and 200,000 a second.
    /// </summary>
    private static long EventsMax(long time) => 1_000_000 + (time / 5);

    /// <summary>A leader was elected: no older one may still serve reads under a lease.</summary>
    public void CheckLeases(int group, ReplicaId elected, Term term)
    {
        foreach (SimulatedNode node in Nodes)
        {
            if (node.State != NodeState.Down
                && node.Replicas[group]?.Replica.Group is { Role: Role.Leader } older
                && older.Term < term
                && older.LeaseUntil > node.LocalTime)
            {
                RunClaims.Break(
                    RunClaims.LeaseExclusive,
                    $"replica {elected} of group {group + 1} is elected in term {term} while {older.Id}, leader "
                        + "of term "
                        + $"{older.Term}, holds a lease for {(older.LeaseUntil - node.LocalTime).Microseconds} "
                            + "µs more");
            }
        }
    }

    public void Note(string where, string what) => Trace.Line(Now, where, what);

    /// <summary>A client begins an operation of its own; false when all of the plan's are done.</summary>
    public bool TakeTurn() => Operations < Plan.OperationsMax && ++Operations > 0;

    /// <summary>A delay in [0, max]; half of them are none.</summary>
    public long Yield(long max) => max == 0 || _yields.Chance(500_000) ? 0 : _yields.Next(max + 1);

    public long DiskTime(in DiskOperation operation)
    {
        DiskPlan plan = Plan.Disk;
        bool isTable = operation.File.EndsWith(".sst", StringComparison.Ordinal);
        long time = operation.Kind switch
        {
            DiskOperationKind.Read when plan.TableReadTime > 0 && isTable && !Faults.IsOver => plan.TableReadTime,
            DiskOperationKind.Read or DiskOperationKind.List => plan.ReadTime,
            DiskOperationKind.Sync or DiskOperationKind.SyncFolder => plan.SyncTime,
            DiskOperationKind.WriteDurable => plan.WriteTime + plan.SyncTime,
            _ => plan.WriteTime,
        };
        return time + _disks.Next((time * plan.SpreadPercent / 100) + 1);
    }

    public void AnswerClient(Attempt attempt)
    {
        if (Trace.Verbose)
        {
            Note(Nodes[attempt.Node].Name, $"answers {attempt}: {TraceText.Of(attempt.Answer!)}");
        }

        if (Network.ClientTime() is { } time)
        {
            var reply = new SimEvent { Kind = EventKind.ClientReply, Target = attempt.Client, Number = attempt.Id };
            Queue.Add(Now + time, reply);
        }
    }

    public int NextReplica() => ++_replicas;

    private static bool HappensToNode(EventKind kind) => kind switch
    {
        EventKind.Message or EventKind.Heartbeat or EventKind.ReplicaTimer or EventKind.NodeTimer or EventKind.Disk
            or EventKind.Notice or EventKind.Apply or EventKind.ServeRead or EventKind.NodeTurn or EventKind.NodeWork
            or EventKind.FastRead
            or EventKind.ClientRequest => true,
        _ => false,
    };

    private void Place(int group, GroupPlan plan)
    {
        var placement = new Placement(Plan.Nodes);
        Placements[group] = placement;
        // Every first replica is given the same membership, so the ids must be known before.
        Membership first = Membership.Of(
            plan.Voters.Select(node => new ReplicaId((uint)node + 1, 1)),
            plan.Learners.Select(learner => new Learner(new ReplicaId((uint)learner.Node + 1, 1), learner.Kind)));
        foreach (int node in plan.Voters.Concat(plan.Learners.Select(learner => learner.Node)))
        {
            placement.Add(node, first);
        }

        IGroupModel model = Plan.Values is null
            ? new RegisterReplay(Attempts)
            : new ValueReplay(
                RunKeys.ReaderOf(this, group),
                new(Plan.Partition.Cache?.Policy, () => Now),
                Plan.Raft.TermStartsMax,
                Plan.Values.FewClocksStray
                    ? new(() => (SimulatedNode.WallStart + Now) / 1000, Plan.Values.ClockStrayMax)
                    : null);
        Checks[group] = new GroupChecks(group, first, model);
    }

    private void Happen(in SimEvent happening)
    {
        if (!HappensToNode(happening.Kind))
        {
            Trace.Event(Now, happening, happening.Number ^ ((ulong)(uint)happening.Slot << 40));
            HappenToWorld(happening);
            return;
        }

        SimulatedNode node = Nodes[happening.Target];
        if (node.State == NodeState.Down || (happening.Life != 0 && happening.Life != node.Life))
        {
            Discard(happening);
        }
        else if (node.State == NodeState.Paused)
        {
            node.Defer(happening);
        }
        else
        {
            Trace.Event(Now, happening, EventDigest.Of(happening, Network.Messages));
            HappenTo(node, happening);
            if (node.Ending is { } sentence)
            {
                Operator.ProcessEnds(node, sentence);
            }
        }
    }

    private void HappenTo(SimulatedNode node, in SimEvent happening)
    {
        switch (happening.Kind)
        {
            case EventKind.Message:
                Deliver(node, happening);
                break;
            case EventKind.Heartbeat:
                Network.Arrived(happening.Group, happening.Target);
                node.Process.Heard((NodeHeartbeat)happening.Payload!);
                break;
            case EventKind.Disk:
                if (Trace.Verbose)
                {
                    Note(node.Name, TraceText.Of(((PendingDiskOperation)happening.Payload!).Operation));
                }

                node.Disk.Execute((PendingDiskOperation)happening.Payload!);
                node.Process.AfterInput();
                break;
            case EventKind.ClientRequest:
                TakeRequest(node, Attempts[(int)happening.Number - 1]);
                break;
            default:
                node.Process.Happen(happening);
                break;
        }
    }

    private void HappenToWorld(in SimEvent happening)
    {
        switch (happening.Kind)
        {
            case EventKind.ClientStep:
                _clients[happening.Target].Step();
                break;
            case EventKind.ClientReply:
                _clients[happening.Target].Replied(Attempts[(int)happening.Number - 1]);
                break;
            case EventKind.ClientTimeout:
                _clients[happening.Target].TimedOut(Attempts[(int)happening.Number - 1]);
                break;
            case EventKind.Fault:
                Faults.Happen(happening);
                break;
            case EventKind.NodeStart:
                Operator.StartNode(Nodes[happening.Target]);
                break;
            case EventKind.NodeResume:
                Nodes[happening.Target].Resume();
                break;
            case EventKind.Operator:
                Operator.LookAround();
                break;
            default:
                _schedule.Step();
                break;
        }
    }

    private void Deliver(SimulatedNode node, in SimEvent happening)
    {
        RaftMessage message = Network.Messages.Peek(happening.Slot);
        Network.Arrived((int)happening.Number, happening.Target);
        Network.Messages.Release(happening.Slot);
        if (Trace.Verbose && node.Replicas[happening.Group] is not null)
        {
            Note($"{node.Name}g{happening.Group + 1}", TraceText.Of(message));
        }

        node.Process.Receive(happening.Group, message);
    }

    private void TakeRequest(SimulatedNode node, Attempt attempt)
    {
        if (Trace.Verbose)
        {
            Note(node.Name, $"takes {TraceText.Of(attempt)}");
        }

        node.Process.Take(attempt);
    }

    /// <summary>Nobody is there to take the request: it surely has no effect.</summary>
    public void RefuseConnection(Attempt attempt)
    {
        attempt.Answer = new Answer(Outcome.Refused, DropReason.NotLeader, ReplicaId.None, default, default, Now);
        Checks[attempt.Group].Answered(attempt, null);
        AnswerClient(attempt);
    }
}
