using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;

namespace Quorate.Node.Tests.Partitions;

/// <summary>Rows expire by the time of the log, at all replicas alike.</summary>
public sealed class ExpiryTests
{
    [Fact]
    public void A_row_that_is_due_is_gone_at_the_leader_at_once_and_elsewhere_soon()
    {
        var cluster = new TestCluster(3);
        cluster.Do("SET k 1 PX 500");
        Assert.Equal("$1\r\n1", cluster.Do("GET k"));

        cluster.Run(600);

        Assert.Equal("_", cluster.Do("GET k"));
        foreach (TestNode node in cluster.Nodes)
        {
            Assert.Equal("_", cluster.Do(node, "GET k", ReadLevel.Eventual));
        }

        cluster.AssertSameState();
    }

    [Theory]
    [InlineData("SET k 1")]
    [InlineData("SETNX k 1")]
    [InlineData("MSET k 1 {k}j 2")]
    [InlineData("INCR k")]
    [InlineData("APPEND k 1")]
    [InlineData("GETSET k 1")]
    [InlineData("SET k 1 KEEPTTL")]
    [InlineData("HSET k f 1")]
    [InlineData("RPUSH k 1")]
    [InlineData("SADD k 1")]
    [InlineData("ZADD k 1 a")]
    [InlineData("JSON.SET k . 5")]
    public void A_key_written_without_an_expiry_has_the_keyspaces(string write)
    {
        var cluster = new TestCluster(3, new PartitionSettings { TtlMilliseconds = 500 });
        cluster.Do(write);
        Assert.Equal(":1", cluster.Do("EXISTS k"));

        cluster.Run(600);

        Assert.Equal(":0", cluster.Do("EXISTS k"));
        cluster.AssertSameState();
    }

    [Fact]
    public void What_says_its_expiry_or_that_it_has_none_keeps_it_and_a_change_counts_from_then_on()
    {
        var cluster = new TestCluster(3, new PartitionSettings { TtlMilliseconds = 500 });
        cluster.Do("SET long 1 PX 5000");
        cluster.Do("SET kept 1");
        Assert.Equal(":1", cluster.Do("PERSIST kept"));
        cluster.Do("INCR kept");
        cluster.Do("HSET h f 1");
        cluster.Do("PERSIST h");
        cluster.Do("HSET h g 1");
        cluster.Do("SET old 1");
        foreach (TestNode node in cluster.Nodes)
        {
            node.Partition!.Change(null, 0);
        }

        cluster.Do("SET new 1");
        cluster.Run(600);
        Assert.Equal(":4", cluster.Do("EXISTS long kept h new"));
        Assert.Equal(":0", cluster.Do("EXISTS old"));
        Assert.Equal(":-1", cluster.Do("TTL kept"));
        cluster.AssertSameState();
    }

    [Fact]
    public void A_leader_that_remembers_no_expiry_has_the_time_moved_on_before_it_answers()
    {
        var cluster = new TestCluster(3, new PartitionSettings { ExpiriesTrackedMax = 0 });
        cluster.Do("SET k 1 PX 500");
        cluster.Run(600);
        TestNode follower = cluster.Nodes.First(node => node != cluster.Leader);
        Assert.Equal("$1\r\n1", cluster.Do(follower, "GET k", ReadLevel.Eventual));

        Assert.Equal("_", cluster.Do("GET k"));

        cluster.Run(100);
        Assert.Equal("_", cluster.Do(follower, "GET k", ReadLevel.Eventual));
    }

    [Fact]
    public void Time_rises_when_a_read_and_a_write_wait_for_the_first_turn_of_a_term()
    {
        var cluster = new TestCluster(1, new PartitionSettings { ExpiriesTrackedMax = 0 });
        TestNode node = cluster.Leader;
        cluster.Do("SET k 1 PX 500");
        cluster.Restart(node);
        node.DiskStands = true;
        cluster.Run(3000);
        while (!node.Partition!.IsLeader)
        {
            Assert.True(node.Disk.RunOne());
        }

        ulong read = cluster.Submit(node, "GET k");
        ulong write = cluster.Submit(node, "SET j 1");
        node.DiskStands = false;

        Assert.Equal("_", TestCluster.Text(cluster.Await(node, read)));
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, write)));
    }

    [Fact]
    public void A_read_does_not_wait_for_what_falls_due_after_it_came()
    {
        var cluster = new TestCluster(1, new PartitionSettings { ExpiriesTrackedMax = 0 });
        TestNode leader = cluster.Leader;
        cluster.Do("SET k 1 PX 500");
        cluster.Do("SET j 1 PX 600");
        cluster.Run(550);

        leader.DiskStands = true;
        ulong read = cluster.Submit(leader, "DBSIZE");
        cluster.Settle();
        cluster.Run(200);
        Assert.Null(leader.ReplyTo(read));
        leader.DiskStands = false;

        Assert.Equal(":1", TestCluster.Text(cluster.Await(leader, read)));
        Assert.Equal(":0", cluster.Do("DBSIZE"));
    }

    [Fact]
    public void A_replica_whose_clock_is_fast_does_not_judge_by_it()
    {
        var cluster = new TestCluster(3);
        cluster.Do("SET k 1 PX 5000");
        TestNode follower = cluster.Nodes.First(node => node != cluster.Leader);
        cluster.Run(100);

        follower.WallClockStray = 8000;

        Assert.Equal("$1\r\n1", cluster.Do(follower, "GET k", ReadLevel.Eventual));
        Assert.Equal("$1\r\n1", cluster.Do(follower, "GET k", ReadLevel.Linearizable));
    }

    [Fact]
    public void A_new_leader_that_moves_the_time_on_first_gives_the_next_entry_a_later_one()
    {
        var cluster = new TestCluster(1);
        TestNode node = cluster.Nodes[0];
        cluster.Do("SET k 1 PX 500");
        node.TurnsStandWhenElected = true;
        cluster.Restart(node);
        for (int i = 0; i < 100 && !node.Leads; i++)
        {
            cluster.Run(50);
        }

        // Both wait for its first turn, in which the read finds the key due and has the time moved on.
        cluster.Run(600);
        Instant deadline = cluster.Now + Duration.FromSeconds(5);
        ulong read = cluster.Submit(node, TestCluster.Request("GET k") with { Deadline = deadline });
        ulong write = cluster.Submit(node, TestCluster.Request("SET other 1") with { Deadline = deadline });
        cluster.Run(300);
        node.TurnsStandWhenElected = false;

        Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, write)));
        Assert.Equal("_", TestCluster.Text(cluster.Await(node, read)));
    }

    [Fact]
    public void The_logged_time_does_not_go_back_with_a_leader_whose_clock_is_slow()
    {
        var cluster = new TestCluster(3);
        cluster.Do("SET k 1");
        HybridTime before = cluster.Leader.Partition!.Rows.Time;
        foreach (TestNode node in cluster.Nodes)
        {
            node.WallClockStray = -3_600_000;
        }

        Assert.Equal("+OK", cluster.Do("SET k 2"));
        Assert.Equal("+OK", cluster.Do("SET k 3"));

        Assert.True(cluster.Leader.Partition!.Rows.Time > before);
        Assert.True(cluster.Leader.Partition!.Rows.Time.Milliseconds == before.Milliseconds);
        cluster.AssertSameState();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_clock_that_jumps_for_a_moment_takes_no_key_away_and_holds_none_back(int nodes)
    {
        var cluster = new TestCluster(nodes);
        TestNode leader = cluster.Leader;
        cluster.Run(3000);
        cluster.Do("SET long 1 EX 1800");

        leader.WallClockStray = 7_200_000;
        cluster.Do("SET other 1");
        cluster.Run(300);
        leader.WallClockStray = 0;
        cluster.Run(3000);

        Assert.Equal("$1\r\n1", cluster.Do("GET long"));
        cluster.Do("SET short 1 EX 3");
        cluster.Run(3500);
        Assert.Equal("_", cluster.Do("GET short"));
        Assert.Equal("$1\r\n1", cluster.Do("GET long"));
    }

    [Fact]
    public void A_clock_that_jumps_and_stays_is_believed_after_a_minute_when_no_other_node_says_otherwise()
    {
        var cluster = new TestCluster(1);
        cluster.Run(3000);
        cluster.Do("SET k 1 EX 1800");
        cluster.Nodes[0].WallClockStray = 7_200_000;
        cluster.Run(58_000);
        Assert.Equal("$1\r\n1", cluster.Do("GET k"));
        string problem = Assert.Single(cluster.Nodes[0].Runtime!.ClockProblems());
        Assert.Contains("not believed", problem, StringComparison.Ordinal);

        cluster.Run(3000);

        Assert.Equal("_", cluster.Do("GET k"));
        Assert.Empty(cluster.Nodes[0].Runtime!.ClockProblems());
    }

    [Fact]
    public void A_node_that_starts_with_a_wrong_clock_and_comes_to_lead_logs_the_others_time()
    {
        var cluster = new TestCluster(3);
        cluster.Run(3000);
        cluster.Do("SET k 1 EX 1800");
        TestNode stray = cluster.Leader;
        stray.WallClockStray = 7_200_000;
        cluster.Restart(stray);
        for (int i = 0; i < 200; i++)
        {
            cluster.Run(50);
            if (stray.Partition is { IsLeader: true })
            {
                cluster.Do("SET other 1");
            }
            else if (cluster.Nodes.FirstOrDefault(node => node.Partition is { IsLeader: true }) is { } leader)
            {
                leader.Partition!.Transfer(new RequestId(900_000 + (ulong)i), stray.Id);
            }
        }

        Assert.Equal("$1\r\n1", cluster.Do("GET k"));
        long logged = stray.Partition!.Rows.Time.Milliseconds;
        Assert.InRange(logged, cluster.WallClock - 20_000, cluster.WallClock + 20_000);
    }

    [Fact]
    public void A_node_that_is_started_while_all_clocks_have_jumped_takes_the_time_of_those_that_ran_before()
    {
        var cluster = new TestCluster(3);
        cluster.Run(3000);
        cluster.Do("SET k 1 EX 1800");
        Array.ForEach(cluster.Nodes, node => node.WallClockStray = 7_200_000);
        cluster.Restart(cluster.Leader);
        cluster.AwaitLeader();
        for (int i = 0; i < 50; i++)
        {
            cluster.Run(100);
            cluster.Do("SET other 1");
        }

        Assert.Equal("$1\r\n1", cluster.Do("GET k"));
        Assert.All(cluster.Nodes, node => Assert.InRange(
            node.Partition!.Rows.Time.Milliseconds, 0, cluster.WallClock + 1000));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_that_was_started_logs_nothing_before_it_has_heard_the_time_of_most_others(bool areHeard)
    {
        var cluster = new TestCluster(1);
        TestNode node = cluster.Nodes[0];
        cluster.Do("SET k 1 EX 1800");
        node.WallClockStray = 7_200_000;
        cluster.Restart(node);
        NodeId[] others = [new(8), new(9)];
        Array.ForEach(others, other => node.Runtime!.Watch(other));
        for (int i = 0; i < 150 && node.Partition is not { IsLeader: true }; i++)
        {
            cluster.Run(10);
        }

        ulong id = cluster.Submit(node, TestCluster.Request("SET j 1") with
        {
            Deadline = cluster.Now + Duration.FromSeconds(10),
        });
        cluster.Run(100);
        Assert.True(node.Partition is { IsLeader: true });
        Assert.Null(node.ReplyTo(id));

        if (areHeard)
        {
            Array.ForEach(others, other => node.Runtime!.Hear(
                new(other, 1, true, cluster.WallClock, Time: cluster.WallClock)));
        }

        cluster.Run(2500);
        Assert.Equal("+OK", TestCluster.Text(node.ReplyTo(id)!.Value));
        Assert.Equal(areHeard ? "$1\r\n1" : "_", cluster.Do("GET k"));
    }

    [Fact]
    public void Keys_expire_while_the_log_is_ahead_of_the_clock_and_the_node_says_so()
    {
        var cluster = new TestCluster(1);
        TestNode node = cluster.Nodes[0];
        node.WallClockStray = 7_200_000;
        cluster.Restart(node);
        cluster.Run(3000);
        cluster.Do("SET k 1");
        node.WallClockStray = 0;
        cluster.Restart(node);
        cluster.Run(3000);
        Assert.Contains("ahead of the clock", Assert.Single(node.Runtime!.ClockProblems()), StringComparison.Ordinal);

        cluster.Do("SET short 1 EX 3");
        cluster.Run(2500);
        Assert.Equal("$1\r\n1", cluster.Do("GET short"));
        cluster.Run(1000);
        Assert.Equal("_", cluster.Do("GET short"));
    }

    [Fact]
    public void A_write_sees_a_row_as_expired_by_its_own_time()
    {
        var cluster = new TestCluster(1, new PartitionSettings { ExpiriesTrackedMax = 0 });
        cluster.Do("SET k 1 PX 500");
        cluster.Run(600);

        Assert.Equal("+OK", cluster.Do("SET k 2 NX"));
        Assert.Equal("$1\r\n2", cluster.Do("GET k"));
    }

    [Fact]
    public void Idle_time_after_the_last_expiry_costs_no_entries()
    {
        var cluster = new TestCluster(1);
        cluster.Do("SET k 1 PX 500");
        cluster.Run(2000);
        LogIndex before = cluster.Leader.Partition!.Replica.AppliedAt.Index;

        cluster.Run(10_000);

        Assert.Equal(before, cluster.Leader.Partition!.Replica.AppliedAt.Index);
    }

    [Fact]
    public void Only_so_many_moments_are_kept_in_mind_the_earliest_ones()
    {
        var schedule = new ExpirySchedule(3);
        var writer = new System.Buffers.ArrayBufferWriter<byte>();
        foreach (long moment in new long[] { 50, 10, 40, 30, 20 })
        {
            Storage.Rows.RowChanges.Write(
                writer, new(Storage.Rows.RowKey.Of("k"u8), Storage.Rows.RowType.Text, moment, default));
        }

        schedule.Note(writer.WrittenSpan);

        Assert.Equal((3, 10L), (schedule.Count, schedule.Earliest));
        schedule.Passed(HybridTime.FromMilliseconds(29));
        Assert.Equal((1, 30L), (schedule.Count, schedule.Earliest));
    }
}
