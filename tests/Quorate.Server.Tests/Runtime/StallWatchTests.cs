using Quorate.Core.Model;
using Quorate.Server.Runtime;

namespace Quorate.Server.Tests.Runtime;

/// <summary>A node tells of the time in which it stood still itself.</summary>
public sealed class StallWatchTests
{
    private (TimeSpan Processor, TimeSpan Collector) _used;

    [Fact]
    public void A_tick_that_comes_in_time_is_nothing_to_tell()
    {
        var watch = new StallWatch(() => _used);
        for (int i = 1; i < 100; i++)
        {
            Assert.Null(watch.Look(At(100 * i), At((100 * i) + 299)));
        }

        Assert.Equal(0, watch.Stalls);
    }

    [Fact]
    public void A_late_one_is_told_with_what_the_process_did_meanwhile()
    {
        var watch = new StallWatch(() => _used);
        Assert.Null(watch.Look(At(1000), At(1000)));
        _used = (TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(7));
        string said = watch.Look(At(1070), At(1482))!;
        Assert.StartsWith("This node itself stood still for 412 ms,", said, StringComparison.Ordinal);
        Assert.Contains("had 40 ms of processor time", said, StringComparison.Ordinal);
        Assert.Contains("waited 7 ms for its collector", said, StringComparison.Ordinal);
        Assert.Equal((1, 412_000), (watch.Stalls, watch.StallMicroseconds));
    }

    [Fact]
    public void Many_are_told_together_and_none_is_forgotten()
    {
        var watch = new StallWatch(() => _used);
        Assert.NotNull(watch.Look(At(1000), At(1400)));
        Assert.Null(watch.Look(At(2000), At(2500)));
        Assert.Null(watch.Look(At(3000), At(3300)));
        Assert.Null(watch.Look(At(11_000), At(11_100)));
        string said = watch.Look(At(12_000), At(12_000))!;
        Assert.Contains("500 ms, the longest of 2 times", said, StringComparison.Ordinal);
        Assert.Null(watch.Look(At(30_000), At(30_000)));
        Assert.Equal(3, watch.Stalls);
    }

    private static Instant At(long milliseconds) => new(milliseconds * 1000);
}
