namespace Quorate.Storage.Blocks;

/// <summary>
/// Unsigned numbers in one to five bytes, seven bits each, the lowest first (LEB128). Reading trusts nothing.
/// </summary>
internal static class Varint
{
    public const int BytesMax = 5;

    /// <summary>Writes a number; how many bytes it took.</summary>
    public static int Write(Span<byte> to, uint value)
    {
        int length = 0;
        while (value >= 0x80)
        {
            to[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        to[length++] = (byte)value;
        return length;
    }

    /// <summary>
    /// Reads the number at <paramref name="at"/> and moves on; false when the bytes end before it does, or when it
    /// is more than an int holds.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> from, ref int at, out int value)
    {
        ulong sum = 0;
        for (int shift = 0; shift < 7 * BytesMax; shift += 7)
        {
            if ((uint)at >= (uint)from.Length)
            {
                break;
            }

            byte next = from[at++];
            sum |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                value = (int)sum;
                return sum <= int.MaxValue;
            }
        }

        value = 0;
        return false;
    }
}
