using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>
/// A leader evaluates commands, the log carries row changes, and every replica comes to hold the same.
/// </summary>
public sealed class PartitionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_was_written_is_read(int nodes)
    {
        var cluster = new TestCluster(nodes);

        Assert.Equal("+OK", cluster.Do("SET k hello"));

        Assert.Equal("$5\r\nhello", cluster.Do("GET k"));
        cluster.AssertSameState();
    }

    [Fact]
    public void A_reply_that_grows_too_long_is_cut_off_while_it_is_made()
    {
        var reply = new Reply { LengthMax = 20 };
        reply.Bulk(new byte[10]);
        int before = reply.Length;
        reply.Bulk(new byte[10]);
        Assert.True(reply.IsTooLong);
        Assert.Equal(before, reply.Length);

        var cluster = new TestCluster(1, new PartitionSettings { Limits = new() { ReplyBytesMax = 20 } });
        cluster.Do("SET k 0123456789");
        Assert.StartsWith("-ERR the reply exceeds 20 bytes", cluster.Do("MGET k k"), StringComparison.Ordinal);
        Assert.Equal("$10\r\n0123456789", cluster.Do("GET k"));
    }

    [Fact]
    public void Requests_that_come_together_share_an_entry_and_see_each_other()
    {
        var cluster = new TestCluster(3);
        TestNode leader = cluster.Leader;
        LogIndex before = leader.Partition!.Replica.AppliedAt.Index;

        ulong first = cluster.Submit(leader, "SET k 1");
        ulong second = cluster.Submit(leader, "DEL k");
        ulong none = cluster.Submit(leader, "DEL k");
        ulong third = cluster.Submit(leader, "SET k 3");

        Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, first)));
        Assert.Equal(":1", TestCluster.Text(cluster.Await(leader, second)));
        Assert.Equal(":0", TestCluster.Text(cluster.Await(leader, none)));
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, third)));
        Assert.Equal(before.Next, leader.Partition.Replica.AppliedAt.Index);
        Assert.NotEqual(cluster.Await(leader, first).Version, cluster.Await(leader, third).Version);
        Assert.Equal("$1\r\n3", cluster.Do("GET k"));
    }

    [Fact]
    public void Proposals_that_are_not_applied_yet_are_seen_by_the_next_evaluation()
    {
        var cluster = new TestCluster(1);
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        ulong first = cluster.Submit(leader, "SET k 1");
        cluster.Settle();
        ulong second = cluster.Submit(leader, "DEL k");
        cluster.Settle();
        Assert.Null(leader.ReplyTo(first));
        Assert.Null(leader.ReplyTo(second));

        leader.DiskStands = false;

        Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, first)));
        Assert.Equal(":1", TestCluster.Text(cluster.Await(leader, second)));
    }

    [Fact]
    public void A_batch_is_evaluated_as_one_and_answered_as_an_array()
    {
        var cluster = new TestCluster(3);

        PartitionReply reply = cluster.Ask(
            cluster.Leader, TestCluster.Request("SET {t}a 1", "GET {t}a", "NOSUCH x", "SET {t}b 2"));

        const string start = "*4\r\n+OK\r\n$1\r\n1\r\n-ERR unknown command";
        Assert.StartsWith(start, TestCluster.Text(reply), StringComparison.Ordinal);
        Assert.Equal("$1\r\n2", cluster.Do("GET {t}b"));
    }

    [Fact]
    public void A_write_at_level_leader_is_answered_before_others_have_it()
    {
        var cluster = new TestCluster(3);
        TestNode leader = cluster.Leader;
        foreach (TestNode node in cluster.Nodes)
        {
            node.IsCutOff = node != leader;
        }

        ulong id = cluster.Submit(leader, TestCluster.Request("SET k 1") with { WriteLevel = WriteLevel.Leader });
        cluster.Settle();

        Assert.Equal("+OK", TestCluster.Text(leader.ReplyTo(id)!.Value));
    }

    [Fact]
    public void A_follower_refuses_writes_with_a_hint_and_serves_reads()
    {
        var cluster = new TestCluster(3);
        cluster.Do("SET k 1");
        TestNode follower = cluster.Nodes.First(node => node != cluster.Leader);

        PartitionReply refused = cluster.Ask(follower, TestCluster.Request("SET k 2"));

        Assert.Equal((Outcome.Refused, DropReason.NotLeader), (refused.Outcome, refused.Reason));
        Assert.Equal(cluster.Leader.Id, refused.LeaderHint);
        Assert.Equal("$1\r\n1", cluster.Do(follower, "GET k", ReadLevel.Linearizable));
        Assert.Equal("$1\r\n1", cluster.Do(follower, "GET k", ReadLevel.Eventual));
    }

    [Fact]
    public void A_write_that_is_cut_off_from_the_majority_is_unknown_at_its_deadline()
    {
        var cluster = new TestCluster(3);
        TestNode leader = cluster.Leader;
        leader.IsCutOff = true;

        ulong id = cluster.Submit(
            leader,
            TestCluster.Request("SET k 1") with { Deadline = cluster.Now + Duration.FromMilliseconds(100) });
        cluster.Run(200);

        Assert.Equal("Unknown DeadlinePassed", TestCluster.Text(leader.ReplyTo(id)!.Value));
    }

    [Fact]
    public void What_a_lost_leader_proposed_is_refused_once_the_log_has_decided_against_it()
    {
        var cluster = new TestCluster(3);
        TestNode old = cluster.Leader;
        cluster.Do("SET k 1");
        old.IsCutOff = true;
        ulong lost = cluster.Submit(old, "SET k lost");
        cluster.Settle();
        cluster.AwaitLeader();
        Assert.Equal("+OK", cluster.Do("SET k 2"));

        old.IsCutOff = false;
        cluster.Run(1000);

        Assert.Equal("Refused Overwritten", TestCluster.Text(old.ReplyTo(lost)!.Value));
        cluster.AssertSameState();
        Assert.Equal("$1\r\n2", cluster.Do("GET k"));
    }

    [Fact]
    public void A_leader_that_comes_back_to_lead_sees_nothing_of_what_was_lost()
    {
        var cluster = new TestCluster(3);
        TestNode old = cluster.Leader;
        old.IsCutOff = true;
        cluster.Submit(old, "SET k lost");
        cluster.Settle();
        cluster.AwaitLeader();
        cluster.Do("SET other 1");
        old.IsCutOff = false;
        cluster.Run(1000);

        cluster.Leader.Partition!.Transfer(new RequestId(1_000_000), old.Id);
        cluster.Run(1000);

        Assert.Same(old, cluster.Leader);
        Assert.Equal(":0", cluster.Do("DEL k"));
    }

    [Fact]
    public void Rows_and_replies_survive_a_restart()
    {
        var settings = new PartitionSettings { Replica = new() { CheckpointEntries = 10 } };
        var cluster = new TestCluster(3, settings);
        for (int i = 0; i < 25; i++)
        {
            Assert.Equal("+OK", cluster.Do($"SET k{i} {i}"));
        }

        ulong? before = cluster.Leader.Partition!.Rows.StateHash();
        foreach (TestNode node in cluster.Nodes)
        {
            cluster.Restart(node);
        }

        cluster.AwaitLeader();
        Assert.Equal("$2\r\n24", cluster.Do("GET k24"));
        Assert.Equal("$1\r\n3", cluster.Do("GET k3"));
        cluster.AssertSameState();
        Assert.Equal(before, cluster.Leader.Partition!.Rows.StateHash());
    }

    [Fact]
    public void A_request_waits_for_cold_rows_and_others_go_on_but_not_past_it_on_its_key()
    {
        var cluster = new TestCluster(1, store: new MemoryStoreSettings { RowsAreCold = true });
        TestNode leader = cluster.Leader;

        ulong first = cluster.Submit(leader, "DEL a");
        ulong behind = cluster.Submit(leader, "SET a 2");
        ulong other = cluster.Submit(leader, "SET b 1");
        cluster.Settle();

        Assert.Equal(":0", TestCluster.Text(leader.ReplyTo(first)!.Value));
        Assert.Equal("+OK", TestCluster.Text(leader.ReplyTo(behind)!.Value));
        Assert.Equal("+OK", TestCluster.Text(leader.ReplyTo(other)!.Value));
        Assert.True(leader.ReplyTo(other)!.Value.Version < leader.ReplyTo(behind)!.Value.Version);
        Assert.Equal("$1\r\n2", cluster.Do("GET a"));
        Assert.Equal((0, 0), leader.Partition!.Waiting);
    }

    [Fact]
    public void A_request_whose_cold_rows_come_too_late_is_refused()
    {
        var cluster = new TestCluster(1, store: new MemoryStoreSettings { RowsAreCold = true });
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        Instant deadline = cluster.Now + Duration.FromMilliseconds(50);
        ulong write = cluster.Submit(leader, TestCluster.Request("DEL a") with { Deadline = deadline });
        ulong behind = cluster.Submit(leader, TestCluster.Request("DEL a"));
        ulong read = cluster.Submit(
            leader, TestCluster.Request("GET b") with { Deadline = deadline, ReadLevel = ReadLevel.Eventual });

        cluster.Run(60);
        Assert.Equal("Refused DeadlinePassedUnlogged", TestCluster.Text(leader.ReplyTo(write)!.Value));
        Assert.Equal("Refused RowsDeadlinePassed", TestCluster.Text(leader.ReplyTo(read)!.Value));

        leader.DiskStands = false;
        Assert.Equal(":0", TestCluster.Text(cluster.Await(leader, behind)));
        Assert.Equal((0, 0), leader.Partition!.Waiting);
    }

    [Fact]
    public void More_requests_than_the_bound_are_refused()
    {
        var cluster = new TestCluster(1, new PartitionSettings { RequestsOpenMax = 3 });
        TestNode leader = cluster.Leader;
        ulong[] ids = [.. Enumerable.Range(0, 5).Select(i => cluster.Submit(leader, $"SET k{i} 1"))];

        Assert.Equal("Refused Overloaded", TestCluster.Text(leader.ReplyTo(ids[3])!.Value));
        Assert.Equal("Refused Overloaded", TestCluster.Text(leader.ReplyTo(ids[4])!.Value));
        Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, ids[2])));
    }

    [Fact]
    public void What_the_group_refuses_leaves_nothing_pending()
    {
        var cluster = new TestCluster(1) { };
        TestNode leader = cluster.Leader;
        PartitionRequest tooMany = TestCluster.Request("SET k lost") with { WriteLevel = WriteLevel.Count(9) };

        ulong refused = cluster.Submit(leader, tooMany);
        ulong next = cluster.Submit(leader, "DEL k");
        cluster.Settle();

        Assert.Equal("Refused LevelImpossible", TestCluster.Text(leader.ReplyTo(refused)!.Value));
        Assert.Equal(":0", TestCluster.Text(leader.ReplyTo(next)!.Value));
    }

    [Fact]
    public void A_full_entry_ends_and_the_next_one_goes_on()
    {
        var cluster = new TestCluster(1, new PartitionSettings { ProposalRequestsMax = 2 });
        TestNode leader = cluster.Leader;
        LogIndex before = leader.Partition!.Replica.AppliedAt.Index;
        ulong[] ids = [.. Enumerable.Range(0, 5).Select(i => cluster.Submit(leader, $"SET k{i} 1"))];
        cluster.Settle();

        Assert.All(ids, id => Assert.Equal("+OK", TestCluster.Text(leader.ReplyTo(id)!.Value)));
        Assert.Equal(before.Value + 3, leader.Partition.Replica.AppliedAt.Index.Value);
    }

    [Fact]
    public void What_does_not_fit_behind_the_others_goes_into_the_next_entry()
    {
        var cluster = new TestCluster(1, new PartitionSettings { ProposalBytesMax = 150 });
        TestNode leader = cluster.Leader;
        LogIndex before = leader.Partition!.Replica.AppliedAt.Index;
        string value = new('v', 90);
        ulong[] ids = [.. Enumerable.Range(0, 3).Select(_ => cluster.Submit(leader, $"APPEND k {value}"))];
        cluster.Settle();

        string[] replies = [.. ids.Select(id => TestCluster.Text(leader.ReplyTo(id)!.Value))];
        Assert.Equal([":90", ":180", ":270"], replies);
        Assert.Equal(before.Value + 3, leader.Partition.Replica.AppliedAt.Index.Value);
    }

    [Fact]
    public void A_key_that_is_too_long_is_refused_before_it_is_logged()
    {
        var cluster = new TestCluster(1);

        Assert.StartsWith("-ERR", cluster.Do($"SET {new string('x', 70_000)} 1"), StringComparison.Ordinal);
        Assert.Equal("+OK", cluster.Do("SET k 1"));
    }

    [Fact]
    public void An_entry_of_an_unknown_format_stops_the_replica()
    {
        var cluster = new TestCluster(1);
        TestNode leader = cluster.Leader;
        byte[] unknown = EntryBatch.Encode(HybridTime.Zero, []);
        unknown[0] = 99;

        leader.Partition!.Replica.Write(new RequestId(77_777), unknown, WriteLevel.Majority, Instant.Never);
        cluster.Settle();

        Assert.Contains("format 99", leader.Ending, StringComparison.Ordinal);
    }
}
