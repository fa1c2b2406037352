using Quorate.Core.Raft;

namespace Quorate.Node.Partitions;

/// <summary>
/// What stands between an entry's batch and log and wire: sealing, where the partition is encrypted.
/// </summary>
public interface IEntrySeal
{
    /// <summary>The bytes that go into the entry which will stand at this place.</summary>
    ReadOnlyMemory<byte> Seal(ReadToken place, ReadOnlyMemory<byte> batch);

    /// <summary>
    /// Whether what opens these bytes is here. False for one that may come later: the entry came before its data key.
    /// </summary>
    bool HoldsKeyOf(ReadOnlySpan<byte> payload);

    /// <summary>
    /// Null when the bytes of the entry at this place can not be opened; <paramref name="problem"/> then says of the
    /// entry why, and what to do.
    /// </summary>
    ReadOnlyMemory<byte>? Open(ReadToken place, ReadOnlyMemory<byte> payload, out string? problem);
}

/// <summary>Leaves batches as they are.</summary>
public sealed class PlainEntries : IEntrySeal
{
    public static readonly PlainEntries Instance = new();

    private PlainEntries()
    {
    }

    public ReadOnlyMemory<byte> Seal(ReadToken place, ReadOnlyMemory<byte> batch) => batch;

    public bool HoldsKeyOf(ReadOnlySpan<byte> payload) => true;

    public ReadOnlyMemory<byte>? Open(ReadToken place, ReadOnlyMemory<byte> payload, out string? problem)
    {
        problem = null;
        return payload;
    }
}
