using Quorate.Node.Partitions;

namespace Quorate.Server.Reading;

/// <summary>
/// What a partition publishes, on a machine where its readers are on other threads. Whoever steps the partition holds
/// its lock, so there is one writer.
/// <para>A sequence, odd while it is changed (Boehm, "Can seqlocks get along with programming language memory models?",
/// 2012). All that happened before a publication is seen by whoever reads it, and a publication is seen by whoever has
/// seen anything that was sent after it: x64 and Arm64 give both with the barriers below.</para>
/// </summary>
public sealed class SharedReadPublication : IReadPublication
{
    /// <summary>Looks at a publication that is being changed before a reader is sent away.</summary>
    private const int AttemptsMax = 16;

    private long _sequence;
    private PublishedRead _read;
    private int _isUsed;

    /// <inheritdoc/>
    public void Publish(in PublishedRead read)
    {
        Volatile.Write(ref _sequence, _sequence + 1);
        Volatile.WriteBarrier();
        _read = read;
        Volatile.Write(ref _sequence, _sequence + 1);

        // A lease that was withdrawn is seen as such before the message that ends it can be.
        Interlocked.MemoryBarrier();
    }

    /// <inheritdoc/>
    public bool TryRead(out PublishedRead read)
    {
        for (int i = 0; i < AttemptsMax; i++)
        {
            long sequence = Volatile.Read(ref _sequence);
            read = _read;
            Volatile.ReadBarrier();
            if ((sequence & 1) == 0 && Volatile.Read(ref _sequence) == sequence)
            {
                return true;
            }
        }

        read = default;
        return false;
    }

    /// <inheritdoc/>
    public void MarkUsed()
    {
        // Many readers mark what is marked already: they leave the line as it is.
        if (Volatile.Read(ref _isUsed) == 0)
        {
            Volatile.Write(ref _isUsed, 1);
        }
    }

    /// <inheritdoc/>
    public bool TakeUsed()
    {
        if (Volatile.Read(ref _isUsed) == 0)
        {
            return false;
        }

        Volatile.Write(ref _isUsed, 0);
        return true;
    }
}
