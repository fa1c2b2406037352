using System.Numerics;

namespace Quorate.Server.Http;

/// <summary>
/// Counts values in buckets whose bounds double. Any thread may count; a reader may see a count before its sum.
/// </summary>
/// <param name="firstShift">The first bucket's bound, as a power of two.</param>
/// <param name="buckets">With the last one, which has no bound.</param>
/// <param name="unit">What a value of one is shown as.</param>
public class DoublingHistogram(int firstShift, int buckets, double unit)
{
    private readonly long[] _counts = new long[buckets];
    private long _sum;

    /// <summary>Of all values, as they are shown.</summary>
    public double Sum => Interlocked.Read(ref _sum) * unit;

    public void Add(long value)
    {
        ulong rest = (ulong)Math.Max(0, value - 1) >> firstShift;
        int bucket = Math.Min(buckets - 1, 64 - BitOperations.LeadingZeroCount(rest));
        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sum, Math.Max(0, value));
    }

    /// <summary>Each bound as it is shown, and how many were at most that; the last bound is infinite.</summary>
    public IEnumerable<(double Bound, long Count)> Cumulative()
    {
        long count = 0;
        for (int i = 0; i < buckets; i++)
        {
            count += Interlocked.Read(ref _counts[i]);
            yield return (i == buckets - 1 ? double.PositiveInfinity : (1L << (i + firstShift)) * unit, count);
        }
    }
}

/// <summary>Durations in microseconds, shown in seconds: from 16 µs to 17 s.</summary>
public sealed class LatencyHistogram() : DoublingHistogram(4, 22, 1 / 1e6);

/// <summary>Sizes in bytes: from 512 B to 64 MiB.</summary>
public sealed class SizeHistogram() : DoublingHistogram(9, 19, 1);
