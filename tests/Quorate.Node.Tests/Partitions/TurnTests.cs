using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;

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

    private static List<RaftMessage> Watch(TestNode node)
    {
        List<RaftMessage> sent = [];
        node.Sends = sent.Add;
        return sent;
    }
}
