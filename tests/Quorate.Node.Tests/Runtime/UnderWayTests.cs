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
