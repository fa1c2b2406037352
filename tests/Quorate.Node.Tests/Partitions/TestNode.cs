using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Node.Runtime;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>One node of a test: a disk that outlives its process, a runtime, and what it has answered.</summary>
internal sealed class TestNode(TestCluster cluster, uint number) : INodeHost
{
    private readonly Dictionary<ulong, PartitionReply> _replies = [];
    private Instant _deadline = Instant.Never;
    private bool _turnWaits;
    private bool _workWaits;
    private ulong _starts;

    public NodeId NodeId { get; } = new(number);

    public ReplicaId Id { get; } = new(number, 1);

    public MemoryDisk Disk { get; } = new();

    /// <summary>Null while the process is down.</summary>
    public NodeRuntime? Runtime { get; private set; }

    public MemoryBudget Memory { get; private set; } = new(1);

    /// <summary>Of the blocks of real stores.</summary>
    public BlockCache Cache { get; private set; } = new(1);

    /// <summary>Readers of the rows of real stores, one for each start of the process.</summary>
    public MemtableReaders Readers { get; private set; } = new(4);

    /// <summary>Sees each message of a group before it leaves.</summary>
    public Action<RaftMessage>? Sends { get; set; }

    /// <summary>The first partition; null while the process is down.</summary>
    public Partition? Partition => Runtime?.Find(new(1));

    /// <summary>Added to the cluster's wall clock, in milliseconds.</summary>
    public long WallClockStray { get; set; }

    /// <summary>No message comes or goes.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>Its disk does nothing.</summary>
    public bool DiskStands { get; set; }

    /// <summary>From the moment at which it leads its turns wait until this is false again.</summary>
    public bool TurnsStandWhenElected { get; set; }

    /// <summary>What the runtime said last of a role, whether or not it took a turn since.</summary>
    public bool Leads { get; private set; }

    public string? Ending { get; private set; }

    public List<GroupId> Dropped { get; } = [];

    public List<LogStream> UnknownStreams { get; } = [];

    /// <summary>How often the runtime was called: ticks and turns.</summary>
    public int Calls { get; private set; }

    /// <summary>Messages of groups that it has sent.</summary>
    public int Sent { get; private set; }

    public Instant Deadline => Runtime is null ? Instant.Never : _deadline;

    /// <summary>How much time passes whenever the node looks at its clock: what it does takes long.</summary>
    public Duration EachLookTakes { get; set; } = Duration.Zero;

    public Instant Now => cluster.Now += EachLookTakes;

    public long WallClockMilliseconds => cluster.WallClock + WallClockStray;

    public static CommandLine Line(string words) =>
        new([.. words.Split(' ').Select(word => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(word))]);

    public void Start(Membership bootstrap, int groups)
    {
        _starts++;
        Ending = null;
        Leads = false;
        _deadline = Instant.Never;
        Memory = new(cluster.MemoryBytes, cluster.UnderWayBytes);
        Readers = new(4);
        Cache = new(1024 * 1024, Memory);
        var place = new NodePlace
        {
            Id = NodeId,
            Boot = (number * 1000) + _starts,
            Disk = Disk,
            Entropy = new TestKeys(),
            Memory = Memory,
            Cache = Cache,
            Rows = NewRows,
        };
        Runtime = new NodeRuntime(place, cluster.NodeSettings, this);
        foreach (TestNode node in cluster.Nodes)
        {
            if (node != this)
            {
                Runtime.Watch(node.NodeId);
            }
        }

        for (uint group = 1; group <= groups; group++)
        {
            Open(new(group), bootstrap);
        }

        Runtime.Start();
    }

    public void Open(GroupId group, Membership bootstrap) => Runtime!.Open(new PartitionOpening
    {
        Group = group,
        Id = Id,
        Bootstrap = bootstrap,
        Settings = cluster.Settings,
        Seal = cluster.Keys?.NewSeal(group) ?? PlainEntries.Instance,
    });

    /// <summary>The process ends; what it had handed to the disk is there.</summary>
    public void Stop()
    {
        Disk.RunAll();
        Runtime?.Close();
        Disk.RunAll();
        Runtime = null;
        _turnWaits = false;
        _workWaits = false;
    }

    /// <summary>Does one thing that waits; false when nothing does.</summary>
    public bool RunOne()
    {
        if (!DiskStands && Disk.RunOne())
        {
            return true;
        }

        if (_turnWaits && Runtime is not null && TurnsStandWhenElected && Leads)
        {
            // What it has to write and to send leaves all the same.
            bool isUnfinished = Partition!.Replica.IsUnfinished;
            Partition.Replica.Finish();
            return isUnfinished;
        }

        if (_turnWaits && Runtime is not null)
        {
            _turnWaits = false;
            Calls++;
            Runtime.Turn();
            return true;
        }

        if (_workWaits && Runtime is not null)
        {
            _workWaits = Runtime.Work(1024);
            return true;
        }

        return false;
    }

    public void Tick()
    {
        Calls++;
        Runtime?.Tick();
    }

    public PartitionReply? ReplyTo(ulong request) =>
        _replies.TryGetValue(request, out PartitionReply reply) ? reply : null;

    public void Send(GroupId group, in RaftMessage message)
    {
        Sent++;
        Sends?.Invoke(message);
        cluster.Carry(Id, group, message);
    }

    public void SendHeartbeat(NodeId to, in NodeHeartbeat heartbeat) => cluster.Carry(this, to, heartbeat);

    public void Reply(GroupId group, in PartitionReply reply) =>
        Assert.True(_replies.TryAdd(reply.Request.Value, reply), $"{reply.Request} is answered once");

    public void SetDeadline(Instant deadline) => _deadline = deadline;

    public void TurnWaits() => _turnWaits = true;

    public void WorkWaits() => _workWaits = true;

    public void RoleChanged(GroupId group, in RoleChanged change) => Leads = change.Role == Role.Leader;

    public void UnknownLogs(IReadOnlyList<LogStream> streams) => UnknownStreams.AddRange(streams);

    public void PartitionDropped(GroupId group) => Dropped.Add(group);

    public void End(string sentence)
    {
        Ending = sentence;
        Runtime = null;
    }

    private IPartitionStore NewRows(GroupId group, ReplicaId id, IPartitionStoreClient client)
    {
        string prefix = $"{group}.{id.Incarnation}-";
        if (!cluster.HasRealStores)
        {
            return new MemoryStore(Disk, prefix, client, cluster.StoreSettings);
        }

        var settings = new PartitionStoreSettings { Prefix = prefix, Partition = group, TierTablesMin = 2 };
        return new PartitionStore(Disk, settings, client, Cache, Memory, cluster.Keys?.Encryption, Readers);
    }
}
