using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Raft;

/// <summary>A few replicas in memory with a kind disk and network: the plain paths of the group.</summary>
public sealed class RaftGroupTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void A_group_elects_one_leader_and_commits_on_every_replica(int nodes)
    {
        var cluster = new TestCluster(nodes);
        RaftGroup leader = cluster.Elect();
        RequestId request = cluster.Propose(leader);
        cluster.Deliver();
        cluster.Run(Duration.FromMilliseconds(200));

        Assert.Contains(cluster.Acknowledged, a => a.Request == request);
        Assert.Single(Enumerable.Range(1, nodes), n => cluster[n].Role == Role.Leader);
        Assert.All(Enumerable.Range(1, nodes), n => Assert.Equal(leader.LastIndex, cluster[n].AppliedIndex));
    }

    [Fact]
    public void An_idle_group_sleeps_and_a_write_wakes_it()
    {
        var cluster = new TestCluster(3);
        RaftGroup leader = cluster.Elect();
        cluster.Run(Duration.FromSeconds(3));
        Assert.All(Enumerable.Range(1, 3), n => Assert.True(cluster[n].IsAsleep));

        RequestId request = cluster.Propose(leader);
        cluster.Deliver();
        Assert.Contains(cluster.Acknowledged, a => a.Request == request);
    }

    [Fact]
    public void A_follower_serves_a_linearizable_read_by_asking_the_leader()
    {
        var cluster = new TestCluster(3);
        RaftGroup leader = cluster.Elect();
        RaftGroup follower = Enumerable.Range(1, 3).Select(n => cluster[n]).First(g => g != leader);
        cluster.Propose(leader);
        RequestId read = cluster.Read(follower);
        cluster.Deliver();

        Assert.Contains(cluster.ReadsReady, r => r.Request == read && r.Token.Index == leader.CommitIndex);
    }

    [Fact]
    public void A_change_of_two_voters_goes_through_a_joint_membership()
    {
        var cluster = new TestCluster(3);
        RaftGroup leader = cluster.Elect();
        ReplicaId four = new(4, 1);
        ReplicaId five = new(5, 1);
        cluster.Add(four, null);
        cluster.Add(five, null);
        Membership learning = Membership.Of(
            leader.Membership.Voters.ToArray(), [new(four, LearnerKind.Standing), new(five, LearnerKind.Standing)]);
        cluster.Step(
            leader, RaftInput.ProposeMembership(cluster.Now, cluster.NextRequest(), learning, Instant.Never));
        cluster.Run(Duration.FromMilliseconds(500));
        RequestId change = cluster.NextRequest();
        Membership target = Membership.Of([leader.Id, four, five]);
        cluster.Step(leader, RaftInput.ProposeMembership(cluster.Now, change, target, Instant.Never));
        Assert.True(leader.Membership.IsJoint);
        cluster.Deliver();
        cluster.Run(Duration.FromMilliseconds(500));

        Assert.Contains(cluster.Acknowledged, a => a.Request == change);
        Assert.Equal(target, cluster[4].Membership);
        Assert.Equal(leader.LastIndex, cluster[5].AppliedIndex);
    }

    [Fact]
    public void A_lost_append_is_sent_again()
    {
        var cluster = new TestCluster(3);
        RaftGroup leader = cluster.Elect();
        cluster.Loses = m => m.Kind == MessageKind.AppendRequest;
        RequestId request = cluster.Propose(leader);
        cluster.Deliver();
        Assert.DoesNotContain(cluster.Acknowledged, a => a.Request == request);

        cluster.Loses = _ => false;
        cluster.Run(Duration.FromSeconds(1));
        Assert.Contains(cluster.Acknowledged, a => a.Request == request);
    }
}
