using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Checkpoints;

/// <summary>A name that a checkpoint's file may have, taken apart. The suffix says what became of it.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CheckpointName(string File, LogIndex Index, Term Term, string Suffix)
{
    public const string Saving = ".saving";
    public const string Receiving = ".receiving";

    public bool IsWhole => Suffix.Length == 0;

    public static string Of(string prefix, SnapshotMeta meta, string suffix = "") =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{prefix}checkpoint-{meta.Index.Value:D20}-{meta.Term.Value}{suffix}");

    /// <summary>The checkpoints of one group among the names of all files.</summary>
    public static List<CheckpointName> Among(string prefix, IEnumerable<string> names)
    {
        string start = prefix + "checkpoint-";
        var found = new List<CheckpointName>();
        foreach (string name in names)
        {
            if (!name.StartsWith(start, StringComparison.Ordinal))
            {
                continue;
            }

            string rest = name[start.Length..];
            int dot = rest.IndexOf('.', StringComparison.Ordinal);
            string suffix = dot < 0 ? "" : rest[dot..];
            string[] numbers = rest[..(rest.Length - suffix.Length)].Split('-');
            if (numbers.Length == 2
                && suffix is "" or Saving or Receiving
                && ulong.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong index)
                && ulong.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong term))
            {
                found.Add(new(name, new(index), new(term), suffix));
            }
        }

        return found;
    }

    public bool IsBefore(SnapshotMeta meta) => Index < meta.Index || (Index == meta.Index && Term < meta.Term);
}

/// <summary>
/// A checkpoint's file, little-endian: magic and version (4), length of the meta (4), length of the state (8), meta,
/// state, CRC32C of all before (4). The meta: index (8), term (8), membership's index (8), membership's length (4),
/// membership, number of term starts (4), each term (8) and first index (8).
/// </summary>
internal static class CheckpointFormat
{
    public const int HeaderBytes = 16;

    public const int TrailerBytes = 4;

    /// <summary>"QCP" and the version of the format, 1.</summary>
    private static readonly byte[] Magic = [(byte)'Q', (byte)'C', (byte)'P', 1];

    /// <summary>The file's bytes before the state.</summary>
    public static byte[] EncodeHeader(SnapshotMeta meta, long stateBytes)
    {
        byte[] encoded = EncodeMeta(meta);
        byte[] bytes = new byte[HeaderBytes + encoded.Length];
        Magic.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), encoded.Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), stateBytes);
        encoded.CopyTo(bytes, HeaderBytes);
        return bytes;
    }

    public static byte[] EncodeTrailer(uint checksum)
    {
        byte[] bytes = new byte[TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, checksum);
        return bytes;
    }

    public static byte[] EncodeMeta(SnapshotMeta meta)
    {
        byte[] membership = meta.Membership.Encode();
        byte[] bytes = new byte[32 + membership.Length + (16 * meta.TermStarts.Length)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, meta.Index.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), meta.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), meta.MembershipIndex.Value);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(24), membership.Length);
        membership.CopyTo(bytes, 28);
        Span<byte> rest = bytes.AsSpan(28 + membership.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest, meta.TermStarts.Length);
        rest = rest[4..];
        foreach (TermStart start in meta.TermStarts)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, start.Term.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(rest[8..], start.First.Value);
            rest = rest[16..];
        }

        return bytes;
    }

    public static bool IsSame(SnapshotMeta? a, SnapshotMeta? b) =>
        a is not null && b is not null && EncodeMeta(a).AsSpan().SequenceEqual(EncodeMeta(b));

    /// <summary>
    /// The longest file that a state of <paramref name="stateBytesMax"/> may have; beyond, a received one is refused
    /// before it fills the disk.
    /// </summary>
    public static long FileBytesMax(long stateBytesMax, int metaBytesMax) =>
        HeaderBytes + metaBytesMax + stateBytesMax + TrailerBytes;

    /// <summary>Verifies a whole file and takes it apart; false when it is damaged in any way.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> file, out SnapshotMeta? meta, out ReadOnlyMemory<byte> state)
    {
        meta = null;
        state = default;
        ReadOnlySpan<byte> bytes = file.Span;
        if (bytes.Length < HeaderBytes + TrailerBytes || !bytes.StartsWith(Magic))
        {
            return false;
        }

        uint metaBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        ulong stateBytes = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        long inside = bytes.Length - HeaderBytes - TrailerBytes;
        if (metaBytes > inside || stateBytes != (ulong)(inside - metaBytes))
        {
            return false;
        }

        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^TrailerBytes..]);
        if (Guards.CheckpointsAreVerified && checksum != Crc32C.Of(bytes[..^TrailerBytes]))
        {
            return false;
        }

        meta = TryDecodeMeta(bytes.Slice(HeaderBytes, (int)metaBytes));
        state = file.Slice(HeaderBytes + (int)metaBytes, (int)stateBytes);
        return meta is not null;
    }

    public static SnapshotMeta? TryDecodeMeta(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 32)
        {
            return null;
        }

        uint membershipBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        if (membershipBytes > bytes.Length - 32)
        {
            return null;
        }

        Membership? membership = Membership.TryDecode(bytes.Slice(28, (int)membershipBytes));
        ReadOnlySpan<byte> rest = bytes[(28 + (int)membershipBytes)..];
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        rest = rest[4..];
        if (membership is null || rest.Length != count * 16L)
        {
            return null;
        }

        var starts = new TermStart[count];
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = new(ReadTerm(rest[(i * 16)..]), ReadIndex(rest[((i * 16) + 8)..]));
        }

        return new(ReadIndex(bytes), ReadTerm(bytes[8..]), ReadIndex(bytes[16..]), membership, starts);
    }

    private static LogIndex ReadIndex(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64LittleEndian(from));

    private static Term ReadTerm(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64LittleEndian(from));
}
