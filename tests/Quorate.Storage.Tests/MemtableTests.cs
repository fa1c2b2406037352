using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Tests;

/// <summary>What the memtable promises about memory, growth, eviction and expiry, each by itself.</summary>
public sealed class MemtableTests
{
    private readonly MemoryBudget _budget = new(1L << 40);
    private ulong _version = 1 << 16;

    [Fact]
    public void All_memory_is_given_back()
    {
        Memtable table = Make();
        for (int i = 0; i < 5000; i++)
        {
            Put(table, $"key{i}", new byte[i % 300 == 0 ? 100_000 : i % 500]);
        }

        Scan(table, descending: false);
        Assert.True(table.NativeBytes > 0);
        Assert.Equal(table.UsedBytes, _budget.UsedBy(MemoryUse.Memtables));
        table.Dispose();
        table.Dispose();
        Assert.Equal(0, _budget.UsedBytes);
        Assert.Equal(0, table.UsedBytes);
    }

    [Fact]
    public void Removing_all_rows_gives_nearly_all_memory_back_to_the_system()
    {
        using Memtable table = Make(new() { RetiredCountMax = 1 });
        long empty = table.NativeBytes;
        for (int i = 0; i < 20_000; i++)
        {
            Put(table, $"key{i}", new byte[i % 900]);
        }

        Assert.True(table.NativeBytes > empty + (20_000 * 400));
        for (int i = 0; i < 20_000; i++)
        {
            Assert.True(table.Remove(Key($"key{i}")));
        }

        Assert.Equal(0, table.Count);
        Assert.Equal(0, table.UsedBytes);
        Assert.InRange(table.NativeBytes, empty, empty + (1 << 20));
    }

    [Fact]
    public void Values_up_to_the_limit_are_held()
    {
        using Memtable table = Make();
        byte[] value = new byte[RowLimits.ValueBytesMax];
        value[^1] = 7;
        Put(table, "large", value);
        Assert.True(table.TryGet(Key("large"), out Row row));
        Assert.True(row.Value.SequenceEqual(value));
        Put(table, "large", []);
        Assert.InRange(table.UsedBytes, 0, 100_000);
    }

    [Fact]
    public void Looking_rows_up_allocates_nothing()
    {
        var readers = new MemtableReaders();
        using var table = new Memtable(SlotRange.All, new(), _budget, readers);
        using RowBuffer buffer = RowBuffer.TryMake(readers)!;
        byte[] key = Key("a");
        Put(table, "a", new byte[64]);
        Assert.Equal(MemtableRead.Found, table.TryRead(key, buffer));
        Assert.True(table.TryGet(key, out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            table.TryGet(key, out _);
            table.TryRead(key, buffer);
            SlotMoment moment = table.BeginRead(RowKey.SlotOf(key), buffer);
            table.IsUnchanged(moment, buffer);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Rows_put_over_each_other_allocate_nothing_on_the_managed_heap()
    {
        using Memtable table = Make();
        byte[] key = Key("a");
        byte[] value = new byte[64];
        for (int i = 0; i < 200; i++)
        {
            table.Put(key, RowType.Text, new(_version++), 0, value, dirty: true);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            table.Put(key, RowType.Text, new(_version++), 0, value, dirty: true);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void One_slot_may_hold_most_rows_and_they_stay_in_order()
    {
        const int Rows = 60_000;
        using Memtable table = Make();
        byte[] one = new byte[8];
        var random = new SeededRandom(5);
        for (int i = 0; i < Rows; i++)
        {
            Put(table, string.Create(CultureInfo.InvariantCulture, $"{{tag}}{random.Next(1 << 30):D10}"), one);
        }

        Assert.InRange(table.Count, Rows - 20, Rows);
        Assert.Equal(table.Count, Scan(table, descending: false));
        Assert.Equal(table.Count, Scan(table, descending: true));

        // 31 or 32 bytes of key, 8 of value, 20 of header; the rest is what table and order take.
        Assert.InRange(table.UsedBytes / Rows, 64, 64 + 35);
    }

    [Fact]
    public void Rows_that_were_read_lately_survive_an_eviction()
    {
        using Memtable table = Make();
        for (int i = 0; i < 1000; i++)
        {
            table.Put(Key($"key{i}"), RowType.Text, new(_version++), 0, new byte[50], dirty: i % 10 == 0);
        }

        for (int i = 1; i < 1000; i += 10)
        {
            Assert.True(table.TryGet(Key($"key{i}"), out _));
        }

        // Dirty rows and those just read stay; a second round finds the latter unread.
        while (table.Count > 200)
        {
            Assert.True(table.EvictClean(1) > 0);
        }

        Assert.True(table.TryGet(Key("key1"), out _));
        table.EvictClean(long.MaxValue);
        Assert.InRange(table.Count, 100, 101);
        table.EvictClean(long.MaxValue);
        Assert.Equal(100, table.Count);
        Assert.True(table.TryGet(Key("key10"), out _));
        Assert.Equal(0, table.EvictClean(long.MaxValue));
    }

    [Fact]
    public void What_is_saved_may_be_evicted_and_what_came_later_may_not()
    {
        using Memtable table = Make();
        for (int i = 0; i < 100; i++)
        {
            Put(table, $"key{i}", new byte[50]);
        }

        MemtableFreeze freeze = table.Freeze(new(_version >> 16));
        _version = ((_version >> 16) + 1) << 16;
        Put(table, "key7", new byte[60]);
        var seen = new RowList();
        while (freeze.Next(10, seen))
        {
            Assert.Equal(0, table.EvictClean(long.MaxValue));
        }

        Assert.Equal(100, seen.Rows.Count);
        Assert.All(seen.Rows, row => Assert.Equal(50, row.Value.Length));
        table.Saved(freeze);
        Assert.InRange(table.DirtyBytes, 60, 120);
        table.EvictClean(long.MaxValue);
        Assert.Equal(1, table.Count);
        Assert.True(table.TryGet(Key("key7"), out _));
    }

    [Fact]
    public void Rows_removed_all_at_once_stay_for_a_freeze()
    {
        using Memtable table = Make(new() { UnorderedRowsMax = 20 });
        for (int i = 0; i < 300; i++)
        {
            Put(table, $"{{{i % 3}}}{i}", new byte[50]);
        }

        byte[] session = RowKey.Of("s"u8, default, RowSpace.Sessions);
        table.Put(session, RowType.Session, new(_version++), 0, "x"u8, dirty: true);
        MemtableFreeze freeze = table.Freeze(new(_version >> 16));
        table.BeginBatch();
        table.RemoveAll(RowSpace.User);
        table.EndBatch();
        Assert.Equal(1, table.Count);
        Assert.True(table.TryGet(session, out _));
        Assert.Equal(1, Scan(table, descending: false));
        var seen = new RowList();
        Assert.False(freeze.Next(int.MaxValue, seen));
        Assert.Equal(301, seen.Rows.Count);
        table.Saved(freeze);
        Assert.Equal(0, table.DirtyBytes);
        Assert.InRange(table.UsedBytes - table.RetiredBytes, 1, 1000);
    }

    [Fact]
    public void An_abandoned_freeze_keeps_nothing_and_saves_nothing()
    {
        using Memtable table = Make();
        Put(table, "a", new byte[5000]);
        long dirty = table.DirtyBytes;
        MemtableFreeze freeze = table.Freeze(new(_version >> 16));
        _version = ((_version >> 16) + 1) << 16;
        Put(table, "b", new byte[10]);
        Assert.True(table.Remove(Key("a")));
        Put(table, "a", new byte[10]);
        table.Abandon(freeze);
        Assert.InRange(table.DirtyBytes, 20, dirty);
        MemtableFreeze next = table.Freeze(new(_version >> 16));
        var seen = new RowList();
        Assert.False(next.Next(int.MaxValue, seen));
        Assert.Equal(2, seen.Rows.Count);
    }

    [Fact]
    public void An_expired_row_that_gives_way_to_a_tombstone_of_its_version_is_handed_out_as_it_was()
    {
        using Memtable table = Make();
        RowVersion version = new(_version);
        table.Put(Key("a"), RowType.Text, version, 5, "x"u8, dirty: true);
        MemtableFreeze freeze = table.Freeze(version.Index);
        table.Put(Key("a"), RowType.Tombstone, version, 0, default, dirty: true);
        var seen = new RowList();
        Assert.False(freeze.Next(int.MaxValue, seen));
        Assert.Equal(RowType.Text, Assert.Single(seen.Rows).Type);
        table.Saved(freeze);
        Assert.Equal(0, table.DirtyBytes);
    }

    [Fact]
    public void Versions_never_fall()
    {
        using Memtable table = Make();
        table.Put(Key("a"), RowType.Text, new(5 << 16), 0, "x"u8, dirty: true);
        Assert.Throws<InvariantBrokenException>(
            () => table.Put(Key("a"), RowType.Text, new(4 << 16), 0, "y"u8, dirty: true));
    }

    [Fact]
    public void What_is_under_way_is_bounded_apart_from_what_is_held_and_one_request_is_always_let_in()
    {
        var budget = new MemoryBudget(totalBytes: 100, underWayBytes: 50);
        budget.Take(MemoryUse.Memtables, 200);
        budget.Take(MemoryUse.Entries, 60);
        Assert.True(budget.MayTake(1000));
        budget.Take(MemoryUse.Requests, 5);
        Assert.False(budget.MayTake(1));
        budget.Give(MemoryUse.Entries, 60);
        Assert.True(budget.MayTake(45));
        Assert.False(budget.MayTake(46));
        budget.Note(MemoryUse.Clients, 30);
        budget.Note(MemoryUse.Clients, 20);
        Assert.True(budget.MayTake(25));
        Assert.False(budget.MayTake(26));
        Assert.Equal((200, 25), (budget.UsedBytes, budget.UnderWayBytes));
    }

    [Fact]
    public void The_budget_counts_uses_apart()
    {
        var budget = new MemoryBudget(100);
        budget.Take(MemoryUse.BlockCache, 60);
        budget.Take(MemoryUse.Memtables, 70);
        Assert.Equal(30, budget.OverBytes);
        Assert.Equal(0, budget.FreeBytes);
        budget.Give(MemoryUse.BlockCache, 60);
        Assert.Equal(30, budget.FreeBytes);
        Assert.Equal(70, budget.UsedBy(MemoryUse.Memtables));
        Assert.Throws<InvariantBrokenException>(() => budget.Give(MemoryUse.Work, 1));
    }

    private static byte[] Key(string key) => RowKey.Of(Encoding.UTF8.GetBytes(key));

    private static int Scan(Memtable table, bool descending)
    {
        MemtableCursor cursor = table.Seek(new RowRange([0], [255, 255, 255], descending));
        byte[] last = [];
        int count = 0;
        while (cursor.TryNext(out ReadOnlySpan<byte> rowKey, out _))
        {
            int order = rowKey.SequenceCompareTo(last);
            Assert.True(count == 0 || (descending ? order < 0 : order > 0));
            last = rowKey.ToArray();
            count++;
        }

        return count;
    }

    private Memtable Make(MemtableSettings? settings = null) => new(SlotRange.All, settings ?? new(), _budget);

    private void Put(Memtable table, string key, byte[] value) =>
        table.Put(Key(key), RowType.Text, new(_version++), 0, value, dirty: true);
}
