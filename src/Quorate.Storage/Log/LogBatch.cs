using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// The unit of writing: a header and records, whole or not there. The header, little-endian: magic and version (4),
/// length of the body (4), sequence of the segment (8), the batch's own offset in it (8), the offset below which
/// the segment was durable when the batch was written (8), the chain before it (4), the chain with it (4).
/// <para>Invariants: the chain is the CRC32C of the header so far and the body, and the first batch's "chain
/// before" comes from the segment's sequence; so a stale batch, of another segment or another place, never fits.
/// A batch that names a durable offset is evidence that damage below it is no torn tail (pitfall R26).</para>
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogBatch(long Offset, int BodyBytes, long DurableBefore, uint ChainBefore, uint Chain)
{
    public const int HeaderBytes = 40;

    /// <summary>"QLB" and the version of the format, 1.</summary>
    public static readonly byte[] Magic = [(byte)'Q', (byte)'L', (byte)'B', 1];

    private const int ChainOffset = 36;

    public long End => Offset + HeaderBytes + BodyBytes;

    public static uint ChainStart(ulong sequence)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, sequence);
        return Crc32C.Of(bytes);
    }

    /// <summary>
    /// Reads the header at an offset of a segment and verifies that the batch is whole and of this very place.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> segment, long offset, ulong sequence, out LogBatch batch)
    {
        batch = default;
        ReadOnlySpan<byte> from = segment[(int)offset..];
        if (from.Length < HeaderBytes || !from.StartsWith(Magic))
        {
            return false;
        }

        uint body = BinaryPrimitives.ReadUInt32LittleEndian(from[4..]);
        if (body > (uint)(from.Length - HeaderBytes))
        {
            return false;
        }

        bool placed = BinaryPrimitives.ReadUInt64LittleEndian(from[8..]) == sequence
            && BinaryPrimitives.ReadInt64LittleEndian(from[16..]) == offset;
        uint chain = BinaryPrimitives.ReadUInt32LittleEndian(from[ChainOffset..]);
        if ((!placed && Guards.ChecksumsAreChained) || chain != ChainOf(from[..(HeaderBytes + (int)body)]))
        {
            return false;
        }

        batch = new(
            offset,
            (int)body,
            BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[32..]),
            chain);
        return true;
    }

    /// <summary>Fills in the header in front of a body.</summary>
    public static uint WriteHeader(Span<byte> batch, ulong sequence, long offset, long durableBefore, uint chainBefore)
    {
        Magic.CopyTo(batch);
        BinaryPrimitives.WriteInt32LittleEndian(batch[4..], batch.Length - HeaderBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(batch[8..], sequence);
        BinaryPrimitives.WriteInt64LittleEndian(batch[16..], offset);
        BinaryPrimitives.WriteInt64LittleEndian(batch[24..], durableBefore);
        BinaryPrimitives.WriteUInt32LittleEndian(batch[32..], chainBefore);
        uint chain = ChainOf(batch);
        BinaryPrimitives.WriteUInt32LittleEndian(batch[ChainOffset..], chain);
        return chain;
    }

    /// <summary>A segment's file name.</summary>
    public static string FileName(string prefix, ulong sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}log-{sequence:D8}");

    /// <summary>The sequences of the segments among some files, ascending.</summary>
    public static List<ulong> Sequences(string prefix, IEnumerable<string> names)
    {
        string start = prefix + "log-";
        var sequences = new List<ulong>();
        foreach (string name in names)
        {
            if (name.StartsWith(start, StringComparison.Ordinal)
                && ulong.TryParse(
                    name.AsSpan(start.Length), NumberStyles.None, CultureInfo.InvariantCulture, out ulong sequence)
                && string.Equals(name, FileName(prefix, sequence), StringComparison.Ordinal))
            {
                sequences.Add(sequence);
            }
        }

        sequences.Sort();
        return sequences;
    }

    private static uint ChainOf(ReadOnlySpan<byte> batch) =>
        Crc32C.Of(batch[HeaderBytes..], Crc32C.Of(batch[..ChainOffset]));
}
