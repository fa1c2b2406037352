using Quorate.Core.Model;
using Quorate.Node.Replicas;

namespace Quorate.Node.Tests.Replicas;

/// <summary>How far a replica is behind, as time.</summary>
public sealed class AppendTimesTests
{
    private const long Second = 1_000_000;

    /// <summary>Whatever the rate, and however long ago: right to within a half, and never less than it is.</summary>
    [Theory]
    [InlineData(1_000)]
    [InlineData(50_000)]
    [InlineData(3_000_000)]
    public void The_age_of_any_entry_is_known_about(long everyMicroseconds)
    {
        var times = new AppendTimes();
        Assert.Equal(Duration.Zero, times.AgeOf(new(1), new(Second)));
        const ulong Count = 5000;
        for (ulong i = 1; i <= Count; i++)
        {
            times.Note(new(new(3), new(i)), At(i));
        }

        Instant now = At(Count) + Duration.FromMilliseconds(100);
        for (ulong i = 1; i <= Count; i += 7)
        {
            long age = (now - At(i)).Microseconds;
            long said = times.AgeOf(new(i), now).Microseconds;
            Assert.InRange(said, age, age + (age / 2) + 10_000);
        }

        Instant At(ulong entry) => new((long)entry * everyMicroseconds);
    }

    [Fact]
    public void Another_term_begins_anew()
    {
        var times = new AppendTimes();
        times.Note(new(new(3), new(10)), new(Second));
        times.Note(new(new(5), new(8)), new(60 * Second));
        Assert.Equal(Duration.FromSeconds(1), times.AgeOf(new(8), new(61 * Second)));
        Assert.Equal(Duration.FromSeconds(1), times.AgeOf(new(2), new(61 * Second)));
    }
}
