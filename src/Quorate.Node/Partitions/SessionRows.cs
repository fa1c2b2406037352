using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>What a slot knows of all its sessions. As bytes, little-endian: watermark (8), count (4).</summary>
/// <param name="Watermark">The highest id of a session that was evicted here; ids rise with the time of making.</param>
/// <param name="Count">Sessions that have a header.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SessionBook(ulong Watermark, int Count)
{
    public static SessionBook Read(ReadOnlySpan<byte> value) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(value), BinaryPrimitives.ReadInt32LittleEndian(value[8..]));

    public byte[] Encode()
    {
        byte[] value = new byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(value, Watermark);
        BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(8), Count);
        return value;
    }
}

/// <summary>
/// What a slot knows of one session. As bytes, little-endian: logged time of the last use (8), the highest number whose
/// reply may be gone (8), then the numbers whose replies are remembered, ascending (8 each).
/// </summary>
internal sealed class SessionHeader(ulong session)
{
    public ulong Session { get; } = session;

    public HybridTime LastUsed { get; set; }

    /// <summary>A number up to here without a reply may have been executed.</summary>
    public ulong Forgotten { get; set; }

    public List<ulong> Numbers { get; } = [];

    public static SessionHeader Read(ulong session, ReadOnlySpan<byte> value)
    {
        var header = new SessionHeader(session)
        {
            LastUsed = new(BinaryPrimitives.ReadUInt64LittleEndian(value)),
            Forgotten = BinaryPrimitives.ReadUInt64LittleEndian(value[8..]),
        };
        for (ReadOnlySpan<byte> rest = value[16..]; rest.Length >= 8; rest = rest[8..])
        {
            header.Numbers.Add(BinaryPrimitives.ReadUInt64LittleEndian(rest));
        }

        return header;
    }

    public byte[] Encode()
    {
        byte[] value = new byte[16 + (8 * Numbers.Count)];
        BinaryPrimitives.WriteUInt64LittleEndian(value, LastUsed.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(8), Forgotten);
        for (int i = 0; i < Numbers.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value.AsSpan(16 + (8 * i)), Numbers[i]);
        }

        return value;
    }
}

/// <summary>
/// The row keys of sessions. In the session space of a slot: under tag hash 0 the <see cref="SessionBook"/>, with an
/// empty key; under tag hash 1 each session, whose key is its id (8 bytes, big-endian): the header, then a row for each
/// reply, whose element is the number (8 bytes, big-endian).
/// </summary>
internal static class SessionRows
{
    private const ulong BookTag = 0;
    private const ulong SessionsTag = 1;

    public static ReadOnlySpan<byte> Book(Span<byte> destination, Slot slot) =>
        destination[..RowKey.Write(destination, slot, BookTag, [], [], RowSpace.Sessions)];

    public static ReadOnlySpan<byte> Header(Span<byte> destination, Slot slot, ulong session)
    {
        Span<byte> key = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(key, session);
        return destination[..RowKey.Write(destination, slot, SessionsTag, key, [], RowSpace.Sessions)];
    }

    public static ReadOnlySpan<byte> Reply(Span<byte> destination, Slot slot, ulong session, ulong number)
    {
        Span<byte> key = stackalloc byte[8];
        Span<byte> element = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(key, session);
        BinaryPrimitives.WriteUInt64BigEndian(element, number);
        return destination[..RowKey.Write(destination, slot, SessionsTag, key, element, RowSpace.Sessions)];
    }

    public static byte[] FirstHeader(Slot slot)
    {
        byte[] key = new byte[RowKey.BytesMax(8, 8)];
        return key[..RowKey.Write(key, slot, SessionsTag, [], [], RowSpace.Sessions)];
    }

    public static byte[] EndOfHeaders(Slot slot)
    {
        byte[] key = new byte[RowKey.BytesMax(8, 8)];
        return key[..RowKey.Write(key, slot, SessionsTag + 1, [], [], RowSpace.Sessions)];
    }

    /// <summary>The session whose header this row key names; false for the row of a reply.</summary>
    public static bool TryReadHeaderKey(ReadOnlySpan<byte> rowKey, out ulong session)
    {
        session = 0;
        if (RowKey.ElementStart(rowKey) != rowKey.Length)
        {
            return false;
        }

        Span<byte> key = stackalloc byte[32];
        RowKey.ReadKey(rowKey, key);
        session = BinaryPrimitives.ReadUInt64BigEndian(key);
        return true;
    }
}
