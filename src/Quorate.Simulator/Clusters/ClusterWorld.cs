using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Tracing;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// One run of a whole cluster: machines with the real formation and the real node, from empty disks on, over a virtual
/// clock, disks and connections. One thread, one seed.
/// <para>Invariants as in <see cref="World.Simulation"/>: time only goes on; an event happens to the life of a process
/// that it was meant for or not at all; nothing depends on a clock, on chance from elsewhere or on the order of a hash
/// table.</para>
/// </summary>
internal sealed class ClusterWorld
{
    private readonly SeededRandom _disks;
    private readonly SeededRandom _yields;
    private readonly ClusterSchedule _schedule;

    public ClusterWorld(ClusterPlan plan, Trace trace)
    {
        Plan = plan;
        Trace = trace;
        Streams = new Streams(plan.Seed, plan.Salt);
        _disks = Streams.Open(StreamName.Disks, ulong.MaxValue);
        _yields = Streams.Open(StreamName.Yields);
        Checks = new(this);
        Lines = new(this);
        Machines = [.. Enumerable.Range(0, plan.Machines).Select(number => new ClusterMachine(this, number))];
        History = new(this);
        Clients = [.. Enumerable.Range(0, plan.Clients).Select(number => new ClusterClient(this, number))];
        Admin = new(this);
        Encryption = new(this);
        Faults = new(this);
        _schedule = new(this);
    }

    public ClusterPlan Plan { get; }

    public Trace Trace { get; }

    public Streams Streams { get; }

    public EventQueue Queue { get; } = new();

    /// <summary>True time, in microseconds since the run began.</summary>
    public long Now { get; private set; }

    public ClusterMachine[] Machines { get; }

    public PeerLines Lines { get; }

    public ClusterChecks Checks { get; }

    public ClusterHistory History { get; }

    public ClusterClient[] Clients { get; }

    public KeyspaceAdmin Admin { get; }

    public EncryptionChecks Encryption { get; }

    public ClusterFaults Faults { get; }

    /// <summary>How often what is judged now and then was judged.</summary>
    public Judgements Judgements { get; } = new();

    /// <summary>What the machines are told as `--seeds`.</summary>
    public string[] Seeds => [.. Machines.Take(Plan.Seeds).Select(machine => machine.Address)];

    /// <summary>Leaders elected in all groups together.</summary>
    public long Elections { get; set; }

    /// <summary>Leaders elected where there had been another.</summary>
    public long Changes { get; set; }

    /// <summary>Runs to the end of the schedule, or to the first broken claim, which is thrown.</summary>
    public void Run()
    {
        _schedule.Begin();
        while (!_schedule.IsOver)
        {
            Now = Queue.Take(out SimEvent happening);
            Happen(happening);
            if (Trace.Events > 2_000_000 + Now)
            {
                RunClaims.Break(RunClaims.Bounds, $"{Trace.Events} events in {Now / 1000} ms: the run feeds on itself");
            }
        }
    }

    /// <summary>The run is over: what its processes hold outside of the collector's reach is given back.</summary>
    public void End()
    {
        foreach (ClusterMachine machine in Machines)
        {
            machine.Stop();
            if (machine.Disk.Struck.HasFlag(DiskFailures.Names))
            {
                Judgements.Note(ClusterJudgements.NamesFailed);
            }
        }
    }

    /// <summary>Something happens to the world.</summary>
    public void Later(long delay, EventKind kind, Action what, int target = -1, ulong number = 0) => Queue.Add(
        Now + delay, new SimEvent { Kind = kind, Target = target, Number = number, Payload = what });

    /// <summary>Something happens to a life of a process, or not at all.</summary>
    public void Later(long delay, EventKind kind, ClusterMachine machine, uint life, ulong number, Action what) =>
        Queue.Add(Now + delay, new SimEvent
        {
            Kind = kind, Target = machine.Number, Life = life, Number = number, Payload = what,
        });

    public void Note(string where, string what) => Trace.Line(Now, where, what);

    /// <summary>A delay in [0, max]; half of them are none.</summary>
    public long Yield(long max) => max == 0 || _yields.Chance(500_000) ? 0 : _yields.Next(max + 1);

    public long DiskTime(DiskOperationKind kind)
    {
        long time = kind switch
        {
            DiskOperationKind.Read or DiskOperationKind.List => Plan.Disk.ReadTime,
            DiskOperationKind.Sync or DiskOperationKind.SyncFolder => Plan.Disk.SyncTime,
            DiskOperationKind.WriteDurable => Plan.Disk.WriteTime + Plan.Disk.SyncTime,
            _ => Plan.Disk.WriteTime,
        };
        return time + _disks.Next((time * Plan.Disk.SpreadPercent / 100) + 1);
    }

    private void Happen(in SimEvent happening)
    {
        if (happening.Life == 0)
        {
            Trace.Event(Now, happening, happening.Number);
            ((Action)happening.Payload!)();
            return;
        }

        ClusterMachine machine = Machines[happening.Target];
        if (machine.Life != happening.Life || machine.State == World.NodeState.Down)
        {
            return;
        }

        if (machine.State == World.NodeState.Paused)
        {
            machine.Defer(happening);
            return;
        }

        Trace.Event(Now, happening, happening.Number);
        ((Action)happening.Payload!)();
        machine.AfterInput();
    }
}
