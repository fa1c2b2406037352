using System.Buffers.Binary;
using System.Numerics;

namespace Quorate.Core.Model;

/// <summary>
/// Where a key belongs: its slot (CRC16, polynomial 0x1021, as in the Redis Cluster specification), the hash of its
/// tag, and the hash of the whole key (MurmurHash3 x64 128 of Austin Appleby, first 64 bits).
/// </summary>
public static class KeyHash
{
    private const ulong C1 = 0x87C37B91114253D5UL;
    private const ulong C2 = 0x4CF5AD432745937FUL;

    private static readonly ushort[] Crc16Table = MakeCrc16Table();

    /// <summary>
    /// The part of a key between the first `{` and the first `}` after it, when that is not empty; else all of it.
    /// </summary>
    public static ReadOnlySpan<byte> TagOf(ReadOnlySpan<byte> key)
    {
        int open = key.IndexOf((byte)'{');
        if (open < 0)
        {
            return key;
        }

        int length = key[(open + 1)..].IndexOf((byte)'}');
        return length > 0 ? key.Slice(open + 1, length) : key;
    }

    public static Slot SlotOf(ReadOnlySpan<byte> key)
    {
        ushort crc = 0;
        foreach (byte b in TagOf(key))
        {
            crc = (ushort)((crc << 8) ^ Crc16Table[(crc >> 8) ^ b]);
        }

        return new Slot((ushort)(crc & (Slot.Count - 1)));
    }

    /// <summary>The hash of the key's tag: keys of one tag lie together.</summary>
    public static ulong OfTag(ReadOnlySpan<byte> key) => Of(TagOf(key));

    /// <summary>MurmurHash3 x64 128, first 64 bits.</summary>
    public static ulong Of(ReadOnlySpan<byte> data, ulong seed = 0)
    {
        ulong h1 = seed;
        ulong h2 = seed;
        int length = data.Length;
        while (data.Length >= 16)
        {
            h1 ^= Mix1(BinaryPrimitives.ReadUInt64LittleEndian(data));
            h1 = ((BitOperations.RotateLeft(h1, 27) + h2) * 5) + 0x52DCE729;
            h2 ^= Mix2(BinaryPrimitives.ReadUInt64LittleEndian(data[8..]));
            h2 = ((BitOperations.RotateLeft(h2, 31) + h1) * 5) + 0x38495AB5;
            data = data[16..];
        }

        if (data.Length > 8)
        {
            h2 ^= Mix2(ReadPart(data[8..]));
        }

        if (data.Length > 0)
        {
            h1 ^= Mix1(ReadPart(data[..Math.Min(8, data.Length)]));
        }

        h1 ^= (ulong)length;
        h2 ^= (ulong)length;
        h1 += h2;
        h2 += h1;
        h1 = Finish(h1);
        h2 = Finish(h2);
        return h1 + h2;
    }

    private static ulong Mix1(ulong k) => BitOperations.RotateLeft(k * C1, 31) * C2;

    private static ulong Mix2(ulong k) => BitOperations.RotateLeft(k * C2, 33) * C1;

    private static ulong ReadPart(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int i = bytes.Length - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return value;
    }

    private static ulong Finish(ulong h)
    {
        h ^= h >> 33;
        h *= 0xFF51AFD7ED558CCDUL;
        h ^= h >> 33;
        h *= 0xC4CEB9FE1A85EC53UL;
        return h ^ (h >> 33);
    }

    private static ushort[] MakeCrc16Table()
    {
        ushort[] table = new ushort[256];
        for (int i = 0; i < table.Length; i++)
        {
            int crc = i << 8;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
            }

            table[i] = (ushort)crc;
        }

        return table;
    }
}
