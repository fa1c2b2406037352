using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;

namespace Quorate.Node.Tests.Partitions;

/// <summary>What arrives together is written together and sent together, and waits rather than be refused.</summary>
public sealed class TurnTests
{
    [Fact]
    public void Writes_of_three_levels_make_one_write_and_one_append_for_each_peer()
    {
        var cluster = new TestCluster(3);
        TestNode leader = cluster.Leader;
        LogIndex before = leader.Partition!.Replica.Group!.LastIndex;
        List<RaftMessage> sent = Watch(leader);
        leader.DiskStands = true;

        ulong[] ids =
        [
            .. new[] { WriteLevel.Majority, WriteLevel.Leader, WriteLevel.All, WriteLevel.Majority }.Select(
                (level, i) => cluster.Submit(leader, TestCluster.Request($"SET k{i} {i}") with { WriteLevel = level })),
        ];
        leader.RunOne();

        Assert.Equal(before + 4, leader.Partition.Replica.Group.LastIndex);
        Assert.Equal(1, leader.Partition.Replica.Waiting.Persists);
        Assert.Equal(2, sent.Count(message => message.Kind == MessageKind.AppendRequest));
        Assert.All(sent, message => Assert.Equal(4, message.Entries!.Length));
        leader.DiskStands = false;
        foreach (ulong id in ids)
        {
            Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, id)));
        }
    }

    /// <summary>Each partition has buffers of its own, and there are many partitions.</summary>
    [Theory]
    [InlineData("SET k {0}", "GET k")]
    [InlineData("SET k {0}", "APPEND k {0}")]
    [InlineData("HSET k f {0}", "HGETALL k")]
    public void What_a_large_value_needed_to_be_evaluated_in_does_not_stay(string write, string next)
    {
        var cluster = new TestCluster(1);
        TestNode leader = cluster.Leader;
        string value = new('v', 4 << 20);
        foreach (string line in (string[])[write, next])
        {
            ulong id = cluster.Submit(leader, string.Format(CultureInfo.InvariantCulture, line, value));
            string reply = TestCluster.Text(cluster.Await(leader, id));
            Assert.False(reply.StartsWith('-'), reply[..Math.Min(reply.Length, 100)]);
            Assert.InRange(leader.Partition!.BufferBytes, 0, 2 * KeptBuffer.BytesMax);
        }
    }

    [Fact]
    public void Appends_that_come_together_are_written_and_acknowledged_together()
    {
        var cluster = new TestCluster(3);
        TestNode leader = cluster.Leader;
        TestNode follower = cluster.Nodes.First(node => node != leader);
        List<RaftMessage> appends = Watch(leader);
        LogIndex before = leader.Partition!.Replica.Group!.LastIndex;
        leader.IsCutOff = true;
        for (int i = 0; i < 5; i++)
        {
            cluster.Submit(leader, $"SET k {i}");
            cluster.Settle();
        }

        RaftMessage[] toFollower =
        [
            .. appends.Where(message => message.Kind == MessageKind.AppendRequest && message.To == follower.Id),
        ];
        Assert.Equal(5, toFollower.Length);
        List<RaftMessage> answers = Watch(follower);
        foreach (RaftMessage message in toFollower)
        {
            follower.Runtime!.Receive(new(1), message);
        }

        follower.DiskStands = true;
        follower.RunOne();
        Assert.Equal(1, follower.Partition!.Replica.Waiting.Persists);
        follower.DiskStands = false;
        cluster.Settle();

        RaftMessage answer = Assert.Single(answers, message => message.Kind == MessageKind.AppendResponse);
        Assert.Equal(before + 5, answer.Index);
    }

    [Fact]
    public void Requests_wait_for_a_slow_disk_and_are_not_refused()
    {
        var cluster = new TestCluster(1, raft: new RaftSettings { PersistsInFlightMax = 4 });
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        List<ulong> ids = [];
        for (int i = 0; i < 50; i++)
        {
            ids.Add(cluster.Submit(leader, string.Create(CultureInfo.InvariantCulture, $"RPUSH l {i}")));
            cluster.Settle();
        }

        Assert.All(ids, id => Assert.Null(leader.ReplyTo(id)));
        Assert.True(leader.Partition!.Replica.Waiting.Persists <= 4);
        LogIndex before = leader.Partition.Replica.Group!.LastIndex;
        leader.DiskStands = false;
        for (int i = 0; i < ids.Count; i++)
        {
            Assert.Equal($":{i + 1}", TestCluster.Text(cluster.Await(leader, ids[i])));
        }

        // What had to wait went into one entry.
        Assert.Equal(before.Next, leader.Partition.Replica.Group.LastIndex);
    }

    [Fact]
    public void Large_writes_wait_for_room_and_are_not_refused()
    {
        var cluster = new TestCluster(1, raft: new RaftSettings { UncommittedBytesMax = 10_000 });
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        string value = new('x', 4000);
        List<ulong> ids = [];
        for (int i = 0; i < 20; i++)
        {
            ids.Add(cluster.Submit(leader, $"APPEND k {value}"));
            cluster.Settle();
        }

        Assert.All(ids, id => Assert.Null(leader.ReplyTo(id)));
        leader.DiskStands = false;
        for (int i = 0; i < ids.Count; i++)
        {
            Assert.Equal($":{(i + 1) * 4000}", TestCluster.Text(cluster.Await(leader, ids[i])));
        }
    }

    [Fact]
    public void Who_waits_for_a_disk_that_stands_is_refused_at_the_deadline()
    {
        var cluster = new TestCluster(1, raft: new RaftSettings { PersistsInFlightMax = 1 });
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        Instant deadline = cluster.Now + Duration.FromMilliseconds(500);
        ulong first = cluster.Submit(leader, TestCluster.Request("SET k 1") with { Deadline = deadline });
        cluster.Settle();
        ulong second = cluster.Submit(leader, TestCluster.Request("SET k 2") with { Deadline = deadline });
        cluster.Run(1000);

        Assert.Equal("Unknown DeadlinePassed", TestCluster.Text(leader.ReplyTo(first)!.Value));
        Assert.Equal("Refused DeadlinePassedUnlogged", TestCluster.Text(leader.ReplyTo(second)!.Value));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Commands_over_all_keys_go_on_in_other_turns(bool hasRealStores)
    {
        var cluster = new TestCluster(1, Small(), hasRealStores: hasRealStores);
        for (int i = 0; i < 100; i++)
        {
            cluster.Do($"RPUSH k{i} a b c");
        }

        cluster.Do("SET gone 1 PX 1");
        cluster.Run(500);

        Assert.Equal(":100", cluster.Do("DBSIZE"));
        string[] keys = cluster.Do("KEYS k?").Split("\r\n");
        Assert.Equal("*10", keys[0]);
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i => $"k{i}"),
            keys.Where(line => line.StartsWith('k')).Order(StringComparer.Ordinal));
        string scanned = cluster.Do("SCAN 0 COUNT 1000");
        Assert.StartsWith("*2\r\n$", scanned, StringComparison.Ordinal);
        Assert.DoesNotContain("$1\r\n0\r\n*100", scanned, StringComparison.Ordinal);
    }

    [Fact]
    public void One_turn_does_not_hold_the_node()
    {
        var cluster = new TestCluster(1, Small(), groups: 2);
        for (int i = 0; i < 200; i++)
        {
            cluster.Do($"SET k{i} 1");
        }

        cluster.Ask(cluster.Leader, TestCluster.Request("GET k1"));
        TestNode node = cluster.Leader;
        ulong count = cluster.Submit(node, "DBSIZE");
        int turns = 0;
        ulong other = cluster.Submit(node, TestCluster.Request("GET k1"), group: 2);
        bool isOtherFirst = false;
        while (node.ReplyTo(count) is null && turns < 1000)
        {
            node.RunOne();
            turns++;
            isOtherFirst |= node.ReplyTo(other) is not null && node.ReplyTo(count) is null;
        }

        Assert.Equal(":200", TestCluster.Text(cluster.Await(node, count)));
        Assert.True(isOtherFirst);
        Assert.True(turns > 10, $"{turns} turns");
    }

    [Fact]
    public void A_turn_evaluates_no_more_than_it_may()
    {
        var settings = Small() with { TurnRowsMax = 10 };
        var cluster = new TestCluster(1, settings);
        TestNode leader = cluster.Leader;
        cluster.Do("SET k 1");
        ulong[] ids = [.. Enumerable.Range(0, 40).Select(_ => cluster.Submit(leader, "DEL k"))];
        LogIndex before = leader.Partition!.Replica.Group!.LastIndex;
        leader.DiskStands = true;
        leader.RunOne();
        leader.RunOne();
        Assert.Equal(before + 2, leader.Partition.Replica.Group.LastIndex);

        leader.DiskStands = false;
        Assert.Equal(1, ids.Count(id => TestCluster.Text(cluster.Await(leader, id)) == ":1"));
    }

    [Fact]
    public void A_turn_that_takes_long_is_broken_off_for_heartbeats()
    {
        var cluster = new TestCluster(1, groups: 3);
        TestNode node = cluster.Leader;
        cluster.Run(1000);
        ulong[] ids = [1, 2, 3];
        ulong[] before = [.. ids.Select(LastOf)];
        ulong[] asked = [.. ids.Select(id => cluster.Submit(node, TestCluster.Request("SET k 1"), group: (uint)id))];
        node.DiskStands = true;
        node.EachLookTakes = Duration.FromMilliseconds(50);
        node.RunOne();
        node.EachLookTakes = Duration.Zero;
        Assert.Single(ids.Where((id, i) => LastOf(id) > before[i]));

        node.DiskStands = false;
        Assert.All(asked, id => Assert.Equal("+OK", TestCluster.Text(cluster.Await(node, id))));

        ulong LastOf(ulong id) => node.Runtime!.Find(new((uint)id))!.Replica.Group!.LastIndex.Value;
    }

    [Fact]
    public void A_turn_applies_no_more_than_it_may()
    {
        const int Writes = 8;
        var settings = new PartitionSettings { TurnBytesMax = 1000, ProposalBytesMax = 1 };
        var cluster = new TestCluster(1, settings, raft: new RaftSettings { ApplyBytesMax = 1 });
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        string value = new('v', 1000);
        ulong[] ids = [.. Enumerable.Range(0, Writes).Select(i => cluster.Submit(leader, $"SET k{i} {value}"))];
        cluster.Settle();
        LogIndex last = leader.Partition!.Replica.Group!.LastIndex;
        LogIndex applied = leader.Partition.Replica.AppliedAt.Index;
        Assert.Equal(applied + Writes, last);
        leader.DiskStands = false;
        int turns = 0;
        for (LogIndex seen = applied; leader.RunOne() && seen < last;)
        {
            LogIndex now = leader.Partition.Replica.AppliedAt.Index;
            Assert.InRange(now.Value, seen.Value, seen.Value + 1);
            turns += now > seen ? 1 : 0;
            seen = now;
        }

        Assert.Equal(Writes, turns);
        Assert.All(ids, id => Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, id))));
    }

    [Fact]
    public void Readers_without_end_leave_writes_their_turn()
    {
        var cluster = new TestCluster(1, Small());
        TestNode leader = cluster.Leader;
        cluster.Do($"RPUSH l {string.Join(' ', Enumerable.Range(0, 30))}");
        ulong[] readers = [cluster.Submit(leader, "LRANGE l 0 -1"), cluster.Submit(leader, "LRANGE l 0 -1")];
        ulong write = cluster.Submit(leader, "SET k 1");
        for (int i = 0; i < 200 && leader.ReplyTo(write) is null; i++)
        {
            leader.RunOne();
            for (int reader = 0; reader < readers.Length; reader++)
            {
                if (leader.ReplyTo(readers[reader]) is not null)
                {
                    readers[reader] = cluster.Submit(leader, "LRANGE l 0 -1");
                }
            }
        }

        Assert.Equal("+OK", TestCluster.Text(leader.ReplyTo(write)!.Value));
    }

    /// <summary>
    /// A row of the second piece is due by the clock and not by the log: that piece is run again, from the same place
    /// and with the same keys before it.
    /// </summary>
    [Fact]
    public void A_piece_that_is_run_again_finds_its_keys_once()
    {
        var cluster = new TestCluster(1, Small());
        TestNode leader = cluster.Leader;
        for (int i = 0; i < 40; i++)
        {
            cluster.Do($"SET k{i} 1");
        }

        string[] keys = [.. KeysIn(cluster.Do("KEYS *"))];
        Assert.Equal(40, keys.Length);
        cluster.Do($"PEXPIRE {keys[15]} 500");

        // Within what is believed at once.
        leader.WallClockStray = 900;
        ulong id = cluster.Submit(leader, "KEYS *");

        Assert.Equal(keys.Where(key => key != keys[15]), KeysIn(TestCluster.Text(cluster.Await(leader, id))));
    }

    [Theory]
    [InlineData("DBSIZE")]
    [InlineData("KEYS *")]
    public void Commands_over_more_keys_than_the_memory_holds_hold_little_of_what_they_have_passed(string line)
    {
        var settings = new PartitionSettings
        {
            Limits = new() { BytesHeldMax = 100_000, BytesPieceMax = 2_000_000 },
            Replica = new() { CheckpointEntries = 100 },
        };
        var cluster = new TestCluster(1, settings, hasRealStores: true, memoryBytes: 1024 * 1024);
        TestNode leader = cluster.Leader;
        string value = new('v', 10_000);
        for (int i = 0; i < 400; i++)
        {
            cluster.Do($"SET k{i} {value}");
        }

        cluster.Run(2000);
        ulong[] ids = [.. Enumerable.Range(0, 4).Select(_ => cluster.Submit(leader, line))];
        long most = 0;
        for (int i = 0; i < 200_000 && ids.Any(id => leader.ReplyTo(id) is null); i++)
        {
            cluster.SettleSome(1);
            most = Math.Max(most, leader.Cache.PinnedBytes);
        }

        foreach (ulong id in ids)
        {
            string reply = TestCluster.Text(cluster.Await(leader, id));
            Assert.Equal(400, line == "DBSIZE" ? int.Parse(reply[1..], CultureInfo.InvariantCulture)
                : KeysIn(reply).Distinct().Count());
        }

        // Four times what one may have passed, and as much again for what it waits for.
        Assert.InRange(most, 1, 4 * 2 * 150_000);
    }

    [Fact]
    public void A_request_that_looks_at_too_much_is_refused()
    {
        var settings = new PartitionSettings { Limits = new() { RowsVisitedMax = 50, BytesVisitedMax = 10_000 } };
        var cluster = new TestCluster(1, settings);
        for (int i = 0; i < 40; i++)
        {
            cluster.Do($"SADD a a{i}");
            cluster.Do($"SADD b b{i}");
        }

        Assert.StartsWith("~40", cluster.Do("SMEMBERS a"), StringComparison.Ordinal);
        const string refused = "-ERR the request looks at more than 50 rows";
        Assert.StartsWith(refused, cluster.Do("SUNION a b"), StringComparison.Ordinal);
        Assert.StartsWith(refused, cluster.Do("SUNIONSTORE c a b"), StringComparison.Ordinal);
        Assert.Equal(":0", cluster.Do("EXISTS c"));
        cluster.Do($"SET large {new string('x', 6000)}");
        Assert.StartsWith("*1", cluster.Do("MGET large"), StringComparison.Ordinal);
        Assert.StartsWith(refused, cluster.Do("MGET large large"), StringComparison.Ordinal);
    }

    private static IEnumerable<string> KeysIn(string reply) => reply.Split("\r\n").Where(line => line.StartsWith('k'));

    private static PartitionSettings Small() =>
        new() { Limits = new() { RowsPieceMax = 10, RowsVisitedMax = 100 }, TurnRowsMax = 20 };

    private static List<RaftMessage> Watch(TestNode node)
    {
        List<RaftMessage> sent = [];
        node.Sends = sent.Add;
        return sent;
    }
}
