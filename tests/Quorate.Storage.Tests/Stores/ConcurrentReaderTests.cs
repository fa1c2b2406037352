using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>What a reader outside of the node's lock sees of a store, step by step; the race is tested apart.</summary>
public sealed class ConcurrentReaderTests : StoreFixture, IDisposable
{
    private readonly MemtableReaders _readers = new(8);
    private readonly StoreOwner _owner;
    private readonly ConcurrentReader _reader;

    public ConcurrentReaderTests()
    {
        _owner = Open();
        _reader = ConcurrentReader.TryMake(_readers)!;
    }

    private PartitionStore Store => (PartitionStore)_owner.Store;

    public void Dispose()
    {
        _reader.Dispose();
        Store.Close();
    }

    [Fact]
    public void It_reads_rows_with_the_index_and_the_time_they_are_of()
    {
        _owner.Apply(3, ("a", RowType.Text, "1"), ("b", RowType.Tombstone, ""));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        Assert.Equal((new LogIndex(3), StoreOwner.TimeOf(3)), (_reader.Applied, _reader.Time));
        Assert.Equal(Lookup.Found, _reader.Get(StoreOwner.KeyOf("a"), out Row row));
        Assert.Equal("1"u8, row.Value);
        Assert.Equal(Lookup.Absent, _reader.Get(StoreOwner.KeyOf("b"), out _));
        Assert.Equal(Lookup.Cold, _reader.Scan(new([], [0xFF, 0xFF]), new NoRows()));
        Assert.True(_reader.Validate());
        _reader.End();
    }

    [Fact]
    public void What_is_not_in_memory_is_absent_only_as_long_as_nothing_is_on_disk()
    {
        _owner.Apply(1, ("a", RowType.Text, "1"));
        Assert.Equal(Lookup.Absent, Look("b", out _));
        Checkpoint(_owner, 1);
        Assert.Equal(Lookup.Cold, Look("b", out _));
        Assert.Equal(Lookup.Found, Look("a", out _));
        EvictAll();
        Assert.Equal(Lookup.Cold, Look("a", out _));
        _owner.Apply(2, ("", RowType.Clear, ""));
        Assert.Equal(Lookup.Cold, Look("a", out _));
    }

    [Fact]
    public void The_first_table_ends_a_reading_that_has_relied_on_there_being_none()
    {
        _owner.Apply(1, ("a", RowType.Text, "1"));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        Checkpoint(_owner, 1);
        EvictAll();
        Lookup answer = _reader.Get(StoreOwner.KeyOf("a"), out _);
        Assert.False(answer == Lookup.Absent && _reader.Validate());
        _reader.End();
    }

    [Fact]
    public void A_change_of_a_slot_that_was_read_ends_the_reading_and_one_elsewhere_does_not()
    {
        _owner.Apply(1, ("{a}1", RowType.Text, "1"), ("{a}2", RowType.Text, "1"));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        _reader.Get(StoreOwner.KeyOf("{a}1"), out _);
        _owner.Apply(2, ("{b}1", RowType.Text, "2"));
        Assert.True(_reader.Validate());
        _owner.Apply(3, ("{a}2", RowType.Text, "3"));
        Assert.False(_reader.Validate());
        Assert.Equal(Lookup.Found, _reader.Get(StoreOwner.KeyOf("{a}2"), out Row row));
        Assert.Equal(new LogIndex(3), row.Version.Index);
        Assert.Equal((new LogIndex(1), new LogIndex(3)), (_reader.Applied, _reader.Seen));
        _reader.End();
    }

    [Fact]
    public void A_clear_ends_the_reading_of_any_slot()
    {
        _owner.Apply(1, ("a", RowType.Text, "1"), ("b", RowType.Text, "1"));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        Assert.Equal(Lookup.Found, _reader.Get(StoreOwner.KeyOf("a"), out _));
        _owner.Apply(2, ("", RowType.Clear, ""), ("b", RowType.Text, "2"));
        Assert.False(_reader.Validate());
        _reader.End();
        Assert.Equal(Lookup.Absent, Look("a", out _));
        Assert.Equal(Lookup.Found, Look("b", out ulong index));
        Assert.Equal(2UL, index);
    }

    [Fact]
    public void Nobody_is_let_in_while_a_batch_that_clears_is_under_way()
    {
        ConcurrentRows rows = Store.Concurrent;
        rows.BeginClear(RowVersion.At(new(1), 0));
        Assert.False(_reader.TryBegin(rows));
        rows.EndClear();
        Assert.True(_reader.TryBegin(rows));
        _reader.End();
    }

    [Fact]
    public void An_entry_whose_rows_are_not_all_applied_does_not_count_as_applied()
    {
        _owner.Apply(1, ("a", RowType.Text, "1"));
        Assert.ThrowsAny<Exception>(() => Store.Apply(new(2), StoreOwner.TimeOf(2), [0xFF, 0xFF, 0xFF]));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        Assert.Equal(new LogIndex(1), _reader.Applied);
        _reader.End();
    }

    [Fact]
    public void A_reading_touches_a_bounded_number_of_slots()
    {
        Assert.True(_reader.TryBegin(Store.Concurrent));
        for (ushort slot = 0; slot < ConcurrentReader.SlotsMax; slot++)
        {
            Assert.Equal(Lookup.Absent, _reader.Get(KeyIn(slot), out _));
        }

        Assert.Equal(Lookup.Cold, _reader.Get(KeyIn(ConcurrentReader.SlotsMax), out _));
        Assert.Equal(Lookup.Absent, _reader.Get(KeyIn(0), out _));
        Assert.True(_reader.Validate());
        _reader.End();
    }

    [Fact]
    public void A_store_that_is_not_open_or_has_no_rows_to_show_lets_nobody_begin()
    {
        var owner = new StoreOwner();
        owner.Store = Make(new MemoryDisk(), Prefix, owner);
        Assert.False(_reader.TryBegin(owner.Store.Concurrent));
        var plain = new MemoryStore(Disk, "q-", owner);
        Assert.False(_reader.TryBegin(plain.Concurrent));
        _owner.Call(store => store.Close());
        Assert.False(_reader.TryBegin(Store.Concurrent));
    }

    [Fact]
    public void Rows_of_a_received_snapshot_are_seen_once_they_are_taken()
    {
        List<InstallSnapshot> pieces = SnapshotOf(9);
        _owner.Apply(1, ("k", RowType.Text, "v1"));
        Receive(_owner, pieces);
        Assert.Equal(Lookup.Found, Look("k", out ulong index));
        Assert.Equal(1UL, index);
        Assert.True(_reader.TryBegin(Store.Concurrent));
        _reader.End();
        _owner.Call(store => store.TakeReceived(pieces[0].Meta));
        Assert.Equal(Lookup.Cold, Look("k", out _));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        Assert.Equal(new LogIndex(9), _reader.Applied);
        _reader.End();
    }

    [Fact]
    public void A_store_that_closes_waits_for_its_readers()
    {
        _owner.Apply(1, ("a", RowType.Text, "1"));
        Assert.True(_reader.TryBegin(Store.Concurrent));
        _reader.Get(StoreOwner.KeyOf("a"), out Row row);
        var closing = new Thread(Store.Close);
        closing.Start();
        using (ConcurrentReader other = ConcurrentReader.TryMake(_readers)!)
        {
            while (other.TryBegin(Store.Concurrent))
            {
                other.End();
            }
        }

        Assert.False(closing.Join(20));
        Assert.Equal("1"u8, row.Value);
        Assert.False(_reader.Validate());
        _reader.End();
        closing.Join();
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        _owner.Apply(1, ("{a}1", RowType.Text, "1"), ("{a}2", RowType.Text, "1"));
        byte[] one = StoreOwner.KeyOf("{a}1");
        byte[] two = StoreOwner.KeyOf("{a}2");
        ConcurrentRows rows = Store.Concurrent;
        int found = Read(one, two, rows);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            found += Read(one, two, rows);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2002, found);
    }

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client)
    {
        var settings = new PartitionStoreSettings { Prefix = prefix, Partition = new(7) };
        return new PartitionStore(disk, settings, client, new(100_000), new MemoryBudget(1 << 24), null, _readers);
    }

    private static byte[] KeyIn(ushort slot)
    {
        byte[] rowKey = new byte[64];
        int length = RowKey.Write(rowKey, new(slot), 0, "k"u8, default, RowSpace.User);
        return rowKey[..length];
    }

    private int Read(byte[] one, byte[] two, ConcurrentRows rows)
    {
        _reader.TryBegin(rows);
        int found = _reader.Get(one, out _) == Lookup.Found ? 1 : 0;
        found += _reader.Get(two, out _) == Lookup.Found ? 1 : 0;
        found = _reader.Validate() ? found : 0;
        _reader.End();
        return found;
    }

    private Lookup Look(string key, out ulong index)
    {
        Assert.True(_reader.TryBegin(Store.Concurrent));
        Lookup answer = _reader.Get(StoreOwner.KeyOf(key), out Row row);
        index = answer == Lookup.Found ? row.Version.Index.Value : 0;
        Assert.True(_reader.Validate());
        _reader.End();
        return answer;
    }

    private sealed class NoRows : IRowVisitor
    {
        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row) => throw new InvalidOperationException("a row");
    }

    private void EvictAll()
    {
        for (int i = 0; i < 10; i++)
        {
            Store.Memory.EvictClean(int.MaxValue);
        }

        Assert.Equal(0, Store.Memory.Count);
    }
}
