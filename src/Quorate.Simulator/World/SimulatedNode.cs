using Quorate.Core.Model;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Storage.Disk;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>What a node's process is doing.</summary>
internal enum NodeState
{
    Up,

    /// <summary>Stopped and unaware of it; what happens to it waits.</summary>
    Paused,
    Down,
}

/// <summary>
/// A machine and the process on it. The machine's disk and clock outlive the process; each life of the process has
/// a number of its own, and what was meant for an earlier life is dropped.
/// </summary>
internal sealed class SimulatedNode
{
    /// <summary>True wall time when the run begins, in microseconds since 1970.</summary>
    public const long WallStart = 1_700_000_000_000_000;

    private readonly Simulation _world;
    private readonly SeededRandom _diskRandom;
    private readonly SeededRandom _boots;
    private readonly List<SimEvent> _waiting = [];
    private NodeProcess? _process;

    public SimulatedNode(Simulation world, int number)
    {
        _world = world;
        Number = number;
        Name = $"n{number + 1}";
        _diskRandom = world.Streams.Open(StreamName.Disks, (ulong)number);
        _boots = world.Streams.Open(StreamName.Boots, (ulong)number);
        Replicas = new SimulatedReplica?[world.Plan.Groups.Length];
        Disk = new SimulatedDisk(Schedule, _diskRandom.NextUInt64());
        Recorded = world.RecordsDisks ? new RecordedDisk(Disk) : null;
        SeededRandom clocks = world.Streams.Open(StreamName.Clocks, (ulong)number);
        Clock.Restart(0, clocks.Next(1_000_000_000_000), Drift(clocks));
        WallError = world.Plan.Values is { FewClocksStray: true } ? 0 : WallSkew(clocks);
        Encryption = RunKeys.EncryptionOf(world, number);
    }

    /// <summary>From zero; the node's id is one more.</summary>
    public int Number { get; }

    public string Name { get; }

    public NodeClock Clock { get; } = new();

    public SimulatedDisk Disk { get; }

    /// <summary>In front of the disk, when what is done to it is written down.</summary>
    public RecordedDisk? Recorded { get; }

    /// <summary>What the process works on.</summary>
    public IDisk DiskOfProcess => Recorded ?? (IDisk)Disk;

    public NodeState State { get; private set; } = NodeState.Down;

    /// <summary>Changes with each start and each end of the process.</summary>
    public uint Life { get; private set; }

    public SimulatedReplica?[] Replicas { get; }

    /// <summary>How rows in files are encrypted; null when they are not.</summary>
    public StoreEncryption? Encryption { get; }

    /// <summary>How far the node's wall clock is off, in microseconds.</summary>
    public long WallError { get; set; }

    /// <summary>The node's wall clock, which may be wrong and may jump.</summary>
    public long WallMilliseconds => (WallStart + _world.Now + WallError) / 1000;

    public NodeId Id => new((uint)Number + 1);

    /// <summary>This life of the process; there is none while it is down.</summary>
    public NodeProcess Process => _process!;

    public Instant LocalTime => Clock.Read(_world.Now);

    /// <summary>Times as long as the plan says; a slow disk's is above one.</summary>
    public long DiskSlowness { get; set; } = 1;

    /// <summary>When the process last came out of a pause or was started, in true time.</summary>
    public long RunningSince { get; private set; }

    /// <summary>The sentence with which the process must end after the event under way; null when it goes on.</summary>
    public string? Ending { get; set; }

    public long Drift(SeededRandom random)
    {
        long bound = _world.Plan.Raft.ClockDriftPpm;
        return random.Next(3) switch
        {
            0 => -bound,
            1 => bound,
            _ => random.Between(-bound, bound),
        };
    }

    /// <summary>How far a wall clock may be off, in microseconds.</summary>
    public long WallSkew(SeededRandom random)
    {
        long most = 1000L * (_world.Plan.Values?.WallSkewMax ?? 0);
        return most == 0 ? 0 : random.Between(-most, most);
    }

    /// <summary>
    /// The wall clock is brought near the true time: while the clocks of most nodes stray, no leader would stay.
    /// </summary>
    public void SetClockRight()
    {
        long most = 1000L * (_world.Plan.Values?.ClockStrayMax ?? 0) / 4;
        WallError = Math.Clamp(WallError, -most, most);
    }

    public void Start()
    {
        Invariant.Check(State == NodeState.Down, "a process is started once");
        Life++;
        State = NodeState.Up;
        RunningSince = _world.Now;
        WallError = _world.Plan.Values is { FewClocksStray: true } ? 0 : WallError;
        _process = _world.Plan.Values is null ? new RegisterProcess(_world, this) : new ValueProcess(_world, this);
        _process.Start();
    }

    /// <summary>A number that no other start of anything here has.</summary>
    public ulong NextBoot() => _boots.NextUInt64();

    /// <summary>Starts the replicas that the operator has put here.</summary>
    public void OpenReplicas()
    {
        for (int group = 0; group < Replicas.Length; group++)
        {
            OpenReplica(group);
        }
    }

    /// <summary>Starts the replica that the operator has put here, if any and if the process runs.</summary>
    public void OpenReplica(int group)
    {
        if (State != NodeState.Down && Replicas[group] is null && _world.Placements[group].On(Number) is { } placed)
        {
            Process.Open(group, placed);
        }
    }

    /// <summary>Stops a replica that the operator has taken away.</summary>
    public void CloseReplica(int group)
    {
        if (Replicas[group] is { } replica)
        {
            Process.Drop(replica);
            Replicas[group] = null;
        }
    }

    /// <summary>The process ends well, if it runs: whoever waits is answered.</summary>
    public void Stop()
    {
        if (State == NodeState.Up)
        {
            Process.Stop();
        }

        Kill(powerLoss: false);
    }

    public void Kill(bool powerLoss)
    {
        if (State == NodeState.Down)
        {
            return;
        }

        Life++;
        State = NodeState.Down;
        Ending = null;
        ReleaseWaiting();
        Process.Ended();
        Array.Clear(Replicas);
        _process = null;
        if (powerLoss)
        {
            Disk.PowerLost(_diskRandom);
            Clock.Restart(_world.Now, _boots.Next(1_000_000_000_000), Drift(_boots));
        }
        else
        {
            Disk.ProcessDied(_diskRandom);
        }
    }

    public void Pause()
    {
        if (State == NodeState.Up)
        {
            State = NodeState.Paused;
        }
    }

    /// <summary>Goes on; what has waited happens now, in order.</summary>
    public void Resume()
    {
        if (State != NodeState.Paused)
        {
            return;
        }

        State = NodeState.Up;
        RunningSince = _world.Now;
        foreach (ref readonly SimEvent happening in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_waiting))
        {
            _world.Queue.Add(_world.Now, happening);
        }

        _waiting.Clear();
    }

    /// <summary>Keeps an event until the pause ends.</summary>
    public void Defer(in SimEvent happening) => _waiting.Add(happening);

    /// <summary>The run is over: what the process holds outside of the collector's reach is given back.</summary>
    public void End() => _process?.Ended();

    private void Schedule(PendingDiskOperation operation)
    {
        long time = _world.DiskTime(operation.Operation) * DiskSlowness;
        _world.Queue.Add(
            _world.Now + 1 + time, new SimEvent
            {
                Kind = EventKind.Disk, Target = Number, Life = Life, Payload = operation
            });
    }

    /// <summary>What waited for the process dies with it; messages must still leave their links.</summary>
    private void ReleaseWaiting()
    {
        foreach (SimEvent happening in _waiting)
        {
            _world.Discard(happening);
        }

        _waiting.Clear();
    }
}
