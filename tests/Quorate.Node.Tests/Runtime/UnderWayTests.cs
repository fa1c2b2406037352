using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Node.Tests.Partitions;
using Quorate.Storage.Memory;

namespace Quorate.Node.Tests.Runtime;

/// <summary>What is under way on a node counts in its memory, and is bounded by taking no more.</summary>
public sealed class UnderWayTests
{
    private const long RoomBytes = 100_000;

    [Fact]
    public void A_request_is_refused_while_what_is_under_way_leaves_no_room_for_it()
    {
        var cluster = new TestCluster(1, underWayBytes: RoomBytes);
        TestNode node = cluster.Nodes[0];
        long entries = node.Memory.UsedBy(MemoryUse.Entries);
        node.Memory.Note(MemoryUse.Clients, RoomBytes - 2000 - entries);
        string large = new('v', 3000);

        // One is let in, however large; the disk stands, so it stays.
        node.DiskStands = true;
        ulong first = cluster.Submit(node, $"SET k {large}");
        cluster.Settle();
        Assert.Null(node.ReplyTo(first));
        Assert.True(node.Memory.UsedBy(MemoryUse.Requests) > large.Length);
        Assert.True(node.Memory.UsedBy(MemoryUse.Entries) > entries + large.Length);
        ulong second = cluster.Submit(node, $"SET l {large}");
        Assert.Equal("Refused Overloaded", TestCluster.Text(node.ReplyTo(second)!.Value));
        Assert.Equal("Refused Overloaded", TestCluster.Text(node.ReplyTo(cluster.Submit(node, "GET k"))!.Value));

        node.DiskStands = false;
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, first)));
        node.Memory.Note(MemoryUse.Clients, 0);
        Assert.Equal("+OK", cluster.Do($"SET l {large}"));
        Assert.Equal(0, node.Memory.UsedBy(MemoryUse.Requests));
    }

    /// <summary>A few bytes of a client may make a large row, so that their number says nothing.</summary>
    [Fact]
    public void No_partition_proposes_while_what_all_have_pending_is_too_much()
    {
        var cluster = new TestCluster(1, groups: 2, underWayBytes: RoomBytes);
        TestNode node = cluster.Nodes[0];
        long room = RoomBytes / cluster.NodeSettings.MemoryPendingDivisor;
        node.DiskStands = true;
        ulong large = cluster.Submit(node, TestCluster.Request($"SET k {new string('v', (int)room + 1)}"), group: 1);
        cluster.Settle();
        long entries = node.Memory.UsedBy(MemoryUse.Entries);
        ulong other = cluster.Submit(node, TestCluster.Request("SET k small"), group: 2);
        cluster.Settle();
        Assert.Equal(entries, node.Memory.UsedBy(MemoryUse.Entries));

        node.DiskStands = false;
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, large)));
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, other)));
    }

    [Fact]
    public void What_is_large_is_refused_while_the_heap_has_no_room_for_it()
    {
        var cluster = new TestCluster(1);
        TestNode node = cluster.Nodes[0];
        string large = new('v', 100_000);
        Assert.Equal("+OK", cluster.Do($"SET there {large}"));
        node.Memory.HeapHasRoom = static _ => false;
        foreach (string refused in new[] { $"SET k {large}", "APPEND there v", "GET there", "MGET there there" })
        {
            Assert.StartsWith("-OOM", cluster.Do(refused), StringComparison.Ordinal);
        }

        Assert.Equal("+OK", cluster.Do("SET k small"));
        node.Memory.HeapHasRoom = static _ => true;
        Assert.Equal(":100000", cluster.Do("STRLEN there"));
        Assert.Equal(":100001", cluster.Do("APPEND there v"));
    }

    [Fact]
    public void A_numbered_request_that_the_heap_had_no_room_for_is_executed_when_it_comes_again()
    {
        var cluster = new TestCluster(1);
        TestNode node = cluster.Nodes[0];
        string large = new('v', 100_000);
        Assert.Equal("+OK", cluster.Do($"SET {{t}}there {large}"));
        string[] appended = ["APPEND {t}there v"];
        string[] set = [$"SET k {large}"];
        string[] batch = ["INCR {t}n", "APPEND {t}there w"];
        string[] read = ["INCR {t}n", "GET {t}there"];
        node.Memory.HeapHasRoom = static _ => false;
        Assert.StartsWith("-OOM", Do(1, appended), StringComparison.Ordinal);
        Assert.StartsWith("-OOM", Do(2, set), StringComparison.Ordinal);

        // Nothing of a batch is done: half of it could not be done again.
        Assert.StartsWith("-OOM", Do(3, batch), StringComparison.Ordinal);
        Assert.StartsWith("-OOM", Do(4, read), StringComparison.Ordinal);

        node.Memory.HeapHasRoom = static _ => true;
        Assert.Equal(":100001", Do(1, appended));
        Assert.Equal("+OK", Do(2, set));
        Assert.Equal("*2 :1 :100002", Do(3, batch));
        Assert.StartsWith("*2 :2 $100002", Do(4, read), StringComparison.Ordinal);
        Assert.Equal(":100001", Do(1, appended));
        Assert.Equal("*2 :1 :100002", Do(3, batch));
        Assert.Equal(":100002", cluster.Do("STRLEN {t}there"));

        string Do(ulong number, string[] lines) => TestCluster
            .Text(cluster.Ask(node, TestCluster.Request(lines) with { Session = new SessionRequest(7, number, 0) }))
            .ReplaceLineEndings(" ");
    }

    [Fact]
    public void A_large_reply_leaves_no_large_buffer_behind()
    {
        var reply = new Reply();
        reply.Bulk(new byte[1_000_000]);
        Assert.Equal(1_000_000 + "$1000000\r\n\r\n".Length, reply.ToArray().Length);
        reply.Clear();
        Assert.InRange(reply.Capacity, 0, 256 * 1024);
        reply.Bulk(new byte[1_000_000]);
        ReadOnlyMemory<byte> taken = reply.Take();
        Assert.Equal(1_000_000 + "$1000000\r\n\r\n".Length, taken.Length);
        Assert.Equal(0, reply.Length);
    }

    [Fact]
    public void Entries_kept_for_followers_go_when_those_of_all_groups_take_too_much()
    {
        var cluster = new TestCluster(3, groups: 3, underWayBytes: RoomBytes);
        TestNode away = cluster.Nodes.First(node => node != cluster.Leader);
        away.IsCutOff = true;
        long most = 0;
        for (int i = 0; i < 60; i++)
        {
            Assert.Equal("+OK", cluster.Do($"SET k{i} {new string('v', 1000)}"));
            most = Math.Max(most, cluster.Leader.Memory.UsedBy(MemoryUse.Entries));
        }

        cluster.Run(1000);
        long room = RoomBytes / cluster.NodeSettings.MemoryEntriesDivisor;
        Assert.True(most > room, $"only {most} bytes of entries were in memory");
        Assert.InRange(cluster.Leader.Memory.UsedBy(MemoryUse.Entries), 0, room);

        // What it missed comes from the disk.
        away.IsCutOff = false;
        cluster.AssertSameState();
        Assert.Equal(60, Enumerable.Range(0, 60).Count(i =>
            cluster.Do(away, $"GET k{i}", Quorate.Core.Raft.ReadLevel.Eventual).Length > 1000));
    }

    [Fact]
    public void What_a_dropped_partition_had_under_way_is_given_back()
    {
        var cluster = new TestCluster(1, groups: 2, underWayBytes: RoomBytes);
        TestNode node = cluster.Nodes[0];
        long before = node.Memory.UsedBy(MemoryUse.Entries);
        node.DiskStands = true;
        ulong id = cluster.Submit(node, TestCluster.Request($"SET k {new string('v', 5000)}"), group: 2);
        cluster.Settle();
        Assert.True(node.Memory.UnderWayBytes > before + 10_000);
        node.Runtime!.Drop(new(2));
        node.DiskStands = false;
        cluster.Await(node, id);
        cluster.Run(500);
        Assert.Equal(0, node.Memory.UsedBy(MemoryUse.Requests));
        Assert.InRange(node.Memory.UsedBy(MemoryUse.Entries), 0, before);
    }
}
