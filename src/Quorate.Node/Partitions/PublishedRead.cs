using System.Runtime.InteropServices;
using Quorate.Core.Raft;

namespace Quorate.Node.Partitions;

/// <summary>What a partition tells readers on other threads.</summary>
/// <param name="Lease">What linearizable reads may rely on; the default when they may not.</param>
/// <param name="Applied">An entry that the rows hold; they may be newer, never older.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct PublishedRead(ReadLease Lease, ReadToken Applied);

/// <summary>
/// Where a partition publishes what readers on other threads may rely on. The partition writes; any thread reads.
/// <para>What is behind it is the host's: one that runs partitions and readers on several threads brings one that
/// bears it, and in which a reader that has seen an acknowledgement, or a message that was sent, also sees what was
/// published before.</para>
/// </summary>
public interface IReadPublication
{
    /// <summary>Takes the place of what was published before, at once and whole.</summary>
    void Publish(in PublishedRead read);

    /// <summary>False when it is being changed right now: the reader goes the slow way.</summary>
    bool TryRead(out PublishedRead read);

    /// <summary>A reader has relied on it.</summary>
    void MarkUsed();

    /// <summary>Whether a reader has relied on it since this was last asked.</summary>
    bool TakeUsed();
}

/// <summary>A publication where partitions and readers share one thread.</summary>
public sealed class PlainReadPublication : IReadPublication
{
    private PublishedRead _read;
    private bool _isUsed;

    public void Publish(in PublishedRead read) => _read = read;

    public bool TryRead(out PublishedRead read)
    {
        read = _read;
        return true;
    }

    public void MarkUsed() => _isUsed = true;

    public bool TakeUsed()
    {
        bool isUsed = _isUsed;
        _isUsed = false;
        return isUsed;
    }
}
