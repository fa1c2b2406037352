using System.Numerics;
using Quorate.Core.Model;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Faults;

/// <summary>
/// Lets things go wrong as the plan says: each kind of fault comes at random times of its own stream, lasts a
/// while and ends. Faults that only change how messages travel are the network's; the rest are here.
/// </summary>
internal sealed class FaultDriver
{
    /// <summary>A flapping partition changes this often at most, in microseconds.</summary>
    private const long FlapTime = 200_000;

    private readonly Simulation _world;
    private readonly SeededRandom[] _random;
    private readonly MembershipChurn _churn;
    private readonly DiskFaults _disks;
    private readonly PartitionFaults _partitions;
    private readonly RestartFaults _restarts;
    private bool _over;

    /// <summary>What may end a leadership right after it began (Raft, figure 8).</summary>
    private static readonly FaultKinds[] ShortReigns =
        [FaultKinds.Death, FaultKinds.PowerLoss, FaultKinds.Pause, FaultKinds.Partition, FaultKinds.OneWay];


    public FaultDriver(Simulation world)
    {
        _world = world;
        _churn = new MembershipChurn(world);
        _disks = new DiskFaults(world, this);
        _partitions = new PartitionFaults(world, this);
        _restarts = new RestartFaults(world, this);
        _random = new SeededRandom[32];
        foreach (FaultKinds kind in FaultNames.All)
        {
            int number = BitOperations.TrailingZeroCount((uint)kind);
            _random[number] = world.Streams.Open(StreamName.Faults, (ulong)number);
            if (world.Plan.Faults.Kinds.HasFlag(kind) && world.Plan.Faults.MeanInterval.ContainsKey(kind))
            {
                ScheduleNext(kind);
            }
        }
    }

    /// <summary>How often each kind struck, for the figures of a run.</summary>
    public SortedDictionary<FaultKinds, int> Struck { get; } = [];

    /// <summary>Everything has healed.</summary>
    public bool IsOver => _over;

    private FaultPlan Plan => _world.Plan.Faults;

    public void Happen(in SimEvent happening)
    {
        if (_over)
        {
            return;
        }

        if (happening.Payload is Action end)
        {
            end();
            return;
        }

        var kind = (FaultKinds)happening.Slot;
        ScheduleNext(kind);
        Count(kind, Strike(kind, RandomOf(kind)));
    }

    /// <summary>No further fault begins and none that lasts goes on.</summary>
    public void EndAll()
    {
        _over = true;
        _world.Network.HealAll();
        foreach (SimulatedNode node in _world.Nodes)
        {
            node.DiskSlowness = 1;
            node.Disk.SetFull(false);
            node.Disk.Mend();
            node.Resume();
            node.SetClockRight();
            _world.Operator.HeldDown[node.Number] = false;
            if (node.State == NodeState.Down)
            {
                _world.Operator.StartLater(node, 1000);
            }
        }
    }

    /// <summary>Something of a fault happens later, unless the faults are over by then.</summary>
    public void Later(long delay, Action action) => _world.Queue.Add(
        _world.Now + delay, new SimEvent { Kind = EventKind.Fault, Target = -1, Payload = action });

    public long Duration(SeededRandom random) => 10_000 + random.Next(Plan.DurationMax);

    public void Note(string what)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note("fault", what);
        }
    }

    /// <summary>A node that is up, often one that leads; null when none is.</summary>
    public SimulatedNode? Victim(SeededRandom random)
    {
        if (random.Next(100) < Plan.LeaderPercent
            && _world.Operator.LeaderOf(
                (int)random.Next(_world.Plan.Groups.Length), out SimulatedNode? leader) is not null)
        {
            return leader;
        }

        SimulatedNode node = _world.Nodes[random.Next(_world.Nodes.Length)];
        return node.State == NodeState.Up ? node : null;
    }

    /// <summary>A group has elected a leader: the moment at which changes are most delicate.</summary>
    public void Elected(int group, SimulatedNode leader)
    {
        SeededRandom random = RandomOf(FaultKinds.Membership);
        if (_over)
        {
            return;
        }

        if (Plan.Kinds.HasFlag(FaultKinds.Membership) && random.Next(3) == 0)
        {
            Later(random.Next(20_000), () => Count(FaultKinds.Membership, _churn.Change(random, group)));
        }

        FaultKinds end = ShortReigns[random.Next(ShortReigns.Length)];
        if (Plan.Kinds.HasFlag(end) && random.Next(3) == 0)
        {
            Later(random.Next(30_000), () => Count(end, EndReign(end, leader, random)));
        }
    }

    private SeededRandom RandomOf(FaultKinds kind) => _random[BitOperations.TrailingZeroCount((uint)kind)];

    private void Count(FaultKinds kind, bool struck)
    {
        if (struck)
        {
            Struck[kind] = Struck.GetValueOrDefault(kind) + 1;
        }
    }

    private void ScheduleNext(FaultKinds kind)
    {
        long delay = 1 + RandomOf(kind).Next(2 * Plan.MeanInterval[kind]);
        _world.Queue.Add(_world.Now + delay, new SimEvent { Kind = EventKind.Fault, Target = -1, Slot = (int)kind });
    }

    private bool Strike(FaultKinds kind, SeededRandom random) => kind switch
    {
        FaultKinds.Partition => _partitions.Split(random, bothWays: true),
        FaultKinds.Delay => _partitions.SlowDown(random),
        FaultKinds.OneWay => _partitions.Split(random, bothWays: false),
        FaultKinds.Flap => _partitions.Flap(random, FlapTime),
        FaultKinds.Pause => Pause(random),
        FaultKinds.Death => Kill(random, powerLoss: false),
        FaultKinds.PowerLoss => Kill(random, powerLoss: true),
        FaultKinds.FailedSync => _disks.Fail(random, DiskFailures.Sync),
        FaultKinds.FailedRead => _disks.Fail(random, DiskFailures.Read),
        FaultKinds.FailedWrite => _disks.Fail(random, DiskFailures.Write),
        FaultKinds.FailedFolderSync => _disks.Fail(random, DiskFailures.FolderSync),
        FaultKinds.FailedNames => _disks.Fail(random, DiskFailures.Names),
        FaultKinds.BitFlip => _disks.FlipBit(random),
        FaultKinds.LostFile => _disks.LoseFile(random),
        FaultKinds.FullDisk => _disks.Fill(random),
        FaultKinds.SlowDisk => _disks.SlowDown(random),
        FaultKinds.Wipe => _disks.Wipe(random),
        FaultKinds.Clock => ChangeClock(random),
        FaultKinds.Membership => _churn.Change(random, (int)random.Next(_world.Plan.Groups.Length)),
        FaultKinds.Transfer => Transfer(random),
        _ => false,
    };

    private bool EndReign(FaultKinds kind, SimulatedNode leader, SeededRandom random)
    {
        if (leader.State != NodeState.Up)
        {
            return false;
        }

        switch (kind)
        {
            case FaultKinds.Pause:
                Pause(leader, random);
                break;
            case FaultKinds.Death or FaultKinds.PowerLoss:
                Kill(leader, random, kind == FaultKinds.PowerLoss);
                break;
            default:
                _partitions.Muffle(random, leader.Number);
                break;
        }

        return true;
    }

    private bool Pause(SeededRandom random)
    {
        if (Victim(random) is not { } node)
        {
            return false;
        }

        Pause(node, random);
        return true;
    }

    private void Pause(SimulatedNode node, SeededRandom random)
    {
        long time = Duration(random);
        Note($"{node.Name} is paused for {time / 1000} ms");
        node.Pause();
        // Not a fault's own event: it must come even when the faults are over.
        _world.Queue.Add(_world.Now + time, new SimEvent { Kind = EventKind.NodeResume, Target = node.Number });
    }

    private bool Kill(SeededRandom random, bool powerLoss)
    {
        if (!powerLoss && random.Next(4) == 0 && _restarts.Begin(random))
        {
            return true;
        }

        bool everyone = random.Next(12) == 0;
        bool struck = false;
        foreach (SimulatedNode node in everyone ? _world.Nodes : Victim(random) is { } victim ? [victim] : [])
        {
            if (node.State != NodeState.Down)
            {
                Kill(node, random, powerLoss);
                struck = true;
            }
        }

        return struck;
    }

    private void Kill(SimulatedNode node, SeededRandom random, bool powerLoss)
    {
        Note($"{node.Name} {(powerLoss ? "loses power" : "dies")}");
        if (!powerLoss && random.Next(4) == 0)
        {
            node.Stop();
        }
        else
        {
            node.Kill(powerLoss);
        }

        // A quick restart comes within the promises that the process gave before.
        _world.Operator.StartLater(node, random.Next(3) == 0 ? 1000 : Duration(random));
    }

    private bool ChangeClock(SeededRandom random)
    {
        SimulatedNode node = _world.Nodes[random.Next(_world.Nodes.Length)];
        if (_world.Plan.Values is { FewClocksStray: true })
        {
            if (random.Next(4) > 0)
            {
                return StrayAlone(random);
            }
        }
        else if (_world.Plan.Values is { WallSkewMax: > 0 } && random.Next(2) == 0)
        {
            node.WallError = node.WallSkew(random);
            Note($"the wall clock of {node.Name} jumps and is {node.WallError / 1000} ms off");
            return true;
        }

        long drift = node.Drift(random);
        Note($"the clock of {node.Name} runs {drift} ppm off");
        node.Clock.ChangeDrift(_world.Now, drift);
        return true;
    }

    /// <summary>One wall clock of three or more jumps, often a leader's; or the one that is off jumps back.</summary>
    private bool StrayAlone(SeededRandom random)
    {
        SimulatedNode? strays = Array.Find(_world.Nodes, node => node.WallError != 0);
        if (strays is not null)
        {
            Note($"the wall clock of {strays.Name} jumps back and is right");
            strays.WallError = 0;
            return true;
        }

        if (_world.Nodes.Length < 3)
        {
            return false;
        }

        SimulatedNode node = _world.Nodes[random.Next(_world.Nodes.Length)];
        int group = (int)random.Next(_world.Plan.Groups.Length);
        if (random.Next(3) > 0 && _world.Operator.LeaderOf(group, out SimulatedNode? leader) is not null)
        {
            node = leader!;
        }

        node.WallError = node.WallSkew(random);
        Note($"the wall clock of {node.Name} alone jumps and is {node.WallError / 1000} ms off");
        return true;
    }

    private bool Transfer(SeededRandom random)
    {
        int group = (int)random.Next(_world.Plan.Groups.Length);
        if (random.Next(3) == 0 && _world.Operator.LeaderOf(group, out SimulatedNode? leader) is not null)
        {
            // The old leader is not told that the new one has begun.
            _partitions.Muffle(random, leader!.Number);
        }

        return _world.Operator.Transfer(group, voters => voters[random.Next(voters.Length)]);
    }
}
