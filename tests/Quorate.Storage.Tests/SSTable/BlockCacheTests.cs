using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Memory;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>The cache of blocks: its bound, who leaves, who may not.</summary>
public sealed class BlockCacheTests : IDisposable
{
    private readonly SampleFile _file = new SampleFile(SampleStyle.Plain).Write(SampleRows.Draw(1, 300).Values);
    private readonly SSTableReader _reader;

    public BlockCacheTests() => _reader = _file.Open();

    public void Dispose() => _reader.Dispose();

    [Fact]
    public void The_bound_holds_whatever_is_added_pinned_and_found()
    {
        var random = new SeededRandom(3);
        var cache = new BlockCache(5000);
        cache.Register(_reader);
        var pins = new SortedDictionary<int, int>();
        for (int i = 0; i < 20_000; i++)
        {
            int block = (int)random.Next(_reader.BlockCount);
            int bytes = _reader.BlockMemoryBytes(block);
            switch (random.Next(5))
            {
                case 0:
                    cache.Add(_reader, block, Load(block));
                    break;
                case 1 when cache.MayPin(bytes):
                    cache.AddPinned(_reader, block, Load(block));
                    pins[block] = pins.GetValueOrDefault(block) + 1;
                    break;
                case 2 when pins.Count > 0:
                    int pinned = pins.Keys.ElementAt((int)random.Next(pins.Count));
                    cache.Unpin(_reader, pinned);
                    pins[pinned]--;
                    if (pins[pinned] == 0)
                    {
                        pins.Remove(pinned);
                    }

                    break;
                default:
                    cache.Find(_reader, block);
                    break;
            }

            Assert.Equal(pins.Keys.Sum(_reader.BlockMemoryBytes), cache.PinnedBytes);
            Assert.InRange(cache.Bytes, cache.PinnedBytes, Math.Max(cache.BytesMax, cache.PinnedBytes));
            Assert.True(pins.Count <= 1 || cache.PinnedBytes <= cache.BytesMax);
            Assert.All(pins.Keys, held => Assert.NotNull(cache.Find(_reader, held)));
        }

        Assert.True(cache.Hits > 1000 && cache.Misses > 1000);
    }

    [Fact]
    public void A_block_that_is_found_again_outlives_those_that_are_not()
    {
        var cache = new BlockCache(4000);
        cache.Register(_reader);
        int lost = 0;
        cache.Add(_reader, 0, Load(0));
        for (int block = 1; block < _reader.BlockCount; block++)
        {
            cache.Add(_reader, block, Load(block));
            lost += cache.Find(_reader, 0) is null ? 1 : 0;
        }

        Assert.Equal(0, lost);
        Assert.True(cache.Count < _reader.BlockCount / 2);
    }

    [Fact]
    public void One_large_row_is_readable_under_the_smallest_bound()
    {
        var cache = new BlockCache(10);
        cache.Register(_reader);
        Assert.True(cache.MayPin(1_000_000));
        cache.AddPinned(_reader, 0, Load(0));
        Assert.NotNull(cache.Find(_reader, 0));
        Assert.False(cache.MayPin(1));
        cache.Add(_reader, 1, Load(1));
        Assert.Null(cache.Find(_reader, 1));
        cache.Unpin(_reader, 0);
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void Blocks_leave_when_the_memory_of_the_node_is_needed()
    {
        var budget = new MemoryBudget(20_000);
        var cache = new BlockCache(1_000_000, budget, ownPercent: 0);
        cache.Register(_reader);
        cache.AddPinned(_reader, 0, Load(0));
        for (int block = 1; block < _reader.BlockCount; block++)
        {
            cache.Add(_reader, block, Load(block));
            Assert.Equal(cache.Bytes, budget.UsedBy(MemoryUse.BlockCache));
            Assert.Equal(0, budget.OverBytes);
        }

        Assert.True(cache.Bytes > 15_000);
        budget.Take(MemoryUse.Memtables, 12_000);
        cache.MakeRoom();
        Assert.Equal(0, budget.OverBytes);
        budget.Take(MemoryUse.Memtables, 12_000);
        cache.MakeRoom();
        Assert.Equal(cache.PinnedBytes, cache.Bytes);
        Assert.NotNull(cache.Find(_reader, 0));
        cache.Unpin(_reader, 0);
        Assert.Equal(0, budget.UsedBy(MemoryUse.BlockCache));
    }

    [Fact]
    public void Rows_in_memory_do_not_take_the_cache_its_own_share()
    {
        var budget = new MemoryBudget(40_000);
        var cache = new BlockCache(12_000, budget, ownPercent: 50);
        cache.Register(_reader);
        for (int block = 0; block < _reader.BlockCount; block++)
        {
            cache.Add(_reader, block, Load(block));
        }

        Assert.InRange(cache.Bytes, 8_001, 12_000);
        budget.Take(MemoryUse.Memtables, 100_000);
        cache.MakeRoom();
        Assert.InRange(cache.Bytes, 3_000, 6_000);

        // A bound beyond all memory takes nobody all memory.
        cache.Resize(1_000_000);
        for (int block = 0; block < _reader.BlockCount; block++)
        {
            cache.Add(_reader, block, Load(block));
        }

        Assert.InRange(cache.Bytes, 5_000, 10_000);
    }

    /// <summary>Seed 7400013 of the simulator: a node with nothing to do stayed beyond its memory.</summary>
    [Fact]
    public void Its_own_share_is_of_what_indexes_leave_since_those_never_go()
    {
        var budget = new MemoryBudget(40_000);
        var cache = new BlockCache(12_000, budget, ownPercent: 50);
        cache.Register(_reader);
        for (int block = 0; block < _reader.BlockCount; block++)
        {
            cache.Add(_reader, block, Load(block));
        }

        Assert.InRange(cache.Bytes, 8_001, 12_000);
        budget.Take(MemoryUse.IndexesAndFilters, 39_000);
        cache.MakeRoom();
        Assert.Equal(0, budget.OverBytes);
    }

    [Fact]
    public void A_closed_file_leaves_nothing_behind()
    {
        var cache = new BlockCache(1_000_000);
        using SSTableReader other = _file.Open();
        cache.Register(_reader);
        cache.Register(other);
        for (int block = 0; block < _reader.BlockCount; block++)
        {
            cache.Add(_reader, block, Load(block));
            cache.Add(other, block, Load(block));
        }

        Assert.Equal(2 * _reader.BlockCount, cache.Count);
        cache.Forget(_reader);
        Assert.Equal(_reader.BlockCount, cache.Count);
        Assert.Null(cache.Find(_reader, 0));
        Assert.NotNull(cache.Find(other, 0));
        cache.Resize(0);
        Assert.Equal(0, cache.Bytes);
        Assert.Equal(0, cache.Count);
    }

    private Block Load(int block) => _reader.Decode(block, _file.Run(_reader.ReadBlock(block)), out _)!;
}
