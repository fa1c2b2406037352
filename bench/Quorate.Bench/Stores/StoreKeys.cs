using System.Buffers.Binary;
using Quorate.Bench.Memory;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Bench.Stores;

/// <summary>
/// The rows of the comparison: even numbers are there, odd ones are not and lie between them. A key has 16 bytes, a
/// value 64, half of it noise.
/// </summary>
internal sealed class StoreKeys
{
    public const int RowKeyBytes = RowKey.PrefixBytes + IRows.KeyBytes + 2;

    private readonly int[] _shuffled;

    public StoreKeys(int rows)
    {
        var random = new SeededRandom(7);
        _shuffled = [.. Enumerable.Range(0, rows)];
        for (int i = rows - 1; i > 0; i--)
        {
            int other = (int)random.Next(i + 1);
            (_shuffled[i], _shuffled[other]) = (_shuffled[other], _shuffled[i]);
        }
    }

    public int Rows => _shuffled.Length;

    /// <summary>Keys and values together.</summary>
    public long Bytes => (long)Rows * (IRows.KeyBytes + IRows.ValueBytes);

    /// <summary>The number of the row that stands at a place in an order without pattern.</summary>
    public long At(long place) => 2L * _shuffled[place];

    /// <summary>Rows drawn alike.</summary>
    public Func<long> Uniform(ulong seed)
    {
        var random = new SeededRandom(seed);
        return () => At(random.Next(Rows));
    }

    /// <summary>
    /// Rows drawn by Zipf's law with theta 0.99, as YCSB draws them (Gray and others, "Quickly Generating
    /// Billion-Record Synthetic Databases", SIGMOD 1994).
    /// </summary>
    public Func<long> Zipf(ulong seed)
    {
        const double theta = 0.99;
        double sum = 0;
        for (int i = 1; i <= Rows; i++)
        {
            sum += 1 / Math.Pow(i, theta);
        }

        double half = 1 + Math.Pow(0.5, theta);
        double alpha = 1 / (1 - theta);
        double eta = (1 - Math.Pow(2.0 / Rows, 1 - theta)) / (1 - (half / sum));
        var random = new SeededRandom(seed);
        return () =>
        {
            double drawn = (random.NextUInt64() >> 11) * (1.0 / (1UL << 53));
            double scaled = drawn * sum;
            long rank = scaled < 1 ? 0 : scaled < half ? 1 : (long)(Rows * Math.Pow((eta * drawn) - eta + 1, alpha));
            return At(Math.Min(rank, Rows - 1));
        };
    }

    /// <summary>Keys that are not there, drawn as others are.</summary>
    public static Func<long> Absent(Func<long> drawn) => () => drawn() + 1;

    public static void WriteRowKey(Span<byte> rowKey, long number)
    {
        Span<byte> key = stackalloc byte[IRows.KeyBytes];
        IRows.WriteKey(key, number);
        RowKey.Write(rowKey, key);
    }

    public static void WriteValue(Span<byte> value, long number)
    {
        "{\"name\":\"somebody\",\"city\":\"here\"}"u8[..32].CopyTo(value);
        ulong state = (ulong)number;
        for (int at = 32; at < IRows.ValueBytes; at += sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value[at..], SeededRandom.SplitMix64(ref state));
        }
    }
}
