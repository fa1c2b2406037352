using System.Numerics;

namespace Quorate.Cli.Load;

/// <summary>
/// Counts of latencies in buckets whose width grows with the value, so that any quantile is right to about 1.6 % in a
/// few kilobytes (the idea of G. Tene's HdrHistogram). Values are microseconds from 0 to about an hour; larger ones
/// count as the largest.
/// <para>One writer; merge the histograms of several writers when they are done.</para>
/// </summary>
internal sealed class LatencyQuantiles
{
    /// <summary>Buckets between one power of two and the next.</summary>
    private const int Steps = 64;

    private const int StepBits = 6;

    /// <summary>The largest value is below two to this power.</summary>
    private const int ValueBits = 32;

    private readonly long[] _counts = new long[(ValueBits - StepBits + 1) * Steps];

    /// <summary>Latencies that were counted.</summary>
    public long Count { get; private set; }

    /// <summary>The largest, in microseconds, exactly.</summary>
    public long Max { get; private set; }

    public void Add(long microseconds)
    {
        long value = Math.Clamp(microseconds, 0, (1L << ValueBits) - 1);
        _counts[BucketOf(value)]++;
        Count++;
        Max = Math.Max(Max, value);
    }

    public void Merge(LatencyQuantiles other)
    {
        for (int i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>The latency that this share of all does not exceed, in microseconds; zero when there is none.</summary>
    /// <param name="share">From 0 to 1.</param>
    public long Quantile(double share)
    {
        long rank = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (int bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank && seen > 0)
            {
                return Math.Min(Max, HighestIn(bucket));
            }
        }

        return Max;
    }

    private static int BucketOf(long value)
    {
        if (value < Steps)
        {
            return (int)value;
        }

        int power = BitOperations.Log2((ulong)value) - StepBits;
        return ((power + 1) * Steps) + (int)((value >> power) - Steps);
    }

    private static long HighestIn(int bucket)
    {
        int power = (bucket / Steps) - 1;
        return power < 0 ? bucket : ((long)((bucket % Steps) + Steps + 1) << power) - 1;
    }
}
