using System.Buffers.Binary;
using Quorate.Node.Partitions;
using Quorate.Storage.Rows;
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
        var cluster = new TestCluster(3, new PartitionSettings { SessionsMax = 3 });
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
            1, new PartitionSettings { SessionsMax = 2 }, new MemoryStoreSettings { RowsAreCold = true });
        cluster.Do("SET k 1");
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
        cluster.Do("SET k 1");
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 20))));
        Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 30))));
        Assert.Equal("Refused SessionExpired", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(1, session: 10))));
    }

    [Fact]
    public void Sessions_of_all_slots_share_one_bound()
    {
        var settings = new PartitionSettings { SessionsMax = 20, SessionsComparedMax = 4 };
        var cluster = new TestCluster(3, settings);
        for (ulong session = 1; session <= 100; session++)
        {
            Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Elsewhere(session))));
            SessionTotals totals = CountedTotals(cluster, out int places);
            Assert.InRange(totals.Count, 1, settings.SessionsMax);
            Assert.Equal(totals.Count, places);
        }

        // Whoever is not remembered any more is refused, in whatever slot it was; nobody is executed twice.
        int answered = 0;
        for (ulong session = 1; session <= 100; session++)
        {
            cluster.Do($"SET k{session} 1");
            string again = TestCluster.Text(cluster.Ask(cluster.Leader, Elsewhere(session)));
            Assert.True(again is ":0" or "Refused SessionExpired", again);
            Assert.Equal("$1\r\n1", cluster.Do($"GET k{session}"));
            answered += again == ":0" ? 1 : 0;
        }

        Assert.Equal(settings.SessionsMax, answered);
        cluster.AssertSameState();
    }

    [Fact]
    public void A_session_in_use_outlives_those_that_are_not()
    {
        var cluster = new TestCluster(1, new PartitionSettings { SessionsMax = 8, SessionsComparedMax = 3 });
        for (ulong other = 1000; other < 1100; other++)
        {
            Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(other, other - 1, session: 1))));
            Assert.Equal(":0", TestCluster.Text(cluster.Ask(cluster.Leader, Elsewhere(other))));
        }
    }

    [Fact]
    public void Remembered_replies_share_one_bound_in_bytes()
    {
        var settings = new PartitionSettings { SessionBytesMax = 20_000, RememberedReplyBytesMax = 1000 };
        var cluster = new TestCluster(1, settings);
        cluster.Do($"SET k {new string('x', 900)}");
        for (ulong session = 1; session <= 50; session++)
        {
            PartitionReply reply = cluster.Ask(cluster.Leader, Get(session));
            Assert.Contains(new string('x', 900), TestCluster.Text(reply), StringComparison.Ordinal);
            Assert.InRange(CountedTotals(cluster, out _).Bytes, 1000, settings.SessionBytesMax);
            Assert.Equal(TestCluster.Text(reply), TestCluster.Text(cluster.Ask(cluster.Leader, Get(session))));
        }

        Assert.Equal("Refused SessionExpired", TestCluster.Text(cluster.Ask(cluster.Leader, Get(1))));
        Assert.InRange(CountedTotals(cluster, out int places).Count, 5, 19);
        Assert.InRange(places, 5, 19);
    }

    [Fact]
    public void Of_a_reply_that_is_too_large_it_is_remembered_that_it_was_given()
    {
        var cluster = new TestCluster(3, new PartitionSettings { RememberedReplyBytesMax = 100 });
        cluster.Do($"SET k {new string('x', 200)}");
        Assert.Contains("xxx", TestCluster.Text(cluster.Ask(cluster.Leader, Get(Session))), StringComparison.Ordinal);
        cluster.Do("SET k 1");

        Assert.Equal("Refused RequestForgotten", TestCluster.Text(cluster.Ask(cluster.Leader, Get(Session))));
        Assert.Equal("$1\r\n1", cluster.Do("GET k"));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(2))));
        Assert.Equal(":1", TestCluster.Text(cluster.Ask(cluster.Leader, Delete(2))));
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

    /// <summary>What the partition says of its sessions, which must be what its rows say.</summary>
    private static SessionTotals CountedTotals(TestCluster cluster, out int places)
    {
        var counted = new CountedSessions();
        IPartitionStore rows = cluster.Leader.Partition!.Rows;
        rows.Scan(new RowRange([0], [0xFF, 0xFF, 0xFF]), counted);
        Assert.Equal(counted.Headers, counted.Totals.Count);
        Assert.InRange(counted.Bytes, 1, counted.Totals.Bytes);
        places = counted.Places;
        return counted.Totals;
    }

    private static PartitionRequest Elsewhere(ulong session) =>
        TestCluster.Request($"DEL k{session}") with { Session = new SessionRequest(session, 1, 0) };

    private static PartitionRequest Get(ulong session) =>
        TestCluster.Request("GETDEL other", "GET k") with { Session = new SessionRequest(session, 1, 0) };

    private static PartitionRequest Delete(ulong number, ulong acknowledged = 0, ulong session = Session) =>
        TestCluster.Request("DEL k") with { Session = new SessionRequest(session, number, acknowledged) };

    private sealed class CountedSessions : IRowVisitor
    {
        public SessionTotals Totals { get; private set; }

        public int Headers { get; private set; }

        public int Places { get; private set; }

        public long Bytes { get; private set; }

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            if (RowKey.SpaceOf(rowKey) == RowSpace.Sessions)
            {
                ulong tag = BinaryPrimitives.ReadUInt64BigEndian(rowKey[2..]);
                bool isReply = RowKey.ElementStart(rowKey) < rowKey.Length;
                Headers += tag == 1 && !isReply ? 1 : 0;
                Places += tag == 2 ? 1 : 0;
                Bytes += tag is 1 or 2 ? rowKey.Length + row.Value.Length : 0;
                Totals = tag == 3 ? SessionTotals.Read(row.Value) : Totals;
            }

            return true;
        }
    }
}
