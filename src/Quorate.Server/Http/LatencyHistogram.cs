using System.Numerics;

namespace Quorate.Server.Http;

/// <summary>
/// Counts durations in buckets that double, from 16 µs to 17 s. Any thread may count; a reader may see a count before
/// its sum.
/// </summary>
public sealed class LatencyHistogram
{
    private const int FirstShift = 4;
    private const int Buckets = 22;

    private readonly long[] _counts = new long[Buckets];
    private long _sumMicroseconds;

    public double SumSeconds => Interlocked.Read(ref _sumMicroseconds) / 1e6;

    public void Add(long microseconds)
    {
        ulong rest = (ulong)Math.Max(0, microseconds - 1) >> FirstShift;
        int bucket = Math.Min(Buckets - 1, 64 - BitOperations.LeadingZeroCount(rest));
        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sumMicroseconds, Math.Max(0, microseconds));
    }

    /// <summary>Each bound in seconds, and how many were at most so long; the last bound is infinite.</summary>
    public IEnumerable<(double Seconds, long Count)> Cumulative()
    {
        long count = 0;
        for (int i = 0; i < Buckets; i++)
        {
            count += Interlocked.Read(ref _counts[i]);
            yield return (i == Buckets - 1 ? double.PositiveInfinity : (1L << (i + FirstShift)) / 1e6, count);
        }
    }
}
