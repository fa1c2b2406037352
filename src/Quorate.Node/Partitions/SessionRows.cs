using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>What a slot knows of the sessions that it has forgotten. As bytes, little-endian: watermark (8).</summary>
/// <param name="Watermark">The highest id of a session that was evicted here; ids rise with the time of making.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SessionBook(ulong Watermark)
{
    public static SessionBook Read(ReadOnlySpan<byte> value) => new(BinaryPrimitives.ReadUInt64LittleEndian(value));

    public byte[] Encode()
    {
        byte[] value = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(value, Watermark);
        return value;
    }
}

/// <summary>
/// What a partition knows of all its sessions. As bytes, little-endian: count (8), bytes (8), slot (2) and session (8)
/// of the hand.
/// </summary>
/// <param name="Count">Headers, in all slots: a session counts once in each slot where it is remembered.</param>
/// <param name="Bytes">Of headers and replies, keys and values.</param>
/// <param name="Hand">The one that was looked at last when room was needed; the next search begins after it.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SessionTotals(long Count, long Bytes, SessionPlace Hand)
{
    public static SessionTotals Read(ReadOnlySpan<byte> value) => new(
        BinaryPrimitives.ReadInt64LittleEndian(value),
        BinaryPrimitives.ReadInt64LittleEndian(value[8..]),
        new(
            new Slot(BinaryPrimitives.ReadUInt16LittleEndian(value[16..])),
            BinaryPrimitives.ReadUInt64LittleEndian(value[18..])));

    public byte[] Encode()
    {
        byte[] value = new byte[26];
        BinaryPrimitives.WriteInt64LittleEndian(value, Count);
        BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(8), Bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(16), Hand.Slot.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(18), Hand.Session);
        return value;
    }
}

/// <summary>Where a session is remembered.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SessionPlace(Slot Slot, ulong Session);

/// <summary>The number of a request, and the bytes of the row that remembers its reply.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct RememberedNumber(ulong Number, int Bytes);

/// <summary>
/// What a slot knows of one session. As bytes, little-endian: logged time of the last use (8), the highest number whose
/// reply may be gone (8), then the numbers whose replies are remembered (8 each), ascending, each with the bytes of its
/// row (4).
/// </summary>
internal sealed class SessionHeader(SessionPlace place)
{
    private const int FixedBytes = 16;
    private const int NumberBytes = 12;

    public SessionPlace Place { get; } = place;

    public HybridTime LastUsed { get; set; }

    /// <summary>A number up to here without a reply may have been executed.</summary>
    public ulong Forgotten { get; set; }

    public List<RememberedNumber> Numbers { get; } = [];

    /// <summary>What the session takes in its slot: header, place and replies, each with its row key; about.</summary>
    public long Bytes => (2 * SessionRows.RowKeyBytesMax) + FixedBytes
        + Numbers.Sum(static each => (long)NumberBytes + each.Bytes);

    public static SessionHeader Read(SessionPlace place, ReadOnlySpan<byte> value)
    {
        var header = new SessionHeader(place)
        {
            LastUsed = new(BinaryPrimitives.ReadUInt64LittleEndian(value)),
            Forgotten = BinaryPrimitives.ReadUInt64LittleEndian(value[8..]),
        };
        for (ReadOnlySpan<byte> rest = value[FixedBytes..]; !rest.IsEmpty; rest = rest[NumberBytes..])
        {
            header.Numbers.Add(new(
                BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadInt32LittleEndian(rest[8..])));
        }

        return header;
    }

    public byte[] Encode()
    {
        byte[] value = new byte[FixedBytes + (NumberBytes * Numbers.Count)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, LastUsed.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), Forgotten);
        Span<byte> rest = value.AsSpan(FixedBytes);
        foreach (RememberedNumber each in Numbers)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, each.Number);
            BinaryPrimitives.WriteInt32LittleEndian(rest[8..], each.Bytes);
            rest = rest[NumberBytes..];
        }

        return value;
    }
}

/// <summary>
/// The row keys of sessions. In the session space of a slot: under tag hash 0 the <see cref="SessionBook"/>, with an
/// empty key; under tag hash 1 each session, whose key is its id (8 bytes, big-endian): the header, then a row for each
/// reply, whose element is the number (8 bytes, big-endian). In that of the partition's first slot, besides: under tag
/// hash 2 a row without a value for each header, whose key is slot (2) and id (8), both big-endian, so that the hand
/// can go round them; under tag hash 3 the <see cref="SessionTotals"/>.
/// </summary>
internal static class SessionRows
{
    /// <summary>No row key of a session is longer, in bytes.</summary>
    public const int RowKeyBytesMax = RowKey.PrefixBytes + (2 * PlaceBytes) + 2 + 8;

    private const int PlaceBytes = 10;
    private const ulong BookTag = 0;
    private const ulong SessionsTag = 1;
    private const ulong PlacesTag = 2;
    private const ulong TotalsTag = 3;

    public static ReadOnlySpan<byte> Book(Span<byte> destination, Slot slot) =>
        destination[..RowKey.Write(destination, slot, BookTag, [], [], RowSpace.Sessions)];

    /// <param name="first">The partition's first slot.</param>
    public static ReadOnlySpan<byte> Totals(Span<byte> destination, Slot first) =>
        destination[..RowKey.Write(destination, first, TotalsTag, [], [], RowSpace.Sessions)];

    /// <param name="first">The partition's first slot.</param>
    public static ReadOnlySpan<byte> Place(Span<byte> destination, Slot first, SessionPlace place)
    {
        Span<byte> key = stackalloc byte[PlaceBytes];
        BinaryPrimitives.WriteUInt16BigEndian(key, place.Slot.Value);
        BinaryPrimitives.WriteUInt64BigEndian(key[2..], place.Session);
        return destination[..RowKey.Write(destination, first, PlacesTag, key, [], RowSpace.Sessions)];
    }

    public static ReadOnlySpan<byte> Header(Span<byte> destination, SessionPlace place)
    {
        Span<byte> key = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(key, place.Session);
        return destination[..RowKey.Write(destination, place.Slot, SessionsTag, key, [], RowSpace.Sessions)];
    }

    public static ReadOnlySpan<byte> Reply(Span<byte> destination, SessionPlace place, ulong number)
    {
        Span<byte> key = stackalloc byte[8];
        Span<byte> element = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(key, place.Session);
        BinaryPrimitives.WriteUInt64BigEndian(element, number);
        return destination[..RowKey.Write(destination, place.Slot, SessionsTag, key, element, RowSpace.Sessions)];
    }

    /// <summary>Behind all rows of places.</summary>
    public static byte[] EndOfPlaces(Slot first)
    {
        byte[] key = new byte[RowKeyBytesMax];
        return key[..RowKey.Write(key, first, TotalsTag, [], [], RowSpace.Sessions)];
    }

    /// <summary>Before all rows of places.</summary>
    public static byte[] StartOfPlaces(Slot first)
    {
        byte[] key = new byte[RowKeyBytesMax];
        return key[..RowKey.Write(key, first, PlacesTag, [], [], RowSpace.Sessions)];
    }

    /// <summary>What the row key of a place names.</summary>
    public static SessionPlace ReadPlace(ReadOnlySpan<byte> rowKey)
    {
        Span<byte> key = stackalloc byte[2 * RowKeyBytesMax];
        RowKey.ReadKey(rowKey, key);
        return new(
            new Slot(BinaryPrimitives.ReadUInt16BigEndian(key)), BinaryPrimitives.ReadUInt64BigEndian(key[2..]));
    }
}
