using Quorate.Node.Cluster;

namespace Quorate.Node.Tests.Cluster;

/// <summary>A request that surely never left its node is not called unknown.</summary>
public sealed class UnsentCallTests
{
    [Fact]
    public void A_write_that_has_never_left_is_asked_elsewhere_and_done_once()
    {
        (TestWorld world, Machine leader, Machine at) = RoutingTests.Forwarding();
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
}
