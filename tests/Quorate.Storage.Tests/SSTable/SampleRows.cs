using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>A row as a test keeps it.</summary>
internal sealed record SampleRow(byte[] Key, RowType Type, RowVersion Version, long Expiry, byte[] Value)
{
    public Row Row => new(Type, Version, Expiry, Row.HashOf(Key, Value), Value);

    public void MustEqual(in Row row)
    {
        Assert.Equal(Type, row.Type);
        Assert.Equal(Version, row.Version);
        Assert.Equal(Expiry, row.Expiry);
        Assert.Equal(Row.HashOf(Key, Value), row.Hash);
        Assert.True(row.Value.SequenceEqual(Value));
    }
}

/// <summary>Rows at random, in the order of their row keys.</summary>
internal static class SampleRows
{
    public static readonly byte[] Below = [0];

    /// <summary>Above every row key: no slot begins so.</summary>
    public static readonly byte[] Above = [0xFF, 0xFF, 0xFF];

    public static SortedDictionary<byte[], SampleRow> Draw(ulong seed, int count, ulong versionBase = 0)
    {
        var random = new SeededRandom(seed);
        var rows = new SortedDictionary<byte[], SampleRow>(ByteOrder.Instance);
        while (rows.Count < count)
        {
            byte[] key = DrawKey(random);
            var type = (RowType)random.Next(10);
            byte[] value = type == RowType.Tombstone ? [] : Bytes(random, DrawLength(random));
            long expiry = random.Next(3) == 0 ? random.Between(1, 1L << 45) : 0;
            var version = RowVersion.At(new(versionBase + (ulong)random.Between(1, 1000)), (int)random.Next(50));
            rows[key] = new(key, type, version, expiry, value);
        }

        return rows;
    }

    /// <summary>A row key as the engine makes them: of few keys with many elements, and of many keys.</summary>
    public static byte[] DrawKey(SeededRandom random)
    {
        byte[] key = random.Next(3) switch
        {
            0 => [(byte)'h', (byte)random.Next(4)],
            1 => Bytes(random, (int)random.Next(12)),
            _ => [.. "{tag}"u8, (byte)random.Next(256), 0, (byte)random.Next(4)],
        };
        byte[] element = random.Next(2) == 0 ? [] : Bytes(random, (int)random.Next(random.Next(20) == 0 ? 300 : 20));
        return RowKey.Of(key, element, random.Next(10) == 0 ? RowSpace.Sessions : RowSpace.User);
    }

    public static byte[] Bytes(SeededRandom random, int length)
    {
        byte[] bytes = new byte[length];
        bool isText = random.Next(2) == 0;
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)(isText ? 'a' + random.Next(3) : random.Next(256));
        }

        return bytes;
    }

    private static int DrawLength(SeededRandom random) => (int)random.Next(random.Next(20) switch
    {
        0 => 5000,
        1 => 1,
        _ => 60,
    });
}

/// <summary>The order of row keys: by memcmp.</summary>
internal sealed class ByteOrder : IComparer<byte[]>
{
    public static readonly ByteOrder Instance = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
