using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>One node of a test: a disk that outlives its process, a partition, and what it has answered.</summary>
internal sealed class TestNode(TestCluster cluster, uint number) : IPartitionHost
{
    private readonly Dictionary<ulong, PartitionReply> _replies = [];
    private Instant _deadline = Instant.Never;
    private bool _turnWaits;
    private ulong _starts;

    public ReplicaId Id { get; } = new(number, 1);

    public MemoryDisk Disk { get; } = new();

    /// <summary>Null while the process is down.</summary>
    public Partition? Partition { get; private set; }

    /// <summary>Added to the cluster's wall clock, in milliseconds.</summary>
    public long WallClockStray { get; set; }

    /// <summary>No message comes or goes.</summary>
    public bool IsCutOff { get; set; }

    /// <summary>Its disk does nothing.</summary>
    public bool DiskStands { get; set; }

    public string? Ending { get; private set; }

    public Instant Deadline => Partition is null ? Instant.Never : _deadline;

    public Instant Now => cluster.Now;

    public long WallClockMilliseconds => cluster.WallClock + WallClockStray;

    public void Start(Membership bootstrap)
    {
        _starts++;
        Ending = null;
        Partition = new Partition(
            new PartitionPlace
            {
                Id = Id,
                Bootstrap = bootstrap,
                Seed = (number * 1000) + _starts,
                Log = client => new SimpleLog(Disk, "log-", client),
                Rows = client => new MemoryStore(Disk, "rows-", client, cluster.StoreSettings),
            },
            cluster.Raft,
            cluster.Settings,
            this);
        Partition.Start();
    }

    /// <summary>The process ends; what it had handed to the disk is there.</summary>
    public void Stop()
    {
        Disk.RunAll();
        Partition = null;
        _turnWaits = false;
    }

    /// <summary>Does one thing that waits; false when nothing does.</summary>
    public bool RunOne()
    {
        if (!DiskStands && Disk.RunOne())
        {
            return true;
        }

        if (_turnWaits && Partition is not null)
        {
            _turnWaits = false;
            Partition.Turn();
            return true;
        }

        return false;
    }

    public void Tick() => Partition?.Tick();

    public PartitionReply? ReplyTo(ulong request) =>
        _replies.TryGetValue(request, out PartitionReply reply) ? reply : null;

    public void Send(in RaftMessage message) => cluster.Carry(Id, message);

    public void Reply(in PartitionReply reply) =>
        Assert.True(_replies.TryAdd(reply.Request.Value, reply), $"{reply.Request} is answered once");

    public void SetDeadline(Instant deadline) => _deadline = deadline;

    public void TurnWaits() => _turnWaits = true;

    public void RoleChanged(in RoleChanged change)
    {
    }

    public void End(string sentence)
    {
        Ending = sentence;
        Partition = null;
    }

    public static CommandLine Line(string words) =>
        new([.. words.Split(' ').Select(word => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(word))]);
}
