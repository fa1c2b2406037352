using System.Globalization;
using System.Text;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// What a checkpoint or a merge writes is cut into tables, so that the making of one takes little memory and each can
/// be opened again, however many rows there are.
/// </summary>
public sealed class TableRunTests : StoreFixture
{
    private const int CacheBytes = 64 * 1024;
    private const int TotalBytes = 4 * 1024 * 1024;

    private readonly MemoryBudget _budget = new(TotalBytes);
    private SSTableSettings _tables = new();
    private ulong _index;

    /// <summary>
    /// Ten bytes of row and more than one byte of filter: what is held for each row of a table would exceed all memory
    /// long before the rows do.
    /// </summary>
    [Fact]
    public void A_merge_of_many_tiny_rows_takes_no_more_than_its_share_of_the_memory()
    {
        const int RowsEach = 20_000;
        const int Batches = 12;
        StoreOwner owner = Open();
        long workMax = 0;
        for (int batch = 0; batch < Batches; batch++)
        {
            Write(owner, Enumerable.Range(0, RowsEach).Select(i => (i * Batches) + batch), "v");
            owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(_index)));
            bool isBusy = true;
            while (isBusy || Disk.Waiting > 0)
            {
                Disk.RunOne();
                owner.Call(store => isBusy = store.Work(10_000));
                workMax = Math.Max(workMax, _budget.UsedBy(MemoryUse.Work));
            }
        }

        var merged = (PartitionStore)owner.Store;
        Assert.Null(owner.Failure);
        Assert.True(merged.Compactions > 0, "nothing was merged");

        // A table: its share, and more at its end; what is read of the merge's tables: a sixteenth; and pieces.
        Assert.InRange(workMax, 1, (4 * SSTableSettings.BuildBytesMin) + (TotalBytes / 16) + (1024 * 1024));
        Assert.True(merged.TableBytes.Count > 6, $"{merged.TableBytes.Count} tables");
        StoreLook look = Look(owner);
        for (int i = 0; i < RowsEach * Batches; i += 997)
        {
            Assert.NotNull(look.Get(StoreOwner.KeyOf(Key(i))));
        }

        StoreOwner again = Open();
        Assert.NotNull(Get(again, Key(RowsEach)));
        Assert.Null(Get(again, "absent"));
    }

    /// <summary>
    /// Runs of tables are tiers as single tables are: they are merged when there are enough, and not again.
    /// </summary>
    [Fact]
    public void Runs_of_tables_are_merged_as_one_and_hold_what_was_written()
    {
        _tables = new() { BlockBytes = 300, WritePieceBytes = 1000, BuildBytesMax = 400 };
        StoreOwner owner = Open();
        var store = (PartitionStore)owner.Store;
        var expected = new Dictionary<int, string>();
        for (int round = 1; round <= 40; round++)
        {
            int[] keys = [.. Enumerable.Range(0, 300).Where(i => i * round % 7 < 3)];
            string value = $"round {round}";
            Write(owner, keys, value);
            Array.ForEach(keys, key => expected[key] = value);
            Checkpoint(owner, _index);
            Assert.True(Runs(owner) <= 17, $"{Runs(owner)} runs");
        }

        Assert.True(store.TableBytes.Count > 6, $"{store.TableBytes.Count} tables");
        Assert.InRange(store.Compactions, 5, 25);
        AssertStrict();
        Assert.Equal(expected.Count, Look(owner).All().Count);
        foreach ((int key, string value) in expected)
        {
            string written = Convert.ToHexString(Encoding.UTF8.GetBytes(value));
            Assert.EndsWith(written, Get(owner, Key(key)), StringComparison.Ordinal);
        }

        List<string> up = Look(owner).All();
        List<string> down = Look(owner).Scan([], RowBounds.AfterAll.ToArray(), descending: true);
        down.Reverse();
        Assert.Equal(up, down);
        StoreOwner again = Open();
        Assert.Equal(up, Look(again).All());
        Assert.Equal(Runs(owner), Runs(again));
    }

    /// <summary>A table that was written can be opened, whatever its settings make of index and filter.</summary>
    [Fact]
    public void A_table_whose_filter_is_larger_than_what_may_be_opened_is_cut_before()
    {
        _tables = new() { FilterBitsPerKey = 8 * 1024, MetaBytesMax = 64 * 1024, BlockBytes = 500 };
        StoreOwner owner = Open();
        Write(owner, Enumerable.Range(0, 200), "v");
        Checkpoint(owner, _index);
        Assert.Null(owner.Failure);
        Assert.True(((PartitionStore)owner.Store).TableBytes.Count > 3, "the checkpoint was cut");
        AssertStrict();
        Assert.Equal(200, Look(Open()).All().Count);
    }

    [Fact]
    public void No_limit_lets_a_table_come_to_what_one_block_may_not_hold()
    {
        var settings = new SSTableSettings { BuildBytesMax = int.MaxValue, MetaBytesMax = int.MaxValue };
        Assert.InRange(settings.BuildLimitBytes, 1, BlockCodec.BodyBytesMax / 2);
        Assert.Equal(16 * 1024 * 1024, new SSTableSettings().BuildLimitBytes);
    }

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        new PartitionStore(disk, Settings(prefix), client, new(CacheBytes), _budget);

    private static string Key(int i) => string.Create(CultureInfo.InvariantCulture, $"k{i}");

    private PartitionStoreSettings Settings(string prefix) =>
        new() { Prefix = prefix, Partition = new(7), Tables = _tables };

    private void AssertStrict() => Assert.Empty(StoreStrictCheck.Check(
        Settings(Prefix), Disk.Names, file => Disk.Exists(file) ? Disk.Content(file) : default(ReadOnlyMemory<byte>?)));

    /// <summary>The runs that the newest manifest names, by its flags alone.</summary>
    private int Runs(StoreOwner owner)
    {
        _ = owner;
        StoreFileName newest = StoreInspector.NewestManifest(Prefix, Disk.Names);
        return Manifest.TryDecode(Disk.Content(newest.File))!.Tables.Count(table => !table.Continues);
    }

    private void Write(StoreOwner owner, IEnumerable<int> keys, string value)
    {
        foreach (int[] some in keys.Chunk(500))
        {
            owner.Apply(++_index, [.. some.Select(i => (Key(i), RowType.Text, value))]);
        }
    }
}
