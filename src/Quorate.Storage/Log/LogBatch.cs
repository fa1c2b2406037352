using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>A place in the node's log: a segment and a byte in it. Ascending along the log.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogPoint(ulong Segment, long Offset);

/// <summary>
/// The unit of writing: a header and records, padded with zeros to whole blocks, whole or not there. The header,
/// little-endian: magic and version (4), length of the records (4), sequence of the segment (8), the batch's own offset
/// in it (8), the point below which the log was durable when the batch was written: segment (8) and offset (8), the
/// chain before it (4), the chain with it (4), the MurmurHash3 of the header so far (8).
/// <para>Invariants: batches begin at block boundaries, so none rewrites a block of another. The chain is half of the
/// <see cref="BatchHash"/> of records and padding, which begins with the MurmurHash3 of the header up to itself, and
/// the first batch's "chain before" comes from the segment's sequence; so a stale batch, of another segment or another
/// place, never fits. Both hashes begin with the log's <see cref="LogSecret"/>, so that nothing a client stores is ever
/// taken for a header or a batch (pitfall S1). The chain is no CRC, because
/// records carry CRCs of their own: over bytes that end with their own CRC a CRC is always the same, so a torn write
/// that left an older record of the same length in a newer batch went unseen (seed 8822016). A header alone, by its
/// own checksum, is evidence that what it names as durable was so: damage there is no torn tail (pitfall R26).</para>
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogBatch(
    ulong Segment, long Offset, int BodyBytes, LogPoint DurableBefore, uint ChainBefore, uint Chain)
{
    /// <summary>What batches are padded to and aligned at, in bytes: a page, and what O_DIRECT asks for.</summary>
    public const int BlockBytes = 4096;

    public const int HeaderBytes = 56;

    /// <summary>The version of the format; the byte after the magic.</summary>
    public const byte Version = 4;

    private const int ChainOffset = 44;
    private const int HeaderCheckOffset = 48;

    private static ReadOnlySpan<byte> Magic => "QNL"u8;

    /// <summary>With header and padding, in bytes.</summary>
    public int Length => LengthFor(BodyBytes);

    public long End => Offset + Length;

    /// <summary>The length of a batch whose records take so many bytes.</summary>
    public static int LengthFor(int bodyBytes) =>
        checked(bodyBytes + HeaderBytes + BlockBytes - 1) / BlockBytes * BlockBytes;

    public static uint ChainStart(ulong sequence, LogSecret secret)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, sequence);
        return (uint)KeyHash.Of(bytes, secret.Seed);
    }

    /// <summary>
    /// Reads a header that begins <paramref name="from"/> and verifies that it is of this very place. The records may
    /// still be damaged.
    /// </summary>
    public static bool TryReadHeader(
        ReadOnlySpan<byte> from, LogSecret secret, ulong sequence, long offset, out LogBatch batch)
    {
        batch = default;
        if (from.Length < HeaderBytes
            || !from.StartsWith(Magic)
            || from[3] != Version
            || BinaryPrimitives.ReadUInt64LittleEndian(from[HeaderCheckOffset..])
                != KeyHash.Of(from[..HeaderCheckOffset], secret.Seed))
        {
            return false;
        }

        ulong segment = BinaryPrimitives.ReadUInt64LittleEndian(from[8..]);
        bool isStale = segment != sequence && Guards.StaleBatchesAreNotRead;
        bool isElsewhere = BinaryPrimitives.ReadInt64LittleEndian(from[16..]) != offset && Guards.ChecksumsAreChained;
        uint body = BinaryPrimitives.ReadUInt32LittleEndian(from[4..]);
        if (isStale || isElsewhere || body > int.MaxValue - (2 * BlockBytes))
        {
            return false;
        }

        batch = new(
            segment,
            offset,
            (int)body,
            new(
                BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
                BinaryPrimitives.ReadInt64LittleEndian(from[32..])),
            BinaryPrimitives.ReadUInt32LittleEndian(from[40..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[ChainOffset..]));
        return true;
    }

    /// <summary>Is it a header of this format in another version than this code's?</summary>
    public static bool IsForeign(ReadOnlySpan<byte> from) =>
        from.Length >= HeaderBytes && from.StartsWith(Magic) && from[3] != Version;

    /// <summary>
    /// Verifies a whole batch, <see cref="Length"/> bytes, and that it follows the batch whose chain is given.
    /// </summary>
    public bool IsWholeAfter(ReadOnlySpan<byte> bytes, LogSecret secret, uint chainBefore, ulong sequence)
    {
        bool follows = ChainBefore == chainBefore
            || !Guards.ChecksumsAreChained
            || (Segment != sequence && !Guards.StaleBatchesAreNotRead);
        return follows && bytes.Length == Length && Chain == ChainOf(bytes, secret);
    }

    /// <summary>The records of a batch given whole.</summary>
    public ReadOnlySpan<byte> Body(ReadOnlySpan<byte> bytes) => bytes.Slice(HeaderBytes, BodyBytes);

    /// <summary>Fills in the header in front of records and padding; the chain with this batch.</summary>
    public static uint WriteHeader(
        Span<byte> batch, LogSecret secret, int bodyBytes, LogPoint at, LogPoint durable, uint chainBefore)
    {
        Magic.CopyTo(batch);
        batch[3] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(batch[4..], bodyBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(batch[8..], at.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(batch[16..], at.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(batch[24..], durable.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(batch[32..], durable.Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(batch[40..], chainBefore);
        uint chain = ChainOf(batch, secret);
        BinaryPrimitives.WriteUInt32LittleEndian(batch[ChainOffset..], chain);
        ulong check = KeyHash.Of(batch[..HeaderCheckOffset], secret.Seed);
        BinaryPrimitives.WriteUInt64LittleEndian(batch[HeaderCheckOffset..], check);
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

    private static uint ChainOf(ReadOnlySpan<byte> batch, LogSecret secret)
    {
        ReadOnlySpan<byte> head = batch[..ChainOffset];
        ReadOnlySpan<byte> rest = batch[HeaderBytes..];
        return Guards.BatchesAreNoCrcOfCrcs
            ? (uint)BatchHash.Of(rest, KeyHash.Of(head, secret.Seed))
            : Crc32C.Of(rest, Crc32C.Of(head));
    }
}
