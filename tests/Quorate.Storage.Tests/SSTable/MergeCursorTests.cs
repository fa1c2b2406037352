using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>Several sorted files read as one, against sorted dictionaries laid over each other.</summary>
public sealed class MergeCursorTests
{
    [Fact]
    public void The_newest_source_wins_in_both_directions()
    {
        for (ulong seed = 1; seed <= 30; seed++)
        {
            var random = new SeededRandom(seed);
            int files = (int)random.Between(1, 6);
            var expected = new SortedDictionary<byte[], SampleRow>(ByteOrder.Instance);
            var sources = new List<Source>();
            for (int age = files - 1; age >= 0; age--)
            {
                // An older file holds lower versions; half of its row keys come again in a newer one.
                ulong versionBase = 2000 * (ulong)(files - age);
                var rows = SampleRows.Draw(random.NextUInt64(), (int)random.Between(1, 120), versionBase);
                foreach (SampleRow old in expected.Values.Where(_ => random.Next(2) == 0).ToArray())
                {
                    var version = new RowVersion(rows.Values.First().Version.Packed);
                    rows[old.Key] = old with { Version = version, Type = RowType.Tombstone, Value = [] };
                }

                foreach (SampleRow row in rows.Values)
                {
                    expected[row.Key] = row;
                }

                sources.Insert(0, new(rows.Values));
            }

            MustBe(expected.Values, sources, new(SampleRows.Below, SampleRows.Above));
            MustBe(expected.Values.Reverse(), sources, new(SampleRows.Below, SampleRows.Above, descending: true));
            byte[][] keys = [.. expected.Keys];
            for (int i = 0; i < 10; i++)
            {
                byte[] from = keys[random.Next(keys.Length)];
                byte[] to = keys[random.Next(keys.Length)];
                SampleRow[] inside =
                [
                    .. expected.Values.Where(row =>
                        ByteOrder.Instance.Compare(row.Key, from) >= 0 && ByteOrder.Instance.Compare(row.Key, to) < 0),
                ];
                MustBe(inside, sources, new(from, to));
                MustBe(inside.Reverse(), sources, new(from, to, descending: true));
            }
        }
    }

    [Fact]
    public void An_older_version_in_a_newer_source_ends_the_process()
    {
        SampleRow[] rows = [.. SampleRows.Draw(1, 3, versionBase: 5000).Values];
        var newer = new Source([rows[1] with { Version = RowVersion.At(new(2), 0) }]);
        var older = new Source(rows);
        Assert.Throws<InvariantBrokenException>(
            () => Read([newer, older], new(SampleRows.Below, SampleRows.Above), out _));
    }

    private static void MustBe(IEnumerable<SampleRow> rows, List<Source> sources, in RowRange range)
    {
        SampleRow[] expected = [.. rows];
        List<SampleRow> actual = Read(sources, range, out int colds);
        Assert.Equal(expected.Length, actual.Count);
        Assert.True(expected.Length == 0 || colds > 0, "nothing was in memory at first");
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Key, actual[i].Key);
            expected[i].MustEqual(actual[i].Row);
        }
    }

    /// <summary>Reads blocks as they turn out cold, and forgets them soon.</summary>
    private static List<SampleRow> Read(List<Source> sources, in RowRange range, out int colds)
    {
        var cache = new BlockCache(2000);
        var cursors = new List<SSTableCursor>();
        foreach (Source source in sources)
        {
            cache.Register(source.Reader);
            cursors.Add(new(source.Reader, cache));
        }

        var rows = new List<SampleRow>();
        var merge = new MergeCursor(cursors);
        colds = 0;
        for (merge.Start(range); merge.State != CursorState.End;)
        {
            if (merge.State == CursorState.Row)
            {
                rows.Add(SampleFile.Copy(merge));
                merge.Next();
                continue;
            }

            colds++;
            for (int i = 0; i < cursors.Count; i++)
            {
                if (cursors[i].State == CursorState.Cold)
                {
                    cache.AddPinned(cursors[i].File, cursors[i].ColdBlock, sources[i].Block(cursors[i].ColdBlock));
                }
            }

            merge.Resume();
            for (int i = 0; i < cursors.Count; i++)
            {
                for (int block = 0; block < cursors[i].File.BlockCount; block++)
                {
                    if (cache.IsPinned(cursors[i].File, block))
                    {
                        cache.Unpin(cursors[i].File, block);
                    }
                }
            }
        }

        return rows;
    }

    private sealed class Source
    {
        private readonly SampleFile _file = new(SampleStyle.Compressed);

        public Source(IEnumerable<SampleRow> rows)
        {
            _file.Write(rows);
            Reader = _file.Open();
        }

        public SSTableReader Reader { get; }

        public Block Block(int number)
        {
            DiskOperation read = Reader.ReadBlock(number);
            return Reader.Decode(number, _file.Run(read), out _)!;
        }
    }
}
