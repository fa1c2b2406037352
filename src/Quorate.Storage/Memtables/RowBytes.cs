using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// A row in native memory: flags (1 byte: type in the lower four bits), whether it was read lately (1), version (8),
/// hash (8), expiry (8, when it has one), the row before it (8, when a freeze needs that one), length of the row key
/// and of the value (7 bits a byte), then both. Once it can be seen only two things of it change: the mark that it was
/// read, and the row before it, at which readers do not look.
/// </summary>
internal static unsafe class RowBytes
{
    /// <summary>No row, but the place of one that a freeze has yet to pass.</summary>
    public const RowType Ghost = (RowType)15;

    private const byte TypeMask = 0x0F;
    private const byte DirtyFlag = 0x10;
    private const byte ExpiryFlag = 0x20;
    private const byte PreviousFlag = 0x40;

    private const int VersionAt = 2;
    private const int HashAt = 10;
    private const int FixedBytes = 18;

    public static int Bytes(int keyLength, int valueLength, bool expires, bool hasPrevious) =>
        FixedBytes + (expires ? 8 : 0) + (hasPrevious ? 8 : 0) + LengthBytes(keyLength) + LengthBytes(valueLength)
        + keyLength + valueLength;

    /// <summary>All that the row takes, in bytes.</summary>
    public static int Bytes(nint row)
    {
        byte* at = Lengths(row, out int keyLength, out int valueLength);
        return (int)(at - (byte*)row) + keyLength + valueLength;
    }

    public static void Write(
        nint row, ReadOnlySpan<byte> rowKey, in Row content, bool dirty, nint previous)
    {
        byte* at = (byte*)row;
        at[0] = (byte)((int)content.Type | (dirty ? DirtyFlag : 0) | (content.Expiry != 0 ? ExpiryFlag : 0)
            | (previous != 0 ? PreviousFlag : 0));
        at[1] = 0;
        Unsafe.WriteUnaligned(at + VersionAt, content.Version.Packed);
        Unsafe.WriteUnaligned(at + HashAt, content.Hash);
        at += FixedBytes;
        if (content.Expiry != 0)
        {
            Unsafe.WriteUnaligned(at, content.Expiry);
            at += 8;
        }

        if (previous != 0)
        {
            Unsafe.WriteUnaligned(at, previous);
            at += 8;
        }

        at = WriteLength(at, rowKey.Length);
        at = WriteLength(at, content.Value.Length);
        rowKey.CopyTo(new Span<byte>(at, rowKey.Length));
        content.Value.CopyTo(new Span<byte>(at + rowKey.Length, content.Value.Length));
    }

    public static RowType TypeOf(nint row) => (RowType)(*(byte*)row & TypeMask);

    public static bool IsGhost(nint row) => TypeOf(row) == Ghost;

    /// <summary>Whether it was put as dirty; it may have been saved since.</summary>
    public static bool WasDirty(nint row) => (*(byte*)row & DirtyFlag) != 0;

    public static bool WasRead(nint row) => ((byte*)row)[1] != 0;

    public static void MarkRead(nint row, bool read)
    {
        // Readers share the line of a row that is read often, so it is written only when that changes something.
        if (((byte*)row)[1] != (read ? 1 : 0))
        {
            ((byte*)row)[1] = (byte)(read ? 1 : 0);
        }
    }

    public static RowVersion VersionOf(nint row) => new(Unsafe.ReadUnaligned<ulong>((byte*)row + VersionAt));

    public static long ExpiryOf(nint row) =>
        (*(byte*)row & ExpiryFlag) != 0 ? Unsafe.ReadUnaligned<long>((byte*)row + FixedBytes) : 0;

    /// <summary>The row before this one, kept for a freeze; zero when there is none.</summary>
    public static nint PreviousOf(nint row) =>
        (*(byte*)row & PreviousFlag) != 0 ? Unsafe.ReadUnaligned<nint>(PreviousPlace(row)) : 0;

    public static void ForgetPrevious(nint row) => Unsafe.WriteUnaligned<nint>(PreviousPlace(row), 0);

    public static ReadOnlySpan<byte> KeyOf(nint row)
    {
        byte* at = Lengths(row, out int keyLength, out _);
        return new ReadOnlySpan<byte>(at, keyLength);
    }

    public static Row Read(nint row)
    {
        byte* at = Lengths(row, out int keyLength, out int valueLength);
        return new Row(
            TypeOf(row), VersionOf(row), ExpiryOf(row), Unsafe.ReadUnaligned<ulong>((byte*)row + HashAt),
            new ReadOnlySpan<byte>(at + keyLength, valueLength));
    }

    /// <summary>
    /// Eight bytes by which rows of one slot are ordered as by their keys, when these differ there: the space's two
    /// bits, then the tag hash.
    /// </summary>
    public static ulong OrderOf(ReadOnlySpan<byte> rowKey) =>
        ((ulong)RowKey.SpaceOf(rowKey) << 62)
        | (BinaryPrimitives.ReadUInt64BigEndian(rowKey[2..]) >> 2);

    private static byte* PreviousPlace(nint row) =>
        (byte*)row + FixedBytes + ((*(byte*)row & ExpiryFlag) != 0 ? 8 : 0);

    private static byte* Lengths(nint row, out int keyLength, out int valueLength)
    {
        byte flags = *(byte*)row;
        byte* at = (byte*)row + FixedBytes;
        at += (flags & ExpiryFlag) != 0 ? 8 : 0;
        at += (flags & PreviousFlag) != 0 ? 8 : 0;
        at = ReadLength(at, out keyLength);
        return ReadLength(at, out valueLength);
    }

    private static int LengthBytes(int length) =>
        length < 1 << 7 ? 1 : length < 1 << 14 ? 2 : length < 1 << 21 ? 3 : 4;

    private static byte* WriteLength(byte* at, int length)
    {
        for (; length >= 1 << 7; length >>= 7)
        {
            *at++ = (byte)(length | 0x80);
        }

        *at++ = (byte)length;
        return at;
    }

    private static byte* ReadLength(byte* at, out int length)
    {
        length = *at & 0x7F;
        for (int shift = 7; (*at++ & 0x80) != 0; shift += 7)
        {
            length |= (*at & 0x7F) << shift;
        }

        return at;
    }
}
