using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Node.Runtime;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>
/// Replicas of one partition on disks in memory, joined by a network that delivers in order and at once, under a clock
/// that goes on when nothing else is left to do.
/// </summary>
internal sealed class TestCluster
{
    private readonly Queue<(ReplicaId From, GroupId Group, RaftMessage Message)> _messages = new();
    private readonly Queue<(TestNode From, NodeId To, NodeHeartbeat Beat)> _heartbeats = new();
    private readonly Membership _membership;
    private ulong _lastRequest;

    public TestCluster(
        int nodes,
        PartitionSettings? settings = null,
        MemoryStoreSettings? store = null,
        int groups = 1,
        RaftSettings? raft = null,
        bool hasRealStores = false,
        long memoryBytes = 64 * 1024 * 1024,
        bool isEncrypted = false,
        long underWayBytes = long.MaxValue)
    {
        UnderWayBytes = underWayBytes;
        Keys = isEncrypted ? new TestKeys() : null;
        MemoryBytes = memoryBytes;
        HasRealStores = hasRealStores;
        NodeSettings = new() { Log = new() { SegmentBytes = 64 * 1024 }, Raft = raft ?? new() };
        Groups = groups;
        Settings = settings ?? new();
        StoreSettings = store ?? new();
        Nodes = [.. Enumerable.Range(1, nodes).Select(number => new TestNode(this, (uint)number))];
        _membership = Membership.Of([.. Nodes.Select(node => node.Id)]);
        foreach (TestNode node in Nodes)
        {
            node.Start(_membership, groups);
        }

        AwaitLeader();
    }

    public PartitionSettings Settings { get; }

    /// <summary>The data keys that all nodes hold; null when nothing is encrypted.</summary>
    public TestKeys? Keys { get; }

    public MemoryStoreSettings StoreSettings { get; set; }

    public NodeSettings NodeSettings { get; }

    public Membership Membership => _membership;

    public TestNode[] Nodes { get; }

    public long MemoryBytes { get; }

    /// <summary>What may be under way on a node, in bytes.</summary>
    public long UnderWayBytes { get; }

    /// <summary>Rows are in memtables and tables, not in the twin in memory.</summary>
    public bool HasRealStores { get; }

    /// <summary>Partitions that a node opens when it starts.</summary>
    public int Groups { get; set; }

    public Instant Now { get; internal set; } = new(1_000_000);

    /// <summary>In milliseconds since 1970, without a node's stray.</summary>
    public long WallClock => 1_700_000_000_000 + (Now.Microseconds / 1000);

    public TestNode Leader => Nodes.Single(node => !node.IsCutOff && node.Partition is { IsLeader: true });

    public void Carry(ReplicaId from, GroupId group, in RaftMessage message) =>
        _messages.Enqueue((from, group, message));

    public void Carry(TestNode from, NodeId to, in NodeHeartbeat beat) => _heartbeats.Enqueue((from, to, beat));

    public void Restart(TestNode node)
    {
        node.Stop();
        node.Start(_membership, Groups);
        Settle();
    }

    /// <summary>Does all that can be done without time passing.</summary>
    public void Settle() => SettleSome(int.MaxValue);

    /// <summary>Does some of what can be done without time passing: so many rounds of one thing each.</summary>
    public void SettleSome(int rounds)
    {
        bool isMoving = true;
        for (int i = 0; i < rounds && isMoving; i++)
        {
            isMoving = false;
            foreach (TestNode node in Nodes)
            {
                isMoving |= node.RunOne();
            }

            if (_heartbeats.TryDequeue(out (TestNode From, NodeId To, NodeHeartbeat Beat) sent))
            {
                isMoving = true;
                // A test may have a node watch others that are none of these.
                TestNode? to = Nodes.ElementAtOrDefault((int)sent.To.Value - 1);
                if (!sent.From.IsCutOff && to is { IsCutOff: false })
                {
                    to.Runtime?.Hear(sent.Beat);
                }
            }

            if (_messages.TryDequeue(out (ReplicaId From, GroupId Group, RaftMessage Message) next))
            {
                isMoving = true;
                TestNode from = Nodes[next.From.Node - 1];
                TestNode to = Nodes[next.Message.To.Node - 1];
                if (!from.IsCutOff && !to.IsCutOff)
                {
                    to.Runtime?.Receive(next.Group, next.Message);
                }
            }
        }
    }

    /// <summary>Lets time pass, with all that happens in it.</summary>
    public void Run(long milliseconds)
    {
        Instant end = Now + Duration.FromMilliseconds(milliseconds);
        Settle();
        while (true)
        {
            Instant next = Nodes.Min(node => node.Deadline);
            if (next > end)
            {
                break;
            }

            Now = Instant.Max(new Instant(Now.Microseconds + 100), next);
            foreach (TestNode node in Nodes)
            {
                if (node.Deadline <= Now)
                {
                    node.Tick();
                }
            }

            Settle();
        }

        Now = end;
    }

    public void AwaitLeader()
    {
        for (int i = 0; i < 100; i++)
        {
            Run(50);
            if (Nodes.Count(node => !node.IsCutOff && node.Partition is { IsLeader: true }) == 1)
            {
                Run(200);
                return;
            }
        }

        Assert.Fail("a leader is elected");
    }

    /// <summary>Hands a request over and does not wait; its number.</summary>
    public ulong Submit(TestNode node, PartitionRequest request, uint group = 1)
    {
        var id = new RequestId(++_lastRequest);
        node.Runtime!.Submit(new(group), request with { Id = id });
        return id.Value;
    }

    public ulong Submit(TestNode node, string line, SessionRequest? session = null) =>
        Submit(node, Request(line) with { Session = session });

    public static PartitionRequest Request(params string[] lines) => new()
    {
        Id = default,
        Lines = [.. lines.Select(TestNode.Line)],
        IsBatch = lines.Length > 1,
    };

    /// <summary>What a request is answered, after as long as it takes.</summary>
    public PartitionReply Ask(TestNode node, PartitionRequest request)
    {
        ulong id = Submit(node, request with { Deadline = Now + Duration.FromSeconds(5) });
        return Await(node, id);
    }

    public PartitionReply Await(TestNode node, ulong id)
    {
        Settle();
        for (int i = 0; i < 200 && node.ReplyTo(id) is null; i++)
        {
            Run(50);
        }

        return node.ReplyTo(id) ?? throw new InvalidOperationException("the request is answered");
    }

    /// <summary>The reply's text; the outcome when it was not done.</summary>
    public string Do(string line, SessionRequest? session = null) =>
        Text(Ask(Leader, Request(line) with { Session = session }));

    public string Do(TestNode node, string line, ReadLevel level) =>
        Text(Ask(node, Request(line) with { ReadLevel = level }));

    public static string Text(PartitionReply reply) => reply.Outcome == Outcome.Done
        ? Encoding.UTF8.GetString(reply.Reply.Span).TrimEnd()
        : $"{reply.Outcome} {reply.Reason}";

    /// <summary>The hash of a replica's rows; what is cold is fetched for it.</summary>
    public ulong? StateHash(TestNode node)
    {
        const ulong firstTag = 1UL << 60;
        IPartitionStore rows = node.Partition!.Rows;
        for (ulong tag = firstTag; tag < firstTag + 1000; tag++)
        {
            if (rows.StateHash() is ulong hash)
            {
                return hash;
            }

            rows.Fetch(tag);
            Settle();
            rows.Release(tag);
        }

        return null;
    }

    /// <summary>All running replicas come to hold the same rows.</summary>
    public void AssertSameState()
    {
        Run(1000);
        ulong?[] hashes =
        [
            .. Nodes.Where(node => node.Partition is not null)
                .Select(StateHash)
                .Distinct(),
        ];
        Assert.Single(hashes);
        Assert.NotNull(hashes[0]);
    }
}
