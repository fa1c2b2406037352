using Quorate.Server.Http;

namespace Quorate.Server.Disk;

/// <summary>What a <see cref="RealDisk"/> has done. Anybody may read.</summary>
public sealed class DiskFigures
{
    private long _durableBytes;
    private long _durableWrites;
    private long _durableBytesMax;

    /// <summary>How long each durable write took, from its turn to its end.</summary>
    public LatencyHistogram DurableWrites { get; } = new();

    /// <summary>How much each durable write carried: entries of all partitions that came while the one before was
    /// under way.</summary>
    public SizeHistogram DurableSizes { get; } = new();

    public long DurableWriteCount => Interlocked.Read(ref _durableWrites);

    /// <summary>Of the largest durable write.</summary>
    public long DurableBytesMax => Interlocked.Read(ref _durableBytesMax);

    public long DurableBytes => Interlocked.Read(ref _durableBytes);

    internal void CountDurable(long microseconds, long bytes)
    {
        DurableWrites.Add(microseconds);
        DurableSizes.Add(bytes);
        Interlocked.Add(ref _durableBytes, bytes);
        Interlocked.Increment(ref _durableWrites);

        // One thread makes durable writes.
        if (bytes > Volatile.Read(ref _durableBytesMax))
        {
            Volatile.Write(ref _durableBytesMax, bytes);
        }
    }
}
