using Quorate.Core.Model;
using Quorate.Node.Liveness;
using Quorate.Node.Runtime;

namespace Quorate.Node.Tests.Runtime;

/// <summary>A clock strays when it is far from those of the majority.</summary>
public sealed class ClockStrayTests
{
    private readonly ClockStray _stray = new(strayMaxMilliseconds: 100);

    [Fact]
    public void One_far_clock_of_three_is_not_ours()
    {
        Hear(2, 5000);
        Hear(3, 10_000);
        Assert.False(_stray.IsTooFar);
    }

    [Fact]
    public void Two_far_clocks_of_three_say_that_ours_strays_until_one_comes_near()
    {
        Hear(2, 10_000);
        Hear(3, 10_050);
        Assert.True(_stray.IsTooFar);

        Hear(3, 5050);
        Assert.False(_stray.IsTooFar);
    }

    [Fact]
    public void Of_two_nobody_can_tell_which_one_strays()
    {
        Hear(2, 10_000);
        Assert.False(_stray.IsTooFar);
    }

    [Fact]
    public void A_node_that_is_gone_or_does_not_say_counts_no_more()
    {
        Hear(2, 10_000);
        Hear(3, 10_000);
        _stray.Forget(new NodeId(3));
        Hear(4, 0);
        Assert.False(_stray.IsTooFar);
    }

    private void Hear(uint node, long wallClock) =>
        _stray.Heard(new NodeHeartbeat(new NodeId(node), 1, true, wallClock), 5000);
}
