using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata.Wire;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Disk;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Tracing;
using Quorate.Simulator.World;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using NodeState = Quorate.Simulator.World.NodeState;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// A machine and the process on it, which is first a formation and then a node. Disk and clock outlive the process;
/// each life has a number of its own.
/// </summary>
internal sealed class ClusterMachine : IClusterHost, IFormationHost, IEntropy
{
    private const long MemoryBytes = 64 * 1024 * 1024;

    /// <summary>True wall time when the run begins, in microseconds since 1970.</summary>
    private const long WallStart = 1_700_000_000_000_000;

    private readonly ClusterWorld _world;
    private readonly SeededRandom _diskRandom;
    private readonly SeededRandom _boots;
    private readonly SeededRandom _entropy;
    private readonly List<SimEvent> _waiting = [];
    private ClusterIdentity? _formed;
    private readonly ClockAlarm _alarm;
    private bool _turnWaits;
    private bool _workWaits;
    private bool _workIsSet;
    private string? _ending;

    /// <summary>Failures of the disk before this life of the process: it ends for a later one alone.</summary>
    private int _strikes;

    public ClusterMachine(ClusterWorld world, int number)
    {
        _world = world;
        Number = number;
        Name = $"n{number + 1}";
        Address = $"host{number + 1}:7601";
        _diskRandom = world.Streams.Open(StreamName.Disks, (ulong)number);
        _boots = world.Streams.Open(StreamName.Boots, (ulong)number);
        _entropy = world.Streams.Open(StreamName.Keys, (ulong)number);
        Disk = new SimulatedDisk(Schedule, _diskRandom.NextUInt64());
        Clock.Restart(0, _boots.Next(1_000_000_000_000), Drift(_boots));
        _alarm = new(Clock, () => world.Now, (at, number) => Later(
            at - world.Now, EventKind.NodeTimer, number, () => RingIfDue(number)));
    }

    /// <summary>From zero. It says nothing of the node's id, which the cluster gives.</summary>
    public int Number { get; }

    public string Name { get; }

    /// <summary>Where peers find it.</summary>
    public string Address { get; }

    public NodeClock Clock { get; } = new();

    public SimulatedDisk Disk { get; }

    public NodeState State { get; private set; } = NodeState.Down;

    /// <summary>Changes with each start and each end of the process; never zero once it was started.</summary>
    public uint Life { get; private set; } = 1;

    public Formation? Formation { get; private set; }

    public ClusterNode? Node { get; private set; }

    /// <summary>What its folder says it is; null until it belongs to a cluster, and again once it was wiped.</summary>
    public ClusterIdentity? Identity { get; private set; }

    /// <summary>How often its disk was lost.</summary>
    public int Wipes { get; private set; }

    /// <summary>A file that was taken from its disk; null when none was, or the disk is new since.</summary>
    public string? MissingFile { get; private set; }

    /// <summary>How far the wall clock is off, in microseconds.</summary>
    public long WallError { get; set; }

    /// <summary>Times as long as the plan says; a slow disk's is above one.</summary>
    public long DiskSlowness { get; set; } = 1;

    public bool IsStopReady { get; private set; }

    /// <summary>When the process last came out of a pause or was started, in true time.</summary>
    public long RunningSince { get; private set; }

    /// <summary>Where this life of the process finds the others.</summary>
    public SortedDictionary<NodeId, string> Addresses { get; } = [];

    public bool IsUp => State == NodeState.Up;

    public Instant Now => Clock.Read(_world.Now);

    public long WallClockMilliseconds => (WallStart + _world.Now + WallError) / 1000;

    /// <summary>It follows all partitions and votes nowhere.</summary>
    public bool IsReadReplica => Number >= _world.Plan.Machines - _world.Plan.ReadReplicas;

    private NodeRecord Self => new()
    {
        PeerAddress = Address,
        RespAddress = $"host{Number + 1}:7401",
        Weight = 100,
        FeatureLevelMax = 1,
        ReadReplica = IsReadReplica,
    };

    public long Drift(SeededRandom random)
    {
        long bound = _world.Plan.Settings.Node.Raft.ClockDriftPpm;
        return random.Between(-bound, bound);
    }

    public void Start()
    {
        Invariant.Check(State == NodeState.Down, "a process is started once");
        Note("starts");
        Life++;
        State = NodeState.Up;
        RunningSince = _world.Now;
        IsStopReady = false;
        _strikes = Disk.Strikes;
        Formation = new(
            new FormationPlace
            {
                Seeds = _world.Seeds,
                Expect = _world.Plan.Expect,
                Self = Self,
                Disk = new LifeDisk(this, Life),
                Entropy = this,
            },
            new(),
            this);
        Formation.Start();
        AfterInput();
    }

    /// <summary>The process ends at once, by a signal or with the power.</summary>
    public void Kill(bool powerLoss)
    {
        if (State == NodeState.Down)
        {
            return;
        }

        Note(powerLoss ? "loses power" : "dies");
        ClusterNode? node = Die();
        if (powerLoss)
        {
            Disk.PowerLost(_diskRandom);
            Clock.Restart(_world.Now, _boots.Next(1_000_000_000_000), Drift(_boots));
        }
        else
        {
            Disk.ProcessDied(_diskRandom);
        }

        // Nothing of this reaches anyone: memory outside of the collector's reach is given back.
        node?.Close();
        _world.Lines.ProcessEnded(this, powerLoss);
        _world.History.ProcessEnded(this);
    }

    /// <summary>The process ends well: whoever waits is answered.</summary>
    public void Stop()
    {
        if (State != NodeState.Down)
        {
            State = NodeState.Up;
            Node?.Close();
            Kill(powerLoss: false);
        }
    }

    /// <summary>The machine gets a new disk.</summary>
    public void Wipe()
    {
        Kill(powerLoss: true);
        Note("has lost its disk");
        Disk.Wipe();
        Identity = null;
        MissingFile = null;
        Wipes++;
    }

    /// <summary>A file is gone from its disk; the process is down.</summary>
    public void Lose(string file)
    {
        Note($"has lost its file {file}");
        Disk.Lose(file);
        MissingFile = file;
        if (string.Equals(file, NoteFile.Name, StringComparison.Ordinal)
            && NoteFile.MissingFrom(Disk.DurableNames) is null)
        {
            // There was nothing else yet: it is a new folder like any other.
            Wipe();
        }
    }

    public void Pause()
    {
        if (State == NodeState.Up)
        {
            Note("is paused");
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

        Note("goes on");
        State = NodeState.Up;
        RunningSince = _world.Now;
        foreach (ref readonly SimEvent happening in CollectionsMarshal.AsSpan(_waiting))
        {
            _world.Queue.Add(_world.Now, happening);
        }

        _waiting.Clear();
    }

    /// <summary>Keeps an event until the pause ends.</summary>
    public void Defer(in SimEvent happening) => _waiting.Add(happening);

    /// <summary>Something happens to this life of the process.</summary>
    public void Later(long delay, EventKind kind, ulong number, Action what) =>
        _world.Later(delay, kind, this, Life, number, what);

    /// <summary>The answer of this process to a node that belongs to no cluster yet.</summary>
    public byte[] Answer(byte[] question) => Node?.Answer(question) ?? Formation!.Answer(question);

    /// <summary>After each input: what waits is done, or is set to be done later.</summary>
    public void AfterInput()
    {
        if (_formed is { } formed && Node is null && _ending is null)
        {
            StartNode(formed);
        }

        if (_turnWaits && Node is not null && _ending is null)
        {
            _turnWaits = false;
            long delay = _world.Yield(_world.Plan.Work.TurnDelayMax);
            Later(delay, EventKind.NodeTurn, 0, () => Node!.Turn());
        }

        if (_workWaits && !_workIsSet && Node is not null && _ending is null)
        {
            _workIsSet = true;
            Later(1 + _world.Yield(2000), EventKind.NodeWork, 0, Work);
        }

        if (_ending is { } sentence)
        {
            End(this, sentence);
        }
    }

    bool IClusterHost.Send(NodeId to, PeerClass by, ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail) =>
        State != NodeState.Down && _world.Lines.Send(this, to, by, [.. message, .. tail.Span]);

    void IFormationHost.Ask(string address, ReadOnlyMemory<byte> question) =>
        _world.Lines.Ask(this, address, question.ToArray());

    public void SetDeadline(Instant deadline)
    {
        if (State != NodeState.Down)
        {
            _alarm.Set(deadline);
        }
    }

    public void TurnWaits() => _turnWaits = true;

    public void WorkWaits() => _workWaits = true;

    public void ViewChanged(ClusterView view)
    {
        if (State != NodeState.Down)
        {
            SetAddresses(view.State.Nodes);
            _world.Checks.ViewChanged(this, view);
        }
    }

    public void AddressLearnt(NodeId node, string peerAddress)
    {
        Note($"learns that node {node.Value} is at {peerAddress}");
        Addresses[node] = peerAddress;
    }

    public void PartitionsChanged()
    {
        if (State != NodeState.Down && Node is not null)
        {
            _world.Checks.PartitionsChanged(this);
        }
    }

    public void Happened(in NodeEvent happened)
    {
        if (State == NodeState.Down)
        {
            return;
        }

        _world.Elections += happened.Kind == "election" ? 1 : 0;
        _world.Changes += happened is { Kind: "election", Cause: not "first" } ? 1 : 0;
        Note($"{happened.Kind}: {happened.Sentence}");
    }

    /// <summary>Disks here keep no reserve for a start.</summary>
    public void LogOpened()
    {
    }

    /// <summary>Clients here have no connections to be sent away from: refused, they try elsewhere.</summary>
    public void HandedOver()
    {
    }

    public void StopReady() => IsStopReady = true;

    public void Formed(ClusterIdentity identity)
    {
        _world.Checks.Formed(this, identity);
        Identity = identity;
        _formed = identity;
        SetAddresses(identity.Founders);
        Note($"belongs to cluster {identity.ClusterNumber:x16} as node {identity.Node.Value}");
    }

    public void Waits(string sentence) => Note(sentence);

    public void Refused(string sentence) => End(sentence);

    public void End(string sentence) => _ending = sentence;

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte next in bytes)
        {
            next = (byte)_entropy.Next(256);
        }
    }

    public void Note(string what)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note(Name, what);
        }
    }

    private static void End(ClusterMachine machine, string sentence)
    {
        machine.Note($"ends: {sentence}");
        if (machine.Misses(sentence))
        {
            // It cannot prove what it holds: the operator gives it a new disk.
            machine._world.Judgements.Note(ClusterJudgements.FilesMissed);
            machine.Wipe();
            machine._world.Faults.StartLater(machine, PeerLines.HandshakeTime);
            return;
        }

        if (machine.Disk.Strikes == machine._strikes)
        {
            RunClaims.Break(RunClaims.NeedlessEnd, $"{machine.Name} has ended without need: {sentence}");
        }

        machine.Kill(powerLoss: false);
        machine._world.Faults.StartLater(machine, 200_000);
    }

    /// <summary>Whether a sentence tells of the file that was taken from it.</summary>
    private bool Misses(string sentence) => MissingFile is { } file
        && (sentence.Contains(file, StringComparison.Ordinal)
            || sentence.StartsWith("The log begins after entry", StringComparison.Ordinal));

    private ClusterNode? Die()
    {
        ClusterNode? node = Node;
        Life++;
        State = NodeState.Down;
        Node = null;
        Formation = null;
        _formed = null;
        _ending = null;
        _alarm.Clear();
        _turnWaits = false;
        _workWaits = false;
        _workIsSet = false;
        _waiting.Clear();
        Addresses.Clear();
        return node;
    }

    private void SetAddresses(IEnumerable<NodeRecord> nodes)
    {
        foreach (NodeRecord node in nodes)
        {
            Addresses[new(node.Id)] = node.PeerAddress;
        }
    }

    private void StartNode(ClusterIdentity identity)
    {
        Node = new(
            new ClusterPlace
            {
                Identity = identity,
                Self = Self,
                Boot = _boots.NextUInt64() | 1,
                Disk = new LifeDisk(this, Life),
                Memory = new(MemoryBytes),
                Entropy = this,
                MasterKey = _world.Admin.MasterKey,
            },
            _world.Plan.Settings,
            this);
        _world.Encryption.Starting(this);
        Node.Start();
    }

    private void Work()
    {
        _workIsSet = false;
        _workWaits = Node!.Work(4096);
    }

    private void RingIfDue(ulong number)
    {
        if (!_alarm.Rings(number))
        {
            return;
        }

        if (Node is not null)
        {
            Node.Tick();
        }
        else
        {
            Formation!.Tick();
        }
    }

    private void Schedule(PendingDiskOperation operation)
    {
        DiskOperation what = operation.Operation;
        ulong digest = TraceHash.Mix(((ulong)what.Kind << 56) ^ what.Ticket, (ulong)what.Offset ^ (ulong)what.Length);
        long time = 1 + (_world.DiskTime(what.Kind) * DiskSlowness);
        Later(time, EventKind.Disk, digest, () => Disk.Execute(operation));
    }
}
