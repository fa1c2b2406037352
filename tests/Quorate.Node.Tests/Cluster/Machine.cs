using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Tests.Cluster;

/// <summary>A machine of a test: a disk that outlives its process, a formation, a node, and what it has said.</summary>
internal sealed class Machine(TestWorld world, int number) : IClusterHost, IFormationHost, IEntropy
{
    private readonly SeededRandom _random = new((ulong)number);
    private ClusterIdentity? _formed;
    private Instant _deadline = Instant.Never;
    private bool _turnWaits;
    private bool _workWaits;
    private readonly SortedDictionary<NodeId, string> _addresses = [];

    public string Address { get; } = $"host{number}:7601";

    public int Number => number;

    public NodeId Id { get; private set; }

    public Guid ClusterId { get; private set; }

    public MemoryDisk Disk { get; set; } = new();

    public Formation? Formation { get; private set; }

    public ClusterNode? Node { get; private set; }

    public MasterKey? MasterKey { get; set; }

    public string Zone { get; set; } = "";

    /// <summary>Started with --join.</summary>
    public bool IsReadReplica { get; set; }

    /// <summary>Counts its processes.</summary>
    public int Life { get; private set; }

    public bool IsUp { get; private set; }

    /// <summary>No message comes or goes, and nobody can tell.</summary>
    public bool IsCutOff { get; set; }

    public uint FeatureLevelMax { get; set; } = 1;

    /// <summary>It takes no turn and no tick.</summary>
    public bool IsPaused { get; set; }

    /// <summary>It does nothing more once this says so; to be killed then.</summary>
    public Func<bool>? IsStoppedWhen { get; set; }

    public string? Ending { get; private set; }

    public bool HasHandedOver { get; private set; }

    public bool IsStopReady { get; private set; }

    public List<NodeEvent> Events { get; } = [];

    public string? LastWait { get; private set; }

    public int Views { get; private set; }

    public int PartitionChanges { get; private set; }

    public Instant Deadline => IsUp && !IsPaused ? _deadline : Instant.Never;

    public Instant Now => world.Now;

    public long WallClockMilliseconds => world.WallClock;

    public void Start(IReadOnlyList<string>? seeds = null, int? expect = null)
    {
        Life++;
        IsUp = true;
        Ending = null;
        HasHandedOver = false;
        IsStopReady = false;
        FilesAtLogOpened = null;
        Formation = new(
            new FormationPlace
            {
                Seeds = seeds ?? world.Seeds,
                Expect = expect ?? world.Expect,
                Self = Self,
                Disk = Disk,
                Entropy = this,
            },
            new(),
            this);
        Formation.Start();
    }

    private NodeRecord Self => new()
    {
        PeerAddress = Address, RespAddress = $"host{number}:7401", Zone = Zone, Weight = 100,
        FeatureLevelMax = FeatureLevelMax, ReadReplica = IsReadReplica,
    };

    /// <summary>The process dies: what the disk has not done is not done.</summary>
    public void Kill()
    {
        IsUp = false;
        Node = null;
        Formation = null;
        _formed = null;
        _addresses.Clear();
        _deadline = Instant.Never;
        _turnWaits = false;
        _workWaits = false;
        var left = new MemoryDisk();
        foreach (string name in Disk.Names)
        {
            left.Put(name, [.. Disk.Content(name)]);
        }

        Disk = left;
    }

    public void Restart()
    {
        if (IsUp)
        {
            Kill();
        }

        Start();
    }

    /// <summary>Does one thing that waits; false when nothing does.</summary>
    public bool RunOne()
    {
        if (!IsUp || IsPaused || IsStoppedWhen?.Invoke() == true)
        {
            return false;
        }

        if (_formed is { } formed)
        {
            _formed = null;
            StartNode(formed);
            return true;
        }

        if (Disk.RunOne())
        {
            return true;
        }

        if (_turnWaits && Node is not null)
        {
            _turnWaits = false;
            Node.Turn();
            return true;
        }

        if (_workWaits && Node is not null)
        {
            _workWaits = Node.Work(1024);
            return true;
        }

        return false;
    }

    public void Tick()
    {
        _deadline = Instant.Never;
        if (Node is not null)
        {
            Node.Tick();
        }
        else
        {
            Formation?.Tick();
        }
    }

    public void Receive(NodeId from, byte[] message)
    {
        if (!IsPaused)
        {
            Node?.Receive(from, message);
        }
    }

    public byte[]? Answer(byte[] question) => IsPaused ? null : Node?.Answer(question) ?? Formation?.Answer(question);

    public bool Send(NodeId to, PeerClass by, ReadOnlySpan<byte> message, ReadOnlyMemory<byte> tail)
    {
        Machine? target = _addresses.ContainsKey(to) ? world.Find(this, to) : null;
        if (target is not { IsUp: true })
        {
            return false;
        }

        world.Carry(this, to, by, [.. message, .. tail.Span]);
        return true;
    }

    public void Ask(string address, ReadOnlyMemory<byte> question) => world.Ask(this, address, question.ToArray());

    public void SetDeadline(Instant deadline) => _deadline = deadline;

    public void TurnWaits() => _turnWaits = true;

    public void WorkWaits() => _workWaits = true;

    /// <summary>What was on the disk when the log was told to be open, in this life; null before.</summary>
    public string[]? FilesAtLogOpened { get; private set; }

    public void LogOpened() => FilesAtLogOpened = [.. Disk.Names];

    public void ViewChanged(ClusterView view)
    {
        Views++;
        SetAddresses(view.State.Nodes);
    }

    public void AddressLearnt(NodeId node, string peerAddress) => _addresses[node] = peerAddress;

    public void PartitionsChanged() => PartitionChanges++;

    public void Happened(in NodeEvent happened) => Events.Add(happened);

    public void HandedOver() => HasHandedOver = true;

    public void StopReady() => IsStopReady = true;

    public void Formed(ClusterIdentity identity)
    {
        SetAddresses(identity.Founders);
        Id = identity.Node;
        ClusterId = identity.Cluster;
        _formed = identity;
    }

    public void Waits(string sentence) => LastWait = sentence;

    public void Refused(string sentence) => End(sentence);

    public void End(string sentence)
    {
        Ending = sentence;
        IsUp = false;
        Node = null;
        Formation = null;
    }

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte next in bytes)
        {
            next = (byte)_random.Next(256);
        }
    }

    private void SetAddresses(IEnumerable<NodeRecord> nodes)
    {
        foreach (NodeRecord node in nodes)
        {
            _addresses[new(node.Id)] = node.PeerAddress;
        }
    }

    private void StartNode(ClusterIdentity identity)
    {
        Node = new(
            new ClusterPlace
            {
                Identity = identity,
                Self = Self,
                Boot = ((ulong)number * 1000) + (ulong)Life,
                Disk = Disk,
                Memory = new(64 * 1024 * 1024),
                Entropy = this,
                MasterKey = MasterKey,
            },
            world.Settings,
            this);
        Node.Start();
    }
}
