using Quorate.Node.Partitions;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>A numbered request is executed once, however often it comes, and wherever.</summary>
public sealed class RequestSessionTests
{
    private const ulong Session = 500;

    [Fact]
    public void A_request_that_comes_again_is_answered_as_before_and_not_executed()
    {
        var cluster = new TestCluster(3);
        cluster.Do("SET k 1");
        PartitionReply first = cluster.Ask(cluster.Leader, Delete(number: 1));
        Assert.Equal(":1", TestCluster.Text(first));
        cluster.Do("SET k 2");

        PartitionReply again = cluster.Ask(cluster.Leader, Delete(number: 1));

        Assert.Equal(":1", TestCluster.Text(again));
        Assert.Equal(first.Version, again.Version);
        Assert.Equal("$1\r\n2", cluster.Do("GET k"));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 2))));
        cluster.AssertSameState();
    }

    [Fact]
    public void A_request_that_comes_again_before_the_first_is_applied_is_recognised()
    {
        var cluster = new TestCluster(1);
        TestNode leader = cluster.Leader;
        cluster.Do("SET k 1");

        leader.DiskStands = true;
        ulong first = cluster.Submit(leader, Delete(number: 1));
        ulong together = cluster.Submit(leader, Delete(number: 1));
        cluster.Settle();
        ulong later = cluster.Submit(leader, Delete(number: 1));
        cluster.Settle();
        Assert.Null(leader.ReplyTo(later));
        leader.DiskStands = false;

        Assert.Equal(":1", TestCluster.Text(cluster.Await(leader, first)));
        Assert.Equal(":1", TestCluster.Text(cluster.Await(leader, together)));
        Assert.Equal(":1", TestCluster.Text(cluster.Await(leader, later)));
        Assert.Equal(cluster.Await(leader, first).Version, cluster.Await(leader, later).Version);
    }

    [Fact]
    public void Another_leader_and_a_restart_remember()
    {
        var cluster = new TestCluster(3, new PartitionSettings { Replica = new() { CheckpointEntries = 2 } });
        cluster.Do("SET k 1");
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 1))));
        TestNode old = cluster.Leader;

        old.IsCutOff = true;
        cluster.AwaitLeader();
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 1))));

        old.IsCutOff = false;
        foreach (TestNode node in cluster.Nodes)
        {
            cluster.Restart(node);
        }

        cluster.AwaitLeader();
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 1))));
        cluster.AssertSameState();
    }

    [Fact]
    public void What_the_client_has_seen_is_forgotten_and_never_executed_again()
    {
        var cluster = new TestCluster(1);
        cluster.Do("SET k 1");
        cluster.Ask(cluster.Leader, Delete(number: 1));
        cluster.Ask(cluster.Leader, Delete(number: 2, acknowledged: 1));

        Assert.Equal("Refused RequestForgotten", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 1))));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 2, acknowledged: 1))));
    }

    [Fact]
    public void Numbers_may_come_in_any_order()
    {
        var cluster = new TestCluster(1);
        cluster.Do("SET k 1");

        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 7))));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 6))));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 7))));
    }

    [Fact]
    public void Replies_beyond_the_bound_are_forgotten_lowest_numbers_first()
    {
        var cluster = new TestCluster(1, new PartitionSettings { RepliesPerSessionMax = 3 });
        for (ulong number = 1; number <= 5; number++)
        {
            Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number))));
        }

        Assert.Equal("Refused RequestForgotten", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 2))));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 3))));
    }

    [Fact]
    public void Replies_stay_within_the_bound_when_numbers_fall()
    {
        var cluster = new TestCluster(1, new PartitionSettings { RepliesPerSessionMax = 3 });
        for (ulong number = 10; number >= 7; number--)
        {
            Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number))));
        }

        Assert.Equal("Refused RequestForgotten", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 6))));
        Assert.Equal("Refused RequestForgotten", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 8))));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(number: 7))));
    }

    [Fact]
    public void The_least_recently_used_session_is_evicted_and_then_refused()
    {
        var cluster = new TestCluster(3, new PartitionSettings { SessionsPerSlotMax = 3 });
        foreach (ulong session in new ulong[] { 10, 20, 30 })
        {
            cluster.Do("SET k 1");
            Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: session))));
        }

        cluster.Ask(cluster.Leader, Delete(2, session: 10));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 40))));
        cluster.Do("SET k 1");

        Assert.Equal("Refused SessionExpired", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 20))));
        Assert.Equal("Refused SessionExpired", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 15))));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 30))));
        Assert.Equal("$1\r\n1", cluster.Do("GET k"));
        cluster.AssertSameState();
    }

    [Fact]
    public void Sessions_are_found_when_their_rows_are_cold()
    {
        var cluster = new TestCluster(
            1, new PartitionSettings { SessionsPerSlotMax = 2 }, new MemoryStoreSettings { RowsAreCold = true });
        cluster.Do("SET k 1");
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
        cluster.Do("SET k 1");
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 20))));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 30))));
        Assert.Equal("Refused SessionExpired", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
    }

    [Fact]
    public void A_reply_of_a_session_says_what_a_batch_said()
    {
        var cluster = new TestCluster(1);
        PartitionRequest batch = TestCluster.Request("SET {t}a 1", "DEL {t}b") with
        {
            Session = new SessionRequest(Session, 1, 0),
        };
        string first = TestCluster.Text(cluster.Ask(cluster.Leader, batch));

        Assert.Equal(first, TestCluster.Text(cluster.Ask(cluster.Leader, batch)));
        Assert.Equal("*2\r\n+OK\r\n:0", first);
    }

    private static PartitionRequest Delete(ulong number, ulong acknowledged = 0, ulong session = Session) =>
        TestCluster.Request("DEL k") with { Session = new SessionRequest(session, number, acknowledged) };
}
