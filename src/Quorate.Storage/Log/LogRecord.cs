using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Log;

/// <summary>What a record of the log says. The numbers are part of the format.</summary>
internal enum LogRecordKind : byte
{
    /// <summary>A segment's first record: which segment it follows.</summary>
    Head = 1,

    /// <summary>After the head, one for each stream that holds anything: where it stood before the segment.</summary>
    Stream = 2,
    Entry = 3,

    /// <summary>The entries from an index on are gone.</summary>
    Truncate = 4,
    HardState = 5,

    /// <summary>An installed snapshot has taken the place of all entries.</summary>
    Reset = 6,

    /// <summary>The entries up to an index are no longer needed.</summary>
    Release = 7,

    /// <summary>The stream is gone with all that it held.</summary>
    Drop = 8,

    /// <summary>
    /// An entry that the stream holds lies here, too, and its older record counts no more. Says nothing of any other.
    /// </summary>
    EntryAgain = 9,
}

/// <summary>
/// Which segment a segment follows, up to which byte that one counts and with which checksum chain. Previous is zero in
/// the first segment of a log.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogHead(ulong Previous, long PreviousEnd, uint PreviousChain);

/// <summary>Where a stream stands: what a segment says of the time before it.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogStanding(HardState HardState, LogIndex Base, Term BaseTerm, LogIndex Last);

/// <summary>
/// One record, decoded. Its bytes, little-endian: kind (1), entry kind (1), zero (2), payload length (4), the stream's
/// group (4) and incarnation (4), then by kind: an entry has index (8), term (8), CRC32C of these 32 bytes and the
/// payload (4), payload, and so has one that is written again; reset and release have index (8), term (8); truncate
/// has index (8), zero (8); a hard state has term, packed vote, commit (8 each); a head has previous (8), its end
/// (8), its chain (4); a stream's standing has hard state (24), base (8), base term (8), last (8).
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogRecord(
    LogRecordKind Kind,
    LogStream Stream,
    int Offset,
    int Length,
    LogIndex Index = default,
    Term Term = default,
    LogStanding Standing = default,
    LogHead Head = default,
    Membership? Membership = null,
    uint KeyId = DataKey.NoId)
{
    /// <summary>What every record begins with, in bytes.</summary>
    public const int PrefixBytes = 16;

    /// <summary>An entry's record without its payload, in bytes.</summary>
    public const int EntryBytes = PrefixBytes + 20;

    public const int HeadBytes = PrefixBytes + 20;

    public const int StandingBytes = PrefixBytes + 48;

    public const int HardStateBytes = PrefixBytes + 24;

    /// <summary>The records that name an index, in bytes.</summary>
    public const int IndexedBytes = PrefixBytes + 16;

    private const int CrcOffset = PrefixBytes + 16;

    /// <summary>Writes an entry's record; <paramref name="to"/> is exactly as long as that.</summary>
    public static void WriteEntry(Span<byte> to, LogStream stream, Entry entry, ReadOnlySpan<byte> payload)
    {
        WritePrefix(to, LogRecordKind.Entry, stream, (byte)entry.Kind, payload.Length);
        WriteIndexAndTerm(to[PrefixBytes..], entry.Index, entry.Term);
        payload.CopyTo(to[EntryBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[CrcOffset..], EntryChecksum(to));
    }

    /// <summary>
    /// Turns an entry's record into one that says the entry again; <paramref name="to"/> is as long as it.
    /// </summary>
    public static void WriteAgain(Span<byte> to, ReadOnlySpan<byte> record)
    {
        record.CopyTo(to);
        to[0] = (byte)LogRecordKind.EntryAgain;
        BinaryPrimitives.WriteUInt32LittleEndian(to[CrcOffset..], EntryChecksum(to));
    }

    /// <summary>Reads an entry's record and verifies its checksum; null when it is damaged or another's.</summary>
    public static Entry? TryReadEntry(ReadOnlySpan<byte> from, LogStream stream)
    {
        if (!IsWhole(from, stream))
        {
            return null;
        }

        return new(
            ReadIndex(from[PrefixBytes..]),
            ReadTerm(from[(PrefixBytes + 8)..]),
            (EntryKind)from[1],
            from[EntryBytes..].ToArray());
    }

    /// <summary>Is it this entry's record, undamaged?</summary>
    public static bool IsWhole(ReadOnlySpan<byte> from, LogStream stream, LogIndex index) =>
        IsWhole(from, stream) && ReadIndex(from[PrefixBytes..]) == index;

    /// <summary>The data key that the payload of an entry's record is sealed with, if it is.</summary>
    public static uint KeyIdOfRecord(ReadOnlySpan<byte> record) =>
        KeyIdOf((EntryKind)record[1], record[EntryBytes..]);

    public static void WriteIndexed(Span<byte> to, LogRecordKind kind, LogStream stream, LogIndex index, Term term)
    {
        WritePrefix(to, kind, stream, 0, 0);
        WriteIndexAndTerm(to[PrefixBytes..], index, term);
    }

    public static void WriteHardState(Span<byte> to, LogStream stream, in HardState state)
    {
        WritePrefix(to, LogRecordKind.HardState, stream, 0, 0);
        WriteState(to[PrefixBytes..], state);
    }

    public static void WriteDrop(Span<byte> to, LogStream stream) =>
        WritePrefix(to, LogRecordKind.Drop, stream, 0, 0);

    public static void WriteHead(Span<byte> to, in LogHead head)
    {
        WritePrefix(to, LogRecordKind.Head, default, 0, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], head.Previous);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], head.PreviousEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(to[32..], head.PreviousChain);
    }

    public static void WriteStanding(Span<byte> to, LogStream stream, in LogStanding standing)
    {
        WritePrefix(to, LogRecordKind.Stream, stream, 0, 0);
        WriteState(to[16..], standing.HardState);
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], standing.Base.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], standing.BaseTerm.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[56..], standing.Last.Value);
    }

    /// <summary>A record's length in bytes by its kind, with no payload; zero for an unknown kind.</summary>
    public static int LengthOf(LogRecordKind kind) => kind switch
    {
        LogRecordKind.Head => HeadBytes,
        LogRecordKind.Stream => StandingBytes,
        LogRecordKind.Entry or LogRecordKind.EntryAgain => EntryBytes,
        LogRecordKind.Truncate or LogRecordKind.Reset or LogRecordKind.Release => IndexedBytes,
        LogRecordKind.HardState => HardStateBytes,
        LogRecordKind.Drop => PrefixBytes,
        _ => 0,
    };

    /// <summary>
    /// Decodes the record at <paramref name="offset"/> of a batch's records, whose checksum is already verified; false
    /// when it makes no sense all the same, as one of a newer version would.
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
            || (payload > 0 && !IsEntry(kind)))
        {
            return false;
        }

        int length = fixedLength + (int)payload;
        LogStream stream = ReadStream(from);
        ReadOnlySpan<byte> content = from[PrefixBytes..length];
        switch (kind)
        {
            case LogRecordKind.Entry or LogRecordKind.EntryAgain:
                Membership? membership = null;
                if (from[1] == (byte)EntryKind.Membership)
                {
                    membership = Membership.TryDecode(from[EntryBytes..length]);
                    if (membership is null)
                    {
                        return false;
                    }
                }

                record = new(
                    kind, stream, offset, length, ReadIndex(content), ReadTerm(content[8..]), Membership: membership,
                    KeyId: KeyIdOf((EntryKind)from[1], from[EntryBytes..length]));
                return true;
            case LogRecordKind.HardState:
                LogStanding state = new(ReadState(content), default, default, default);
                record = new(kind, stream, offset, length, Standing: state);
                return true;
            case LogRecordKind.Head:
                record = new(kind, stream, offset, length, Head: ReadHead(content));
                return true;
            case LogRecordKind.Stream:
                record = new(kind, stream, offset, length, Standing: ReadStanding(content));
                return true;
            case LogRecordKind.Drop:
                record = new(kind, stream, offset, length);
                return true;
            default:
                record = new(kind, stream, offset, length, ReadIndex(content), ReadTerm(content[8..]));
                return true;
        }
    }

    /// <summary>The data key that an entry's payload is sealed with, if it is.</summary>
    public static uint KeyIdOf(EntryKind kind, ReadOnlySpan<byte> payload) =>
        kind == EntryKind.Data ? EntrySealer.KeyIdOf(payload) : DataKey.NoId;

    /// <summary>Is it an entry's record, its first or a later one?</summary>
    public static bool IsEntry(LogRecordKind kind) => kind is LogRecordKind.Entry or LogRecordKind.EntryAgain;

    private static bool IsWhole(ReadOnlySpan<byte> from, LogStream stream) => from.Length >= EntryBytes
        && IsEntry((LogRecordKind)from[0])
        && BinaryPrimitives.ReadUInt32LittleEndian(from[4..]) == (uint)(from.Length - EntryBytes)
        && BinaryPrimitives.ReadUInt32LittleEndian(from[CrcOffset..]) == EntryChecksum(from)
        && ReadStream(from) == stream;

    private static LogHead ReadHead(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(from),
        BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[16..]));

    private static LogStanding ReadStanding(ReadOnlySpan<byte> from) =>
        new(ReadState(from), ReadIndex(from[24..]), ReadTerm(from[32..]), ReadIndex(from[40..]));

    private static uint EntryChecksum(ReadOnlySpan<byte> record) =>
        Crc32C.Of(record[EntryBytes..], Crc32C.Of(record[..CrcOffset]));

    private static void WritePrefix(Span<byte> to, LogRecordKind kind, LogStream stream, byte entryKind, int payload)
    {
        // Two words: what is written for each entry counts.
        ulong first = (byte)kind | ((ulong)entryKind << 8) | ((ulong)(uint)payload << 32);
        ulong second = stream.Group.Value | ((ulong)stream.Incarnation << 32);
        BinaryPrimitives.WriteUInt64LittleEndian(to, first);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], second);
    }

    private static LogStream ReadStream(ReadOnlySpan<byte> from) => new(
        new(BinaryPrimitives.ReadUInt32LittleEndian(from[8..])), BinaryPrimitives.ReadUInt32LittleEndian(from[12..]));

    private static void WriteIndexAndTerm(Span<byte> to, LogIndex index, Term term)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, index.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], term.Value);
    }

    private static void WriteState(Span<byte> to, in HardState state)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, state.Term.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], state.Vote.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], state.Commit.Value);
    }

    private static HardState ReadState(ReadOnlySpan<byte> from) => new(
        ReadTerm(from),
        ReplicaId.FromPacked(BinaryPrimitives.ReadUInt64LittleEndian(from[8..])),
        ReadIndex(from[16..]));

    private static LogIndex ReadIndex(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64LittleEndian(from));

    private static Term ReadTerm(ReadOnlySpan<byte> from) => new(BinaryPrimitives.ReadUInt64LittleEndian(from));
}
