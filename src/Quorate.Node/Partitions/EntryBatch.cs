using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage;

namespace Quorate.Node.Partitions;

/// <summary>
/// What an entry of a partition carries: the version of the format (1 byte), the hybrid time (8 bytes, little-endian),
/// then row changes (see <see cref="Storage.Rows.RowChanges"/>) of all its requests in order. What a request session
/// has to remember is among the changes, as rows. No changes: the entry only moves the time on.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct EntryBatch
{
    /// <summary>The format that this code writes, and the only one it reads.</summary>
    public const byte Version = 1;

    /// <summary>Before the changes, in bytes.</summary>
    public const int HeaderBytes = 9;

    private EntryBatch(HybridTime time, ReadOnlyMemory<byte> changes)
    {
        Time = time;
        Changes = changes;
    }

    public HybridTime Time { get; }

    public ReadOnlyMemory<byte> Changes { get; }

    public static byte[] Encode(HybridTime time, ReadOnlySpan<byte> changes)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(HeaderBytes + changes.Length);
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), time.Packed);
        changes.CopyTo(bytes.AsSpan(HeaderBytes));
        return bytes;
    }

    /// <summary>False, with what is wrong in words, for bytes that this version does not know.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, out EntryBatch batch, out string? problem)
    {
        batch = default;
        problem = null;
        if (bytes.Length > 0 && bytes.Span[0] != Version)
        {
            problem = string.Create(
                CultureInfo.InvariantCulture,
                $"is written in format {bytes.Span[0]}, and this version of Quorate knows format {Version} only. "
                + $"Start the node with the version that the others run.");
        }
        else if (bytes.Length < HeaderBytes)
        {
            problem = $"is too short to carry a time. {FolderAdvice.Sentence}";
        }
        else
        {
            batch = new(new(BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span[1..])), bytes[HeaderBytes..]);
        }

        return problem is null;
    }
}
