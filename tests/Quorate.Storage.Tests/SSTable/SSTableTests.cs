using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>A sorted file against a sorted dictionary.</summary>
public sealed class SSTableTests
{
    public static TheoryData<SampleStyle> Styles => [.. Enum.GetValues<SampleStyle>()];

    [Theory]
    [MemberData(nameof(Styles))]
    public void What_was_written_is_read(SampleStyle style)
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            SortedDictionary<byte[], SampleRow> rows = SampleRows.Draw(seed, (int)(seed * seed * 4));
            SampleFile file = new SampleFile(style).Write(rows.Values);
            using SSTableReader reader = file.Open();
            Assert.Equal(rows.Count, reader.Info.Rows);
            Assert.Equal(rows.Values.Count(row => row.Type == RowType.Tombstone), reader.Info.Tombstones);
            Assert.Equal(rows.Keys.First(), reader.Info.Smallest.ToArray());
            Assert.Equal(rows.Keys.Last(), reader.Info.Largest.ToArray());
            Assert.Equal(rows.Values.Min(row => row.Version), reader.Info.VersionMin);
            Assert.Equal(rows.Values.Max(row => row.Version), reader.Info.VersionMax);
            Assert.Equal(new LogIndex(77), reader.Info.CreatedAt);
            long[] expiries = [.. rows.Values.Select(row => row.Expiry).Where(expiry => expiry > 0)];
            Assert.Equal(expiries.DefaultIfEmpty().Min(), reader.Info.ExpiryMin);

            MustBe(rows.Values, file.ReadAll(reader, new(SampleRows.Below, SampleRows.Above), out string sentence));
            Assert.Equal("", sentence);
            MustBe(
                rows.Values.Reverse(),
                file.ReadAll(reader, new(SampleRows.Below, SampleRows.Above, descending: true), out _));
        }
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void Any_range_is_read_both_ways(SampleStyle style)
    {
        var random = new SeededRandom(5);
        SortedDictionary<byte[], SampleRow> rows = SampleRows.Draw(99, 300);
        SampleFile file = new SampleFile(style).Write(rows.Values);
        using SSTableReader reader = file.Open();
        byte[][] keys = [.. rows.Keys];
        for (int i = 0; i < 300; i++)
        {
            byte[] from = DrawBound(random, keys);
            byte[] to = DrawBound(random, keys);
            SampleRow[] expected =
            [
                .. rows.Values.Where(row =>
                    ByteOrder.Instance.Compare(row.Key, from) >= 0 && ByteOrder.Instance.Compare(row.Key, to) < 0),
            ];
            MustBe(expected, file.ReadAll(reader, new(from, to), out _));
            MustBe(expected.Reverse(), file.ReadAll(reader, new(from, to, descending: true), out _));
        }
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public void Every_row_is_found_and_no_other(SampleStyle style)
    {
        var random = new SeededRandom(6);
        SortedDictionary<byte[], SampleRow> rows = SampleRows.Draw(7, 400);
        SampleFile file = new SampleFile(style).Write(rows.Values);
        using SSTableReader reader = file.Open();
        int passed = 0;
        for (int i = 0; i < 3000; i++)
        {
            byte[] key = i < rows.Count ? rows.Keys.ElementAt(i) : SampleRows.DrawKey(random);
            bool isHeld = rows.TryGetValue(key, out SampleRow? expected);
            bool mayHold = reader.MayHold(key);
            Assert.True(mayHold || !isHeld);
            passed += mayHold && !isHeld ? 1 : 0;
            int number = reader.FindBlock(key);
            if (number < 0)
            {
                Assert.False(isHeld);
                continue;
            }

            Block block = reader.Decode(number, file.Run(reader.ReadBlock(number)), out _)!;
            Assert.Equal(isHeld, block.TryGet(key, out Row row));
            expected?.MustEqual(row);
        }

        Assert.InRange(passed, 0, 150);
    }

    [Fact]
    public void A_large_row_has_a_block_of_its_own()
    {
        SortedDictionary<byte[], SampleRow> rows = SampleRows.Draw(3, 60);
        byte[] large = SampleRows.Bytes(new(1), 3_000_000);
        byte[] key = rows.Keys.ElementAt(30);
        rows[key] = rows[key] with { Type = RowType.Text, Value = large };
        SampleFile file = new SampleFile(SampleStyle.CompressedAndEncrypted, 8192).Write(rows.Values);
        using SSTableReader reader = file.Open();
        int number = reader.FindBlock(key);
        Block block = reader.Decode(number, file.Run(reader.ReadBlock(number)), out _)!;
        Assert.Equal(1, block.RowCount);
        Assert.Equal(reader.BlockMemoryBytes(number), block.MemoryBytes);
        MustBe(rows.Values, file.ReadAll(reader, new(SampleRows.Below, SampleRows.Above), out _));
    }

    private static byte[] DrawBound(SeededRandom random, byte[][] keys)
    {
        byte[] key = keys[random.Next(keys.Length)];
        return random.Next(6) switch
        {
            0 => SampleRows.DrawKey(random),
            1 => [.. key, 0],
            2 => key[..^1],
            3 => SampleRows.Below,
            4 => SampleRows.Above,
            _ => key,
        };
    }

    private static void MustBe(IEnumerable<SampleRow> expected, List<SampleRow> actual)
    {
        SampleRow[] rows = [.. expected];
        Assert.Equal(rows.Length, actual.Count);
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.Equal(rows[i].Key, actual[i].Key);
            rows[i].MustEqual(actual[i].Row);
        }
    }
}
