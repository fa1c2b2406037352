using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Simulator.Disk;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>A store that is larger than its memory, and those who look at it (pitfall S4).</summary>
public sealed class PartitionStoreMemoryTests
{
    private const int Rows = 11_000;
    private const int ValueBytes = 200;
    private const int BudgetBytes = 256 * 1024;
    private const int CacheBytes = 96 * 1024;
    private const int DirtyBytesMax = 64 * 1024;

    private readonly ITestOutputHelper _output;
    private readonly MemoryDisk _disk = new();
    private readonly MemoryBudget _budget = new(BudgetBytes);
    private readonly BlockCache _cache = new(CacheBytes);
    private readonly StoreOwner _owner = new();
    private ulong _index;

    public PartitionStoreMemoryTests(ITestOutputHelper output)
    {
        _output = output;
        _budget.Take(MemoryUse.BlockCache, CacheBytes);
        Open();
    }

    private PartitionStore Store => (PartitionStore)_owner.Store;

    [Fact]
    public void Ten_times_more_rows_than_memory_are_written_read_and_opened_again()
    {
        for (int i = 0; i < Rows; i += 50)
        {
            Write(i, 50);
            Assert.True(_budget.UsedBytes <= BudgetBytes, $"{_budget.UsedBytes} bytes are used after row {i}");
        }

        Checkpoint();
        double uniform = ReadsPerGet(random => (int)random.Next(Rows));
        double skewed = ReadsPerGet(random => Zipf(random));
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"disk reads per GET: uniform {uniform:F3}, zipf {skewed:F3}; tables {Store.TableBytes.Count}"));
        Assert.InRange(uniform, 0.5, 1.1);
        Assert.InRange(skewed, 0.05, 0.9 * uniform);

        // A look at rows that are not there reads next to nothing: the filters know.
        long before = Store.BlocksFetched;
        for (int i = 0; i < 1000; i++)
        {
            Assert.Null(Look().Get(Key(Rows + i)));
        }

        Assert.InRange(Store.BlocksFetched - before, 0, 100);
        ulong hash = Look().StateHash();
        _owner.Call(store => store.Close());
        Assert.Equal(CacheBytes, _budget.UsedBytes);
        var again = new StoreOwner();
        again.Store = Make(again);
        again.Call(store => store.Open());
        _disk.RunAll();
        Assert.Equal(hash, new StoreLook(again, _disk.RunAll).StateHash());
        Assert.Equal(Rows, new StoreLook(again, _disk.RunAll).All().Count);
    }

    [Fact]
    public void A_get_of_a_row_in_memory_allocates_nothing()
    {
        Write(0, 50);
        byte[] rowKey = Key(7);
        Assert.Equal(Lookup.Found, Store.Get(rowKey, out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Store.Get(rowKey, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Work_that_has_begun_goes_on_by_itself_after_the_disk()
    {
        Write(0, 300);
        _index++;
        _owner.Call(store => store.Apply(new(_index), StoreOwner.TimeOf(_index), default));
        _owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(_index)));
        bool waits = true;
        while (waits)
        {
            _owner.Call(store => waits = store.Work(500));
        }

        Assert.DoesNotContain(_index, _owner.Saved);
        _disk.RunAll();
        Assert.Equal(_index, _owner.Saved[^1]);
    }

    [Fact]
    public void What_work_takes_is_counted_and_given_back_though_the_store_closes_in_its_middle()
    {
        Write(0, 200);
        _owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(_index)));
        for (int i = 0; i < 20 && _budget.UsedBy(MemoryUse.Work) == 0; i++)
        {
            _owner.Call(store => store.Work(500));
        }

        Assert.True(_budget.UsedBy(MemoryUse.Work) > 0);
        Assert.Empty(_owner.Saved);
        _owner.Call(store => store.Close());
        Assert.Equal(CacheBytes, _budget.UsedBytes);
    }

    [Fact]
    public void Blocks_on_their_way_are_counted()
    {
        Write(0, 300);
        Checkpoint();
        while (Store.Memory.EvictClean(int.MaxValue) > 0)
        {
        }

        Assert.Equal(0, _budget.UsedBy(MemoryUse.Work));
        Assert.Equal(Lookup.Cold, Store.Get(Key(7), out _));
        _owner.Call(store => store.Fetch(1));
        Assert.True(_budget.UsedBy(MemoryUse.Work) > 0);
        _disk.RunAll();
        Assert.Equal(0, _budget.UsedBy(MemoryUse.Work));
        _owner.Call(store => store.Release(1));
    }

    [Fact]
    public void Rows_that_expire_and_rows_before_a_clear_leave_the_memory()
    {
        Write(0, 50);
        var writer = new ArrayBufferWriter<byte>();
        for (int i = 100; i < 200; i++)
        {
            RowChanges.Write(writer, new(Key(i), RowType.Text, (long)_index + 1, new byte[50]));
        }

        Apply(writer);
        Assert.Equal(150, Store.Memory.Count);
        Apply(new());
        Work();
        Assert.Equal(50, Store.Memory.Count);
        writer = new();
        RowChanges.Write(writer, new(RowKey.Clear, RowType.Clear, 0, default));
        Apply(writer);
        Work();
        Assert.Equal(0, Store.Memory.Count);
        Assert.Equal(0, Store.DirtyBytes);
    }

    [Fact]
    public void A_collection_that_expires_in_memory_leaves_no_elements_in_a_table()
    {
        var writer = new ArrayBufferWriter<byte>();
        byte[] generation = [0, 0, 0, 0, 0, 1, 0, 0];
        RowChanges.Write(writer, new(RowKey.Of("h"u8), RowType.Hash, (long)_index + 2, generation));
        for (byte i = 0; i < 50; i++)
        {
            RowChanges.Write(writer, new(RowKey.Of("h"u8, [.. generation, i]), RowType.Element, 0, new byte[50]));
        }

        Apply(writer);
        Apply(new());
        Work();
        Checkpoint();
        Assert.Empty(Store.TableBytes);
        Assert.Empty(Look().All());
    }

    [Fact]
    public void A_fetch_gets_its_blocks_though_a_compaction_replaces_their_table()
    {
        var disk = new SimulatedDisk(_ => { }, 1);
        var owner = new StoreOwner();
        SSTableSettings whole = StoreCrashRun.Settings.Tables with { BuildBytesMax = 20_000 };
        var settings = StoreCrashRun.Settings with { TierTablesMin = 3, Tables = whole };
        owner.Store = new PartitionStore(disk, settings, owner, new(10_000), new MemoryBudget(1 << 20));
        owner.Call(store => store.Open());
        StoreCrashRun.RunAll(disk);
        var store = (PartitionStore)owner.Store;
        owner.Apply(1, [.. Enumerable.Range(0, 50).Select(i => ($"k{i}", RowType.Text, $"{i}"))]);
        SaveAndEvict(disk, owner, 1);
        owner.Apply(2, ("a", RowType.Text, "1"), ("k3", RowType.Text, "2"));
        SaveAndEvict(disk, owner, 2);

        // The read is asked for, and ends only when its file is no part of the store any more.
        Assert.Equal(Lookup.Cold, store.Get(StoreOwner.KeyOf("k7"), out _));
        owner.Call(each => each.Fetch(5));
        PendingDiskOperation read = disk.Pending[0];
        owner.Apply(3, ("b", RowType.Text, "1"));
        owner.Call(each => each.Checkpoint(() => StoreOwner.Meta(3)));
        for (int i = 0; i < 300; i++)
        {
            owner.Call(each => each.Work(10_000));
            while (disk.Pending.FirstOrDefault(pending => pending != read) is { } other)
            {
                disk.Execute(other);
            }
        }

        Assert.Equal([1UL, 2, 3], owner.Saved);
        Assert.Single(store.TableBytes);
        Assert.Contains(read.Operation.File, disk.Names);
        disk.Execute(read);
        Assert.Null(owner.Failure);
        Assert.Equal([5UL], owner.Fetches);
        owner.Call(each => each.Release(5));
        StoreCrashRun.RunAll(disk);
        Assert.DoesNotContain(read.Operation.File, disk.Names);
        Assert.NotNull(new StoreLook(owner, () => StoreCrashRun.RunAll(disk)).Get(StoreOwner.KeyOf("k7")));
    }

    /// <summary>
    /// The bound is below one block, or has room for two: what is being read counts as what is held does.
    /// </summary>
    [Theory]
    [InlineData(2000)]
    [InlineData(10_000)]
    public void Fetches_beyond_the_bound_wait_for_a_release_and_none_waits_for_ever(long heldBytesMax)
    {
        for (int i = 0; i < 1000; i += 50)
        {
            Write(i, 50);
        }

        Checkpoint();
        while (Store.Memory.EvictClean(int.MaxValue) > 0)
        {
        }

        var small = new StoreOwner();
        _owner.Call(store => store.Close());
        small.Store = Make(small, heldBytesMax);
        small.Call(store => store.Open());
        _disk.RunAll();
        for (ulong tag = 1; tag <= 20; tag++)
        {
            Assert.Equal(Lookup.Cold, small.Store.Get(Key((int)tag * 49), out _));
            small.Call(store => store.Fetch(tag));
            Assert.True(_disk.Waiting <= 2, $"{_disk.Waiting} reads under way");
        }

        // Nobody releases anything, and all the same everybody is served in turn.
        _disk.RunAll();
        Assert.Equal(Enumerable.Range(1, 20).Select(tag => (ulong)tag), small.Fetches);
    }

    private static void SaveAndEvict(SimulatedDisk disk, StoreOwner owner, ulong index)
    {
        owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(index)));
        for (int i = 0; i < 20; i++)
        {
            owner.Call(store => store.Work(10_000));
            StoreCrashRun.RunAll(disk);
        }

        Assert.Equal(index, owner.Saved[^1]);
        for (int i = 0; i < 10; i++)
        {
            ((PartitionStore)owner.Store).Memory.EvictClean(int.MaxValue);
        }
    }

    private static byte[] Key(int row) => RowKey.Of(Encoding.UTF8.GetBytes($"key {row}"));

    /// <summary>The first rows are looked at far more often than the last.</summary>
    private static int Zipf(SeededRandom random)
    {
        double exponent = random.Next(1_000_000) / 1e6;
        return Math.Min(Rows - 1, (int)Math.Pow(Rows, exponent) - 1) * 7919 % Rows;
    }

    private double ReadsPerGet(Func<SeededRandom, int> draw)
    {
        const int Gets = 5000;
        var random = new SeededRandom(5);
        long before = Store.BlocksFetched;
        for (int i = 0; i < Gets; i++)
        {
            Assert.NotNull(Look().Get(Key(draw(random))));
            Assert.True(_budget.UsedBytes <= BudgetBytes);
        }

        return (Store.BlocksFetched - before) / (double)Gets;
    }

    private void Write(int first, int count)
    {
        var writer = new ArrayBufferWriter<byte>();
        for (int i = first; i < first + count; i++)
        {
            byte[] value = new byte[ValueBytes];
            BinaryPrimitives.WriteInt64LittleEndian(value, i * 0x9E3779B97F4AL);
            RowChanges.Write(writer, new(Key(i), RowType.Text, 0, value));
        }

        Apply(writer);
        if (Store.DirtyBytes >= DirtyBytesMax)
        {
            Checkpoint();
        }

        Work();
    }

    private void Apply(ArrayBufferWriter<byte> changes)
    {
        _index++;
        _owner.Call(store => store.Apply(new(_index), StoreOwner.TimeOf(_index), changes.WrittenSpan));
    }

    private void Checkpoint()
    {
        _owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(_index)));
        Work();
        Assert.Equal(_index, _owner.Saved[^1]);
    }

    private void Work()
    {
        for (int i = 0; i < 8; i++)
        {
            bool isBusy = true;
            while (isBusy || _disk.Waiting > 0)
            {
                _disk.RunAll();
                _owner.Call(store => isBusy = store.Work(100_000));
            }
        }
    }

    private void Open()
    {
        _owner.Store = Make(_owner);
        _owner.Call(store => store.Open());
        _disk.RunAll();
    }

    private PartitionStore Make(StoreOwner owner, long heldBytesMax = 1 << 20)
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = "p1-",
            Partition = new(1),
            HeldBytesMax = heldBytesMax,
            WorksPerSweep = 2,
            Tables = new() { BlockBytes = 4096 },
        };
        return new(_disk, settings, owner, _cache, _budget);
    }

    private StoreLook Look() => new(_owner, _disk.RunAll);
}
