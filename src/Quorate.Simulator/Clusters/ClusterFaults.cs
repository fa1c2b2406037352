using System.Numerics;
using Quorate.Core.Model;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Clusters;

/// <summary>Lets things go wrong as the plan says.</summary>
internal sealed class ClusterFaults
{
    private const long FlapTime = 200_000;
    private const long SlownessMax = 50;

    private readonly ClusterWorld _world;
    private readonly SeededRandom[] _random = new SeededRandom[32];
    private bool _over;

    public ClusterFaults(ClusterWorld world)
    {
        _world = world;
        foreach (FaultKinds kind in FaultNames.All)
        {
            int number = BitOperations.TrailingZeroCount((uint)kind);
            _random[number] = world.Streams.Open(StreamName.Faults, (ulong)number);
        }
    }

    /// <summary>How often each kind struck, for the figures of a run.</summary>
    public SortedDictionary<FaultKinds, int> Struck { get; } = [];

    private FaultPlan Plan => _world.Plan.Faults;

    public void Begin()
    {
        foreach (FaultKinds kind in FaultNames.All)
        {
            if (Plan.Kinds.HasFlag(kind))
            {
                ScheduleNext(kind);
            }
        }
    }

    /// <summary>No further fault begins and none that lasts goes on.</summary>
    public void EndAll()
    {
        _over = true;
        _world.Lines.HealAll();
        foreach (ClusterMachine machine in _world.Machines)
        {
            machine.DiskSlowness = 1;
            machine.Disk.Mend();
            machine.WallError = 0;
            machine.Resume();
            if (machine.State == NodeState.Down)
            {
                StartLater(machine, 1000);
            }
        }
    }

    public void StartLater(ClusterMachine machine, long delay)
    {
        uint life = machine.Life;
        _world.Later(delay, EventKind.NodeStart, () =>
        {
            if (machine.State == NodeState.Down && machine.Life == life)
            {
                machine.Start();
            }
        }, machine.Number);
    }

    /// <summary>
    /// How many disks may be lost: a minority of the founders, as long as every keyspace has all of its replicas'
    /// majority after it.
    /// </summary>
    private int WipesMax() => _world.Plan.IsWild ? int.MaxValue : (_world.Plan.Expect - 1) / 2 > 0 ? 1 : 0;

    private SeededRandom RandomOf(FaultKinds kind) => _random[BitOperations.TrailingZeroCount((uint)kind)];

    private void ScheduleNext(FaultKinds kind)
    {
        SeededRandom random = RandomOf(kind);
        long delay = 1 + random.Next(2 * Plan.MeanInterval[kind]);
        _world.Later(delay, EventKind.Fault, () =>
        {
            if (_over)
            {
                return;
            }

            ScheduleNext(kind);
            if (Strike(kind, random))
            {
                Struck[kind] = Struck.GetValueOrDefault(kind) + 1;
            }
        }, number: (ulong)kind);
    }

    private bool Strike(FaultKinds kind, SeededRandom random) => kind switch
    {
        FaultKinds.Partition => Split(random, bothWays: true),
        FaultKinds.OneWay => Split(random, bothWays: false),
        FaultKinds.Flap => Flap(random),
        FaultKinds.Pause => Pause(random),
        FaultKinds.Death => Kill(random, powerLoss: false),
        FaultKinds.PowerLoss => Kill(random, powerLoss: true),
        FaultKinds.FailedSync => Fail(random, DiskFailures.Sync),
        FaultKinds.FailedRead => Fail(random, DiskFailures.Read),
        FaultKinds.FailedWrite => Fail(random, DiskFailures.Write),
        FaultKinds.FailedFolderSync => Fail(random, DiskFailures.FolderSync),
        FaultKinds.FailedNames => Fail(random, DiskFailures.Names),
        FaultKinds.LostFile => LoseFile(random),
        FaultKinds.SlowDisk => SlowDown(random),
        FaultKinds.Clock => ChangeClock(random),
        FaultKinds.Wipe => Wipe(random),
        _ => false,
    };

    private long Duration(SeededRandom random) => 10_000 + random.Next(Plan.DurationMax);

    private void Later(long delay, Action what) => _world.Later(delay, EventKind.Fault, () =>
    {
        if (!_over)
        {
            what();
        }
    });

    private void Note(string what)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note("fault", what);
        }
    }

    /// <summary>A machine that is up, often one that leads something; null when none is.</summary>
    private ClusterMachine? Victim(SeededRandom random)
    {
        bool leads = random.Next(100) < Plan.LeaderPercent;
        ClusterMachine[] all =
        [
            .. _world.Machines.Where(machine => machine.IsUp && (!leads || Leads(machine))),
        ];
        return all.Length == 0 ? null : all[random.Next(all.Length)];
    }

    private static bool Leads(ClusterMachine machine) => machine.Node is { } node
        && node.Runtime.Partitions.Any(group => node.Runtime.Find(group) is { IsLeader: true });

    private bool Split(SeededRandom random, bool bothWays)
    {
        if (_world.Machines.Length < 2)
        {
            return false;
        }

        List<(int From, int To)> cuts = [];
        bool[] side = [.. _world.Machines.Select(_ => random.Next(2) == 0)];
        foreach (ClusterMachine from in _world.Machines)
        {
            foreach (ClusterMachine to in _world.Machines)
            {
                if (side[from.Number] && !side[to.Number])
                {
                    cuts.Add((from.Number, to.Number));
                    if (bothWays)
                    {
                        cuts.Add((to.Number, from.Number));
                    }
                }
            }
        }

        Note($"cut: {string.Join(' ', cuts.Select(cut => $"n{cut.From + 1}>n{cut.To + 1}"))}");
        Cut(cuts, Duration(random));
        return cuts.Count > 0;
    }

    private void Cut(List<(int From, int To)> cuts, long time)
    {
        foreach ((int from, int to) in cuts)
        {
            _world.Lines.Cut(from, to);
        }

        Later(time, () =>
        {
            foreach ((int from, int to) in cuts)
            {
                _world.Lines.Mend(from, to);
            }
        });
    }

    private bool Flap(SeededRandom random)
    {
        if (_world.Machines.Length < 2)
        {
            return false;
        }

        int one = (int)random.Next(_world.Machines.Length);
        List<(int From, int To)> cuts =
        [
            .. _world.Machines.Where(machine => machine.Number != one)
                .SelectMany(machine => new[] { (one, machine.Number), (machine.Number, one) }),
        ];
        Note($"n{one + 1} flaps");
        for (long at = 0; at < Plan.DurationMax; at += 1 + random.Next(FlapTime))
        {
            long time = 1 + random.Next(FlapTime);
            Later(at, () => Cut(cuts, time));
            at += time;
        }

        return true;
    }

    private bool Pause(SeededRandom random)
    {
        if (Victim(random) is not { } machine)
        {
            return false;
        }

        machine.Pause();
        uint life = machine.Life;
        _world.Later(Duration(random), EventKind.NodeResume, () =>
        {
            if (machine.Life == life)
            {
                machine.Resume();
            }
        }, machine.Number);
        return true;
    }

    private bool Kill(SeededRandom random, bool powerLoss)
    {
        bool everyone = random.Next(12) == 0;
        bool struck = false;
        foreach (ClusterMachine machine in everyone ? _world.Machines : Victim(random) is { } victim ? [victim] : [])
        {
            if (machine.State != NodeState.Down)
            {
                machine.Kill(powerLoss);
                StartLater(machine, random.Next(3) == 0 ? 1000 : Duration(random));
                struck = true;
            }
        }

        return struck;
    }

    private bool Fail(SeededRandom random, DiskFailures failure)
    {
        if (Victim(random) is not { } machine)
        {
            return false;
        }

        machine.Disk.FailNext(failure);
        Note($"the next {failure} on {machine.Name} fails");
        return true;
    }

    private bool SlowDown(SeededRandom random)
    {
        ClusterMachine machine = _world.Machines[random.Next(_world.Machines.Length)];
        machine.DiskSlowness = 1 + random.Next(SlownessMax);
        Note($"the disk of {machine.Name} is {machine.DiskSlowness} times as slow");
        Later(Duration(random), () => machine.DiskSlowness = 1);
        return true;
    }

    private bool ChangeClock(SeededRandom random)
    {
        ClusterMachine machine = _world.Machines[random.Next(_world.Machines.Length)];
        machine.Clock.ChangeDrift(_world.Now, machine.Drift(random));
        machine.WallError = random.Between(-20_000_000, 20_000_000);
        Note($"the wall clock of {machine.Name} is {machine.WallError / 1000} ms off");
        return true;
    }

    /// <summary>
    /// Whether this machine's disk may be lost now. A wild run is over with the formation; another one loses one disk
    /// at most.
    /// </summary>
    private bool MayLoseDisk(ClusterMachine machine)
    {
        if (_world.Machines.Sum(each => each.Wipes) >= WipesMax() || machine.State == NodeState.Down
            || _world.Machines.Any(each => each.MissingFile is not null))
        {
            return false;
        }

        // Where a founder is lost in the moment of the founding, others may know of a cluster that is nowhere any more:
        // they found none until they are started anew.
        int formed = _world.Machines.Count(each => each.Identity is not null);
        return _world.Plan.IsWild || machine.Identity is null || formed >= _world.Plan.Expect;
    }

    private bool Wipe(SeededRandom random)
    {
        ClusterMachine machine = _world.Machines[random.Next(_world.Machines.Length)];
        if (!MayLoseDisk(machine))
        {
            return false;
        }

        machine.Wipe();
        StartLater(machine, PeerLines.HandshakeTime + Duration(random));
        return true;
    }

    /// <summary>
    /// Takes a file away while the process is down. The node says so when it starts, and gets a new disk; or it has no
    /// need of it.
    /// </summary>
    private bool LoseFile(SeededRandom random)
    {
        ClusterMachine machine = _world.Machines[random.Next(_world.Machines.Length)];
        if (_world.Plan.IsWild || machine.Identity is null || !MayLoseDisk(machine))
        {
            return false;
        }

        machine.Kill(powerLoss: true);
        StartLater(machine, PeerLines.HandshakeTime + Duration(random));
        IReadOnlyList<string> files = machine.Disk.DurableNames;
        if (files.Count == 0)
        {
            return false;
        }

        machine.Lose(files[(int)random.Next(files.Count)]);
        return true;
    }
}
