using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Node.Tests.Partitions;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;

namespace Quorate.Node.Tests.Runtime;

/// <summary>Many partitions on a node share its log, its heartbeats and its budget.</summary>
public sealed class NodeRuntimeTests
{
    [Fact]
    public void Writes_of_many_partitions_share_a_sync()
    {
        var cluster = new TestCluster(1, groups: 20);
        TestNode node = cluster.Nodes[0];
        int before = node.Disk.Counts[(int)DiskOperationKind.WriteDurable];

        ulong[] ids = [.. Enumerable.Range(1, 20).Select(group => cluster.Submit(node, Set("1"), (uint)group))];
        cluster.Settle();

        Assert.All(ids, id => Assert.Equal("+OK", TestCluster.Text(node.ReplyTo(id)!.Value)));
        Assert.InRange(node.Disk.Counts[(int)DiskOperationKind.WriteDurable] - before, 1, 4);
    }

    [Fact]
    public void Partitions_do_not_see_each_others_keys_and_all_survive_a_restart()
    {
        var cluster = new TestCluster(1, groups: 5);
        TestNode node = cluster.Nodes[0];
        for (uint group = 1; group <= 5; group++)
        {
            ulong id = cluster.Submit(node, Set($"{group}"), group);
            Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, id)));
        }

        cluster.Restart(node);
        cluster.AwaitLeader();

        for (uint group = 1; group <= 5; group++)
        {
            ulong id = cluster.Submit(node, TestCluster.Request("GET k"), group);
            Assert.Equal($"$1\r\n{group}", TestCluster.Text(cluster.Await(node, id)));
        }

        Assert.Empty(node.UnknownStreams);
    }

    [Fact]
    public void Idle_partitions_send_nothing_and_cost_no_more_calls_than_one()
    {
        (int callsOfOne, int sentOfOne) = Idle(groups: 1);
        (int callsOfMany, int sentOfMany) = Idle(groups: 100);

        Assert.Equal(0, sentOfOne);
        Assert.Equal(0, sentOfMany);
        Assert.InRange(callsOfMany, 0, callsOfOne + 5);
    }

    [Fact]
    public void A_node_that_falls_silent_wakes_the_groups_that_it_led()
    {
        var cluster = new TestCluster(3, groups: 10);
        cluster.Run(3000);
        cluster.Nodes[0].Stop();
        cluster.Run(5000);

        for (uint group = 1; group <= 10; group++)
        {
            var id = new GroupId(group);
            TestNode leader = cluster.Nodes.Single(node => node.Runtime?.Find(id) is { IsLeader: true });
            ulong request = cluster.Submit(leader, Set("1"), group);
            Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, request)));
        }
    }

    [Fact]
    public void A_partition_that_is_dropped_leaves_nothing()
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 2 } };
        var cluster = new TestCluster(1, settings, groups: 2);
        TestNode node = cluster.Nodes[0];
        for (int i = 0; i < 5; i++)
        {
            cluster.Await(node, cluster.Submit(node, Set("1"), group: 2));
        }

        Assert.Contains(node.Disk.Names, name => name.StartsWith("g2.", StringComparison.Ordinal));
        node.Runtime!.Drop(new GroupId(2));
        cluster.Settle();

        Assert.Equal([new GroupId(2)], node.Dropped);
        Assert.DoesNotContain(node.Disk.Names, name => name.StartsWith("g2.", StringComparison.Ordinal));
        ulong late = cluster.Submit(node, Set("1"), group: 2);
        Assert.Equal("Refused NotLeader", TestCluster.Text(node.ReplyTo(late)!.Value));
        Assert.Equal("+OK", cluster.Do("SET k 1"));

        cluster.Groups = 1;
        cluster.Restart(node);
        cluster.AwaitLeader();
        Assert.Empty(node.UnknownStreams);
    }

    [Fact]
    public void A_partition_to_which_nothing_happens_does_not_keep_the_log_of_all()
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 50 } };
        var cluster = new TestCluster(1, settings, groups: 2);
        TestNode node = cluster.Nodes[0];
        cluster.Await(node, cluster.Submit(node, Set("1"), group: 1));
        for (int i = 0; i < 600; i++)
        {
            cluster.Await(node, cluster.Submit(node, Set("1"), group: 2));
        }

        cluster.Settle();
        int files = node.Disk.Names.Count(name => name.StartsWith("node-log-", StringComparison.Ordinal));
        NodeLogSettings log = cluster.NodeSettings.Log;
        Assert.InRange(files, 1, log.SegmentsKeptMax + log.SparesMax + 2);

        cluster.Restart(node);
        cluster.AwaitLeader();
        ulong id = cluster.Submit(node, TestCluster.Request("GET k"), group: 1);
        Assert.Equal("$1\r\n1", TestCluster.Text(cluster.Await(node, id)));
    }

    [Fact]
    public void The_rows_of_a_dropped_partition_go_only_after_its_log_is_durably_gone()
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 2 } };
        var cluster = new TestCluster(1, settings, groups: 2);
        TestNode node = cluster.Nodes[0];
        for (int i = 0; i < 5; i++)
        {
            cluster.Await(node, cluster.Submit(node, Set("1"), group: 2));
        }

        List<string> done = [];
        node.Disk.Fate = operation =>
        {
            done.Add($"{operation.Kind} {operation.File}");
            return DiskStatus.Done;
        };
        node.Runtime!.Drop(new GroupId(2));
        cluster.Settle();

        int logged = done.FindIndex(what => what.StartsWith("WriteDurable node-log-", StringComparison.Ordinal));
        int deleted = done.FindIndex(what => what.StartsWith("Delete g2.", StringComparison.Ordinal));
        Assert.InRange(logged, 0, deleted - 1);
    }

    /// <summary>Seed 73 --values of the first simulation of whole nodes: an invariant ended the process.</summary>
    [Fact]
    public void A_partition_may_be_dropped_while_the_log_is_still_read()
    {
        var cluster = new TestCluster(1, groups: 2);
        TestNode node = cluster.Nodes[0];
        cluster.Await(node, cluster.Submit(node, Set("1"), group: 2));
        node.Stop();
        node.Start(cluster.Membership, groups: 2);

        node.Runtime!.Drop(new GroupId(2));
        cluster.Settle();
        cluster.AwaitLeader();

        Assert.Equal([new GroupId(2)], node.Dropped);
        Assert.Empty(node.UnknownStreams);
        Assert.DoesNotContain(node.Disk.Names, name => name.StartsWith("g2.", StringComparison.Ordinal));
        Assert.Equal("+OK", cluster.Do("SET k 1"));
    }

    /// <summary>Seed 88 --values of the first simulation of whole nodes: the failed sync was not heard.</summary>
    [Fact]
    public void A_disk_that_fails_while_a_dropped_partition_goes_ends_the_node()
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 2 } };
        var cluster = new TestCluster(1, settings, groups: 2, hasRealStores: true);
        TestNode node = cluster.Nodes[0];
        for (int i = 0; i < 5; i++)
        {
            cluster.Await(node, cluster.Submit(node, Set("1"), group: 2));
        }

        node.Disk.Fate = operation =>
            operation.Kind == DiskOperationKind.SyncFolder ? DiskStatus.Failed : DiskStatus.Done;
        node.Runtime!.Drop(new GroupId(2));
        cluster.Settle();

        Assert.NotNull(node.Ending);
        Assert.Empty(node.Dropped);
    }

    [Fact]
    public void What_the_log_holds_of_unknown_partitions_is_told_and_can_be_dropped()
    {
        var cluster = new TestCluster(1, groups: 2);
        TestNode node = cluster.Nodes[0];
        cluster.Await(node, cluster.Submit(node, Set("1"), group: 2));
        cluster.Groups = 1;
        cluster.Restart(node);
        cluster.AwaitLeader();
        Assert.Equal([new GroupId(2)], node.UnknownStreams.Select(stream => stream.Group));

        node.Runtime!.DropLog(node.UnknownStreams[0]);
        cluster.Settle();
        node.UnknownStreams.Clear();
        cluster.Restart(node);
        cluster.AwaitLeader();

        Assert.Empty(node.UnknownStreams);
    }

    [Fact]
    public void A_partition_is_opened_at_run_time()
    {
        var cluster = new TestCluster(3, groups: 1);
        foreach (TestNode node in cluster.Nodes)
        {
            node.Open(new GroupId(2), cluster.Membership);
        }

        cluster.Run(2000);

        TestNode leader = cluster.Nodes.Single(node => node.Runtime!.Find(new(2))!.IsLeader);
        ulong id = cluster.Submit(leader, Set("1"), group: 2);
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, id)));
    }

    [Fact]
    public void Writes_are_refused_while_the_node_is_over_its_memory()
    {
        var cluster = new TestCluster(1);
        TestNode node = cluster.Nodes[0];
        cluster.Do("SET k 1");
        node.Memory.Take(MemoryUse.Memtables, node.Memory.TotalBytes * 2);

        Assert.Equal("Refused MemoryIsFull", cluster.Do("SET k 2"));
        Assert.Equal("$1\r\n1", cluster.Do("GET k"));

        node.Memory.Give(MemoryUse.Memtables, node.Memory.TotalBytes * 2);
        Assert.Equal("+OK", cluster.Do("SET k 2"));
    }

    [Fact]
    public void The_cache_of_blocks_gives_way_before_writes_are_refused()
    {
        var cluster = new TestCluster(1, hasRealStores: true);
        TestNode node = cluster.Nodes[0];
        string value = new('v', 20_000);
        for (int i = 0; i < 60; i++)
        {
            cluster.Do($"SET k{i} {value}");
        }

        node.Partition!.WantCheckpoint();
        cluster.Run(1000);
        Press(node, 2);
        cluster.Do("GET k0");
        cluster.Run(1000);
        Press(node, -2);
        for (int i = 0; i < 60; i++)
        {
            cluster.Do($"GET k{i}");
        }

        long before = node.Cache.Bytes;
        Assert.True(before > node.Cache.BytesMax * 3 / 4, $"only {before} bytes of blocks are kept");
        Press(node, 1);
        Assert.Equal(before, node.Cache.Bytes);

        Assert.Equal("+OK", cluster.Do("SET new 1"));

        Assert.InRange(node.Cache.Bytes, 0, node.Cache.BytesMax / 2);
        Press(node, -1);
    }

    /// <summary>As if others took so often all the memory that there is, or gave it back.</summary>
    private static void Press(TestNode node, int times)
    {
        long bytes = node.Memory.TotalBytes * Math.Abs(times);
        if (times > 0)
        {
            node.Memory.Take(MemoryUse.Memtables, bytes);
        }
        else
        {
            node.Memory.Give(MemoryUse.Memtables, bytes);
        }
    }

    [Fact]
    public void Rows_in_memory_only_are_written_out_before_they_fill_it()
    {
        // By entries and bytes of a partition alone none of the checkpoints would be due.
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 1_000_000 } };
        var cluster = new TestCluster(1, settings, groups: 4, hasRealStores: true, memoryBytes: 3 * 1024 * 1024);
        TestNode node = cluster.Nodes[0];
        string value = new('v', 20_000);
        for (int i = 0; i < 400; i++)
        {
            uint group = (uint)(i % 4) + 1;
            ulong id = cluster.Submit(node, TestCluster.Request($"SET k{i} {value}"), group);
            Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, id)));
        }

        ulong read = cluster.Submit(node, TestCluster.Request("STRLEN k0"), group: 1);
        Assert.Equal(":20000", TestCluster.Text(cluster.Await(node, read)));
        Assert.Equal(0, node.Memory.OverBytes);
    }

    [Fact]
    public void A_leader_whose_clock_strays_hands_over()
    {
        var cluster = new TestCluster(3);
        TestNode stray = cluster.Leader;

        stray.WallClockStray = 60_000;
        cluster.Do("SET k 1");
        cluster.Run(2000);

        Assert.NotSame(stray, cluster.Leader);
        Assert.Equal("+OK", cluster.Do("SET k 2"));
    }

    [Fact]
    public void A_log_that_fails_ends_the_node_once()
    {
        var cluster = new TestCluster(1, groups: 3);
        TestNode node = cluster.Nodes[0];
        node.Disk.Fate = operation =>
            operation.Kind == DiskOperationKind.WriteDurable ? DiskStatus.Failed : DiskStatus.Done;

        cluster.Submit(node, Set("1"));
        cluster.Settle();

        Assert.NotNull(node.Ending);
    }

    private static (int Calls, int Sent) Idle(int groups)
    {
        var cluster = new TestCluster(3, groups: groups);
        cluster.Run(5000);
        int calls = cluster.Nodes.Sum(node => node.Calls);
        int sent = cluster.Nodes.Sum(node => node.Sent);
        cluster.Run(5000);
        return (cluster.Nodes.Sum(node => node.Calls) - calls, cluster.Nodes.Sum(node => node.Sent) - sent);
    }

    private static PartitionRequest Set(string value) => TestCluster.Request($"SET k {value}");
}
