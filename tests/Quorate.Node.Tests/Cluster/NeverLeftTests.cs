using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;

namespace Quorate.Node.Tests.Cluster;

/// <summary>What has surely never left a node is nobody's unknown end.</summary>
public sealed class NeverLeftTests
{
    [Fact]
    public void A_write_that_has_never_left_is_asked_elsewhere_and_done_once()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine leader = world.LeaderOf("k");
        Machine at = world.Machines.First(machine => machine != leader);
        world.Passes = (from, _, by, _) => from != at || by != PeerClass.Requests;
        TestCall plain = world.Submit(at, "INCR k");
        world.Run(10);
        Assert.False(plain.IsDone);
        world.Passes = null;
        at.Node!.LinkLost(leader.Id, PeerClass.Requests, nothingLeft: true);
        world.Run(200);
        Assert.Equal(":1", plain.Text);
        Assert.Equal("$1\r\n1", world.Do(at, "GET k"));
    }

    [Fact]
    public void A_change_of_the_metadata_that_has_never_left_is_asked_again()
    {
        TestWorld world = new TestWorld(3).Formed();
        Machine at = world.Machines.First(
            machine => machine.Node!.Report().MetadataLeader.NodeId != machine.Id);
        NodeId leader = at.Node!.Report().MetadataLeader.NodeId;
        world.Passes = (from, _, by, _) => from != at || by != PeerClass.Requests;
        var call = new TestMetadataCall
        {
            Command = KeyspaceTests.Creation("k"), Partitions = 1, Deadline = world.Now + Duration.FromSeconds(5),
        };
        at.Node.Submit(call);
        world.Run(10);
        Assert.False(call.IsDone);
        world.Passes = null;
        at.Node.LinkLost(leader, PeerClass.Requests, nothingLeft: true);
        world.Run(200);
        Assert.Equal(Outcome.Done, call.Outcome);
        Assert.Equal("", call.Result!.Refusal);
    }
}
