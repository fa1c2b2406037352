using System.Buffers.Binary;
using System.Numerics;

namespace Quorate.Node.Commands;

/// <summary>
/// How many different elements were seen, within about 0.8 percent, in 16,384 registers (Flajolet et al., "HyperLogLog:
/// the analysis of a near-optimal cardinality estimation algorithm", 2007), estimated as in Ertl, "New cardinality
/// estimation algorithms for HyperLogLog sketches", 2017, section 4. Hash, registers and both layouts are those of
/// Redis, so the strings of one are read by the other.
/// <para>Layout: "HYLL", the kind (0 dense, 1 sparse), three zeros, eight bytes that are Redis's cache of the count
/// (never used here: the highest bit says that they do not count). Dense: 6 bits a register, from the lowest bit on.
/// Sparse: runs, `00nnnnnn` of 1 to 64 zeros, `01nnnnnn nnnnnnnn` of 1 to 16,384 zeros, `1vvvvvnn` of 1 to 4 registers
/// of value 1 to 32.</para>
/// </summary>
internal sealed class HyperLogLog
{
    private const int IndexBits = 14;
    private const int RegisterCount = 1 << IndexBits;
    private const int HashBits = 64 - IndexBits;
    private const int RegisterBits = 6;
    private const int HeaderBytes = 16;
    private const int DenseBytes = HeaderBytes + (RegisterCount * RegisterBits / 8);

    /// <summary>A sparse string is at most so long; beyond, it is dense.</summary>
    private const int SparseBytesMax = 3000;

    private const int SparseValueMax = 32;
    private const int SparseValueRunMax = 4;
    private const int SparseZerosMax = 64;
    private const byte Dense = 0;
    private const byte Sparse = 1;

    private readonly byte[] _registers = new byte[RegisterCount];

    private static ReadOnlySpan<byte> Magic => "HYLL"u8;

    /// <summary>Whether a string says that it is one; it may still be damaged.</summary>
    public static bool IsOne(ReadOnlySpan<byte> text) =>
        text.Length >= HeaderBytes
        && text.StartsWith(Magic)
        && (text[4] == Sparse || (text[4] == Dense && text.Length == DenseBytes));

    /// <summary>Takes over the larger of each two registers; false when the string is damaged.</summary>
    public bool TryMerge(ReadOnlySpan<byte> text) =>
        text[4] == Dense ? MergeDense(text[HeaderBytes..]) : TryMergeSparse(text[HeaderBytes..]);

    /// <summary>Adds an element; whether any register has changed.</summary>
    public bool Add(ReadOnlySpan<byte> element)
    {
        ulong hash = Hash(element);
        int index = (int)(hash & (RegisterCount - 1));

        // The place of the lowest bit that is set, which ends at the bits that are left.
        int rank = BitOperations.TrailingZeroCount((hash >> IndexBits) | (1UL << HashBits)) + 1;
        bool isHigher = rank > _registers[index];
        _registers[index] = isHigher ? (byte)rank : _registers[index];
        return isHigher;
    }

    public long Estimate()
    {
        Span<int> histogram = stackalloc int[1 << RegisterBits];
        histogram.Clear();
        foreach (byte register in _registers)
        {
            histogram[register]++;
        }

        const double alpha = 0.721347520444481703680;
        const double m = RegisterCount;
        double z = m * Tau((m - histogram[HashBits + 1]) / m);
        for (int value = HashBits; value >= 1; value--)
        {
            z = (z + histogram[value]) * 0.5;
        }

        z += m * Sigma(histogram[0] / m);
        return (long)Math.Round(alpha * m * m / z, MidpointRounding.AwayFromZero);
    }

    public byte[] ToText() => ToSparse() ?? ToDense();

    private static double Sigma(double x)
    {
        if (x >= 1)
        {
            return double.PositiveInfinity;
        }

        double y = 1;
        double z = x;
        double before;
        do
        {
            x *= x;
            before = z;
            z += x * y;
            y += y;
        }
        while (z > before);
        return z;
    }

    private static double Tau(double x)
    {
        if (x <= 0 || x >= 1)
        {
            return 0;
        }

        double y = 1;
        double z = 1 - x;
        double before;
        do
        {
            x = Math.Sqrt(x);
            before = z;
            y *= 0.5;
            z -= (1 - x) * (1 - x) * y;
        }
        while (z < before);
        return z / 3;
    }

    /// <summary>MurmurHash64A (Appleby), with Redis's seed.</summary>
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong multiplier = 0xc6a4a7935bd1e995;
        const ulong seed = 0xadc83b19;
        ulong hash = seed ^ ((ulong)bytes.Length * multiplier);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bytes) * multiplier;
            hash = (hash ^ ((word ^ (word >> 47)) * multiplier)) * multiplier;
        }

        if (!bytes.IsEmpty)
        {
            Span<byte> rest = stackalloc byte[sizeof(ulong)];
            rest.Clear();
            bytes.CopyTo(rest);
            hash = (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(rest)) * multiplier;
        }

        hash = (hash ^ (hash >> 47)) * multiplier;
        return hash ^ (hash >> 47);
    }

    private bool MergeDense(ReadOnlySpan<byte> packed)
    {
        for (int index = 0; index < RegisterCount; index++)
        {
            int bit = index * RegisterBits;
            int pair = packed[bit / 8] | ((bit / 8) + 1 < packed.Length ? packed[(bit / 8) + 1] << 8 : 0);
            Raise(index, 1, (pair >> (bit % 8)) & ((1 << RegisterBits) - 1));
        }

        return true;
    }

    private bool TryMergeSparse(ReadOnlySpan<byte> runs)
    {
        int index = 0;
        for (int at = 0; at < runs.Length; at++)
        {
            byte first = runs[at];
            int value = 0;
            int length = (first & 0x3F) + 1;
            if (first >= 0x80)
            {
                value = ((first >> 2) & 0x1F) + 1;
                length = (first & 3) + 1;
            }
            else if (first >= 0x40)
            {
                if (++at == runs.Length)
                {
                    return false;
                }

                length = (((first & 0x3F) << 8) | runs[at]) + 1;
            }

            if (length > RegisterCount - index)
            {
                return false;
            }

            Raise(index, length, value);
            index += length;
        }

        return index == RegisterCount;
    }

    private void Raise(int index, int length, int value)
    {
        foreach (ref byte register in _registers.AsSpan(index, length))
        {
            register = Math.Max(register, (byte)value);
        }
    }

    private static byte[] Header(int length, byte kind)
    {
        byte[] text = new byte[length];
        Magic.CopyTo(text);
        text[4] = kind;
        text[HeaderBytes - 1] = 0x80;
        return text;
    }

    private byte[] ToDense()
    {
        byte[] text = Header(DenseBytes, Dense);
        Span<byte> packed = text.AsSpan(HeaderBytes);
        for (int index = 0; index < RegisterCount; index++)
        {
            int bit = index * RegisterBits;
            int pair = _registers[index] << (bit % 8);
            packed[bit / 8] |= (byte)pair;
            if (pair > byte.MaxValue)
            {
                packed[(bit / 8) + 1] |= (byte)(pair >> 8);
            }
        }

        return text;
    }

    /// <summary>Null when that would be long, or a register is too large for it.</summary>
    private byte[]? ToSparse()
    {
        List<byte> runs = [];
        for (int index = 0; index < RegisterCount && runs.Count <= SparseBytesMax;)
        {
            byte value = _registers[index];
            int end = index + 1;
            int max = value == 0 ? RegisterCount : SparseValueRunMax;
            while (end < RegisterCount && end - index < max && _registers[end] == value)
            {
                end++;
            }

            int length = end - index;
            index = end;
            if (value > SparseValueMax)
            {
                return null;
            }

            if (value > 0)
            {
                runs.Add((byte)(0x80 | ((value - 1) << 2) | (length - 1)));
            }
            else if (length <= SparseZerosMax)
            {
                runs.Add((byte)(length - 1));
            }
            else
            {
                runs.Add((byte)(0x40 | ((length - 1) >> 8)));
                runs.Add((byte)(length - 1));
            }
        }

        if (runs.Count > SparseBytesMax)
        {
            return null;
        }

        byte[] text = Header(HeaderBytes + runs.Count, Sparse);
        runs.CopyTo(text, HeaderBytes);
        return text;
    }
}
