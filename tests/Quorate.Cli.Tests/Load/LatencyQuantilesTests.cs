using FsCheck;
using FsCheck.Fluent;
using Quorate.Cli.Load;

namespace Quorate.Cli.Tests.Load;

/// <summary>Quantiles are those of the sorted latencies, to the width of a bucket.</summary>
public sealed class LatencyQuantilesTests
{
    [Fact]
    public void Quantiles_are_right_to_two_percent()
    {
        Gen<int[]> latencies = Gen.OneOf(Gen.Choose(0, 200), Gen.Choose(0, 10_000_000)).NonEmptyListOf()
            .Select(list => list.ToArray());
        Prop.ForAll(latencies.ToArbitrary(), Gen.Choose(1, 1000).ToArbitrary(), (values, permille) =>
        {
            var histogram = new LatencyQuantiles();
            foreach (int value in values)
            {
                histogram.Add(value);
            }

            int[] sorted = [.. values.Order()];
            int exact = sorted[(int)Math.Ceiling(permille / 1000.0 * sorted.Length) - 1];
            long found = histogram.Quantile(permille / 1000.0);
            return found >= exact && found <= exact + (exact / 50) + 1 && histogram.Max == sorted[^1];
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_several_clients_saw_counts_together()
    {
        LatencyQuantiles one = new(), other = new(), both = new();
        for (int i = 0; i < 1000; i++)
        {
            (i % 3 == 0 ? one : other).Add(i * i);
            both.Add(i * i);
        }

        one.Merge(other);
        Assert.Equal(
            (both.Count, both.Max, both.Quantile(0.5), both.Quantile(0.999)),
            (one.Count, one.Max, one.Quantile(0.5), one.Quantile(0.999)));
    }

    [Fact]
    public void Nothing_measured_is_zero() => Assert.Equal(0, new LatencyQuantiles().Quantile(0.99));
}
