using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>What a record of the log says. The numbers are part of the format.</summary>
internal enum LogRecordKind : byte
{
    /// <summary>A segment's first record: what came before the segment.</summary>
    Head = 1,
    Entry = 2,

    /// <summary>The entries from an index on are gone.</summary>
    Truncate = 3,
    HardState = 4,

    /// <summary>An installed snapshot has taken the place of all entries.</summary>
    Reset = 5,

    /// <summary>The entries up to an index are no longer needed.</summary>
    Release = 6,
}

/// <summary>
/// What a segment says of the time before it: which segment it follows, up to which byte that one counts and with
/// which checksum chain, and what the log held there. Previous is zero in the first segment of a log.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SegmentHead(
    ulong Previous,
    long PreviousEnd,
    uint PreviousChain,
    HardState HardState,
    LogIndex Base,
    Term BaseTerm,
    LogIndex Last);

/// <summary>
/// One record, decoded. Its bytes, little-endian: kind (1), entry kind (1), zero (2), payload length (4), then by
/// kind: an entry has index (8), term (8), CRC32C of these 24 bytes and the payload (4), payload; reset and release
/// have index (8), term (8); truncate has index (8); a hard state has term, packed vote, commit (8 each); a head
/// has previous (8), its end (8), its chain (4), hard state (24), base (8), base term (8), last (8).
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogRecord(
    LogRecordKind Kind,
    int Offset,
    int Length,
    LogIndex Index = default,
    Term Term = default,
    HardState HardState = default,
    SegmentHead Head = default,
    Membership? Membership = null)
{
    /// <summary>What every record begins with, in bytes.</summary>
    public const int PrefixBytes = 8;

    /// <summary>An entry's record without its payload, in bytes.</summary>
    public const int EntryBytes = PrefixBytes + 20;

    public const int HeadBytes = PrefixBytes + 68;

    private const int CrcOffset = PrefixBytes + 16;

    /// <summary>Writes an entry's record; <paramref name="to"/> is exactly as long as that.</summary>
    public static void WriteEntry(Span<byte> to, Entry entry)
    {
        WritePrefix(to, LogRecordKind.Entry, (byte)entry.Kind, entry.Payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], entry.Index.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], entry.Term.Value);
        entry.Payload.Span.CopyTo(to[EntryBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[CrcOffset..], EntryChecksum(to));
    }

    /// <summary>Reads an entry's record and verifies its checksum; null when it is damaged.</summary>
    public static Entry? TryReadEntry(ReadOnlySpan<byte> from)
    {
        if (from.Length < EntryBytes
            || from[0] != (byte)LogRecordKind.Entry
            || BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) != (uint)(from.Length - EntryBytes)
            || BinaryPrimitives.ReadUInt32LittleEndian(from[CrcOffset..]) != EntryChecksum(from))
        {
            return null;
        }

        return new(ReadIndex(from[8..]), ReadTerm(from[16..]), (EntryKind)from[1], from[EntryBytes..].ToArray());
    }

    public static void WriteIndexed(Span<byte> to, LogRecordKind kind, LogIndex index, Term term)
    {
        WritePrefix(to, kind, 0, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], index.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], term.Value);
    }

    public static void WriteHardStateRecord(Span<byte> to, in HardState state)
    {
        WritePrefix(to, LogRecordKind.HardState, 0, 0);
        WriteHardState(to[8..], state);
    }

    public static void WriteHead(Span<byte> to, in SegmentHead head)
    {
        WritePrefix(to, LogRecordKind.Head, 0, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], head.Previous);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], head.PreviousEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], head.PreviousChain);
        WriteHardState(to[28..], head.HardState);
        BinaryPrimitives.WriteUInt64LittleEndian(to[52..], head.Base.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[60..], head.BaseTerm.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[68..], head.Last.Value);
    }

    /// <summary>A record's length in bytes by its kind, with no payload; zero for an unknown kind.</summary>
    public static int LengthOf(LogRecordKind kind) => kind switch
    {
        LogRecordKind.Head => HeadBytes,
        LogRecordKind.Entry => EntryBytes,
        LogRecordKind.Truncate or LogRecordKind.Reset or LogRecordKind.Release => PrefixBytes + 16,
        LogRecordKind.HardState => PrefixBytes + 24,
        _ => 0,
    };

    /// <summary>
    /// Decodes the record at <paramref name="offset"/> of a batch's body, whose checksum is already verified;
    /// false when it makes no sense all the same, as one of a newer version would.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> body, int offset, out LogRecord record)
    {
        record = default;
        ReadOnlySpan<byte> from = body[offset..];
        if (from.Length < PrefixBytes)
        {
            return false;
        }

        var kind = (LogRecordKind)from[0];
        int fixedLength = LengthOf(kind);
        uint payload = BinaryPrimitives.ReadUInt32LittleEndian(from[4..]);
        if (fixedLength == 0
            || (long)fixedLength + payload > from.Length
            || (payload > 0 && kind != LogRecordKind.Entry))
        {
            return false;
        }

        int length = fixedLength + (int)payload;
        switch (kind)
        {
            case LogRecordKind.Entry:
                Membership? membership = null;
                if (from[1] == (byte)EntryKind.Membership)
                {
                    membership = Membership.TryDecode(from[EntryBytes..length]);
                    if (membership is null)
                    {
                        return false;
                    }
                }

                record = new(kind, offset, length, ReadIndex(from[8..]), ReadTerm(from[16..]), Membership: membership);
                return true;
            case LogRecordKind.HardState:
                record = new(kind, offset, length, HardState: ReadHardState(from[8..]));
                return true;
            case LogRecordKind.Head:
                record = new(kind, offset, length, Head: ReadHead(from));
                return true;
            default:
                record = new(kind, offset, length, ReadIndex(from[8..]), ReadTerm(from[16..]));
                return true;
        }
    }

    private static SegmentHead ReadHead(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[24..]),
        ReadHardState(from[28..]),
        ReadIndex(from[52..]),
        ReadTerm(from[60..]),
        ReadIndex(from[68..]));

    private static uint EntryChecksum(ReadOnlySpan<byte> record) =>
        Crc32C.Of(record[EntryBytes..], Crc32C.Of(record[..CrcOffset]));

    private static void WritePrefix(Span<byte> to, LogRecordKind kind, byte entryKind, int payload)
    {
        to[0] = (byte)kind;
        to[1] = entryKind;
        to[2] = 0;
        to[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], payload);
    }

    private static void WriteHardState(Span<byte> to, in HardState state)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, state.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], state.Vote.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], state.Commit.Value);
    }

    private static HardState ReadHardState(ReadOnlySpan<byte> from) => new(
        ReadTerm(from),
        ReplicaId.FromPacked(BinaryPrimitives.ReadUInt64LittleEndian(from[8..])),
        ReadIndex(from[16..]));

    private static LogIndex ReadIndex(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64LittleEndian(from));

    private static Term ReadTerm(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64LittleEndian(from));
}
