using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Blocks;

/// <summary>
/// Where the parts of an encoded row lie in a block's body. A row is encoded as: bytes shared with the row key before
/// it, further bytes of its row key, bytes of its value (a <see cref="Varint"/> each), type (1 byte, its upper bit
/// says that there is an expiry), version (8, little-endian), hash (8), expiry (8, when there is one), the further
/// bytes of the row key, the value.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct EncodedRow(int shared, int keyAt, int keyLength, int valueLength, int fixedAt)
{
    /// <summary>What a row takes beyond row key and value at most, in bytes.</summary>
    public const int HeaderBytesMax = (3 * Varint.BytesMax) + FixedBytes + sizeof(long);

    private const int FixedBytes = 1 + sizeof(ulong) + sizeof(ulong);
    private const byte HasExpiry = 0x80;

    /// <summary>How many bytes the row key has in common with the one before it.</summary>
    public int Shared => shared;

    /// <summary>Where the further bytes of the row key begin, and how many they are.</summary>
    public int KeyAt => keyAt;

    public int KeyLength => keyLength;

    public int ValueAt => keyAt + keyLength;

    public int End => ValueAt + valueLength;

    /// <summary>Writes all but the row key and the value; how many bytes it took.</summary>
    public static int WriteHeader(Span<byte> to, int shared, int keyLength, in Row row)
    {
        int at = Varint.Write(to, (uint)shared);
        at += Varint.Write(to[at..], (uint)keyLength);
        at += Varint.Write(to[at..], (uint)row.Value.Length);
        to[at++] = (byte)((byte)row.Type | (row.Expiry == 0 ? 0 : HasExpiry));
        BinaryPrimitives.WriteUInt64LittleEndian(to[at..], row.Version.Packed);
        BinaryPrimitives.WriteUInt64LittleEndian(to[(at + 8)..], row.Hash);
        at += 16;
        if (row.Expiry != 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(to[at..], row.Expiry);
            at += sizeof(long);
        }

        return at;
    }

    /// <summary>False when no row fits there. <paramref name="body"/> is a body without its restart points.</summary>
    public static bool TryParse(ReadOnlySpan<byte> body, int at, out EncodedRow row)
    {
        row = default;
        if (!Varint.TryRead(body, ref at, out int shared)
            || !Varint.TryRead(body, ref at, out int keyLength)
            || !Varint.TryRead(body, ref at, out int valueLength)
            || body.Length - at < FixedBytes)
        {
            return false;
        }

        long keyAt = at + FixedBytes + ((body[at] & HasExpiry) == 0 ? 0 : sizeof(long));
        if (keyAt + keyLength + valueLength > body.Length)
        {
            return false;
        }

        row = new(shared, (int)keyAt, keyLength, valueLength, at);
        return true;
    }

    public Row Read(ReadOnlySpan<byte> body) => new(
        (RowType)(body[fixedAt] & ~HasExpiry),
        new(BinaryPrimitives.ReadUInt64LittleEndian(body[(fixedAt + 1)..])),
        (body[fixedAt] & HasExpiry) == 0 ? 0 : BinaryPrimitives.ReadInt64LittleEndian(body[(fixedAt + FixedBytes)..]),
        BinaryPrimitives.ReadUInt64LittleEndian(body[(fixedAt + 9)..]),
        body.Slice(ValueAt, valueLength));
}
