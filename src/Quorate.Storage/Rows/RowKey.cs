using System.Buffers.Binary;
using Quorate.Core.Model;

namespace Quorate.Storage.Rows;

/// <summary>What a row is for. Two bits beside the slot, so that a range of one slot holds one kind of rows.</summary>
public enum RowSpace : byte
{
    /// <summary>Users' keys: a header row each, and a row for each element of a collection.</summary>
    User = 0,

    /// <summary>Request sessions and the replies that they remember.</summary>
    Sessions = 1,
}

/// <summary>
/// The key of a row as bytes, whose order (by memcmp) is the order of rows everywhere: in memory, on disk, in scans.
/// <para>Layout: slot and space (2 bytes, big-endian: slot × 4 + space), tag hash (8 bytes, big-endian), the key with
/// each byte 00 written as 00 FF, the end mark 00 00, the element's bytes as they are. So the rows of one slot lie
/// together, in it those of one hash tag, in it the keys in order, and each key's header (an empty element) stands
/// before its elements.</para>
/// </summary>
public static class RowKey
{
    /// <summary>Slot, space and tag hash, in bytes.</summary>
    public const int PrefixBytes = 10;

    private const int EndBytes = 2;

    /// <summary>The row key of a <see cref="RowType.Clear"/>: that of the empty key in the first slot.</summary>
    public static ReadOnlySpan<byte> Clear => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>No row key of such a key and element is longer, in bytes.</summary>
    public static int BytesMax(int keyLength, int elementLength) =>
        PrefixBytes + (2 * keyLength) + EndBytes + elementLength;

    /// <summary>Writes the row key of a key; its length. The slot and the tag hash are computed.</summary>
    public static int Write(
        Span<byte> destination, ReadOnlySpan<byte> key, ReadOnlySpan<byte> element = default,
        RowSpace space = RowSpace.User) =>
        Write(destination, KeyHash.SlotOf(key), KeyHash.OfTag(key), key, element, space);

    /// <summary>As the other overload, for a row that lies in a slot of another key (a session's).</summary>
    public static int Write(
        Span<byte> destination, Slot slot, ulong tagHash, ReadOnlySpan<byte> key, ReadOnlySpan<byte> element,
        RowSpace space)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)((slot.Value << 2) | (int)space));
        BinaryPrimitives.WriteUInt64BigEndian(destination[2..], tagHash);
        int at = PrefixBytes;
        while (key.IndexOf((byte)0) is int zero and >= 0)
        {
            key[..(zero + 1)].CopyTo(destination[at..]);
            at += zero + 1;
            destination[at++] = 0xFF;
            key = key[(zero + 1)..];
        }

        key.CopyTo(destination[at..]);
        at += key.Length;
        destination[at++] = 0;
        destination[at++] = 0;
        element.CopyTo(destination[at..]);
        return at + element.Length;
    }

    public static byte[] Of(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> element = default, RowSpace space = RowSpace.User)
    {
        byte[] bytes = new byte[PrefixBytes + key.Length + key.Count((byte)0) + EndBytes + element.Length];
        Write(bytes, key, element, space);
        return bytes;
    }

    public static Slot SlotOf(ReadOnlySpan<byte> rowKey) =>
        new((ushort)(BinaryPrimitives.ReadUInt16BigEndian(rowKey) >> 2));

    public static RowSpace SpaceOf(ReadOnlySpan<byte> rowKey) =>
        (RowSpace)(BinaryPrimitives.ReadUInt16BigEndian(rowKey) & 3);

    /// <summary>
    /// Where the element begins; -1 when these are not the bytes of a row key. Zero length after it: a header.
    /// </summary>
    public static int ElementStart(ReadOnlySpan<byte> rowKey)
    {
        int at = PrefixBytes;
        while (at + 1 < rowKey.Length)
        {
            int zero = rowKey[at..].IndexOf((byte)0);
            if (zero < 0 || at + zero + 1 >= rowKey.Length)
            {
                return -1;
            }

            at += zero + EndBytes;
            byte second = rowKey[at - 1];
            if (second == 0)
            {
                return at;
            }

            if (second != 0xFF)
            {
                return -1;
            }
        }

        return -1;
    }

    /// <summary>The row key of the header that an element's row key belongs to: all before the element.</summary>
    public static ReadOnlySpan<byte> HeaderOf(ReadOnlySpan<byte> rowKey) => rowKey[..ElementStart(rowKey)];

    /// <summary>The user's key in a row key, without the doubled zeros; its length.</summary>
    public static int ReadKey(ReadOnlySpan<byte> rowKey, Span<byte> destination)
    {
        ReadOnlySpan<byte> escaped = rowKey[PrefixBytes..(ElementStart(rowKey) - EndBytes)];
        int length = 0;
        for (int i = 0; i < escaped.Length; i++)
        {
            destination[length++] = escaped[i];
            i += escaped[i] == 0 ? 1 : 0;
        }

        return length;
    }

    public static byte[] KeyOf(ReadOnlySpan<byte> rowKey)
    {
        byte[] key = new byte[rowKey.Length];
        return key[..ReadKey(rowKey, key)];
    }
}
