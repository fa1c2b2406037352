using Quorate.Server.Http;

namespace Quorate.Server.Disk;

/// <summary>What a <see cref="RealDisk"/> has done. Anybody may read.</summary>
public sealed class DiskFigures
{
    private long _durableBytes;

    /// <summary>How long each durable write took, from its turn to its end.</summary>
    public LatencyHistogram DurableWrites { get; } = new();

    public long DurableBytes => Interlocked.Read(ref _durableBytes);

    internal void CountDurable(long microseconds, long bytes)
    {
        DurableWrites.Add(microseconds);
        Interlocked.Add(ref _durableBytes, bytes);
    }
}
