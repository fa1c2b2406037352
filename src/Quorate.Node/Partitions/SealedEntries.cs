using System.Buffers;
using Quorate.Core.Raft;
using Quorate.Storage;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Partitions;

/// <summary>
/// Seals the batches of an encrypted partition, by the data key that counts now; opens those that were sealed by any
/// key that the node holds. What is not sealed is refused: in an encrypted partition nobody has written it.
/// </summary>
/// <param name="current">The key that new entries are sealed with, whichever it is at that time.</param>
public sealed class SealedEntries(EntrySealer sealer, CurrentKey current) : IEntrySeal
{
    /// <summary>For a key that is never exchanged.</summary>
    public SealedEntries(EntrySealer sealer, uint keyId)
        : this(sealer, new CurrentKey(keyId))
    {
    }

    public ReadOnlyMemory<byte> Seal(ReadToken place, ReadOnlyMemory<byte> batch)
    {
        var output = new ArrayBufferWriter<byte>(batch.Length + EntrySealer.OverheadBytes);
        sealer.Seal(current.Id, place, batch.Span, output);
        return output.WrittenMemory;
    }

    public bool HoldsKeyOf(ReadOnlySpan<byte> payload) => sealer.HoldsKeyOf(payload);

    public ReadOnlyMemory<byte>? Open(ReadToken place, ReadOnlyMemory<byte> payload, out string? problem)
    {
        var output = new ArrayBufferWriter<byte>(Math.Max(1, payload.Length));
        EntryOpening opening = sealer.TryOpen(place, payload.Span, output);
        problem = opening switch
        {
            EntryOpening.Opened => null,
            EntryOpening.UnknownKey =>
                $"is sealed with data key {EntrySealer.KeyIdOf(payload.Span)}, which this node does not hold. "
                + $"Start the node with the cluster's --master-key-file. Where that is so: {FolderAdvice.Sentence}",
            EntryOpening.NotSealed =>
                $"is not sealed, though the partition is encrypted. {FolderAdvice.Sentence}",
            _ => $"was changed after it was sealed, or sealed for another place. {FolderAdvice.Sentence}",
        };
        return opening == EntryOpening.Opened ? output.WrittenMemory : default(ReadOnlyMemory<byte>?);
    }
}
