using Quorate.Core.Model;
using Quorate.Storage.Disk;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>The contract on the twin.</summary>
public sealed class MemoryStoreTests : StoreContractTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_shows_what_a_replay_of_all_changes_shows(ulong seed)
    {
        var disk = new MemoryDisk();
        var owner = new StoreOwner();
        owner.Store = new MemoryStore(disk, "p1-", owner);
        owner.Call(store => store.Open());
        disk.RunAll();
        var history = new ChangeHistory(seed);
        for (int i = 0; i < 400; i++)
        {
            HistoryEntry entry = history.Next();
            owner.Call(store => store.Apply(entry.Index, entry.Time, entry.Changes));
            if (i % 20 == 0)
            {
                SortedDictionary<string, string> expected = Replay(history);
                var look = new StoreLook(owner, disk.RunAll);
                Assert.Equal(expected.Values, look.Scan([], [0xFF, 0xFF]));
                foreach (string rowKey in history.RowKeys)
                {
                    Assert.Equal(expected.GetValueOrDefault(rowKey), look.Get(Convert.FromHexString(rowKey)));
                }
            }
        }
    }

    [Fact]
    public void A_store_of_cold_rows_shows_nothing_that_was_not_fetched()
    {
        var disk = new MemoryDisk();
        var owner = new StoreOwner();
        owner.Store = new MemoryStore(disk, "p1-", owner, new() { RowsAreCold = true });
        owner.Call(store => store.Open());
        disk.RunAll();
        owner.Apply(1, ("a", RowType.Text, "1"));
        byte[] rowKey = StoreOwner.KeyOf("a");
        Assert.Equal(Lookup.Cold, owner.Store.Get(rowKey, out _));
        owner.Call(store => store.Fetch(5));
        disk.RunAll();
        Assert.Equal([5UL], owner.Fetches);
        Assert.Equal(Lookup.Found, owner.Store.Get(rowKey, out _));
        Assert.Equal(Lookup.Cold, owner.Store.Get(StoreOwner.KeyOf("b"), out _));
        owner.Call(store => store.Release(5));
        Assert.Equal(Lookup.Cold, owner.Store.Get(rowKey, out _));
    }

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        new MemoryStore(disk, prefix, client);

    private static SortedDictionary<string, string> Replay(ChangeHistory history)
    {
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        HybridTime time = history.Entries[^1].Time;
        foreach (HistoryEntry entry in history.Entries)
        {
            RowChangeReader reader = RowChanges.Read(entry.Changes);
            for (int ordinal = 0; reader.TryNext(out RowChange change); ordinal++)
            {
                string rowKey = Convert.ToHexString(change.RowKey);
                var row = new Row(
                    change.Type, RowVersion.At(entry.Index, ordinal), change.Expiry,
                    Row.HashOf(change.RowKey, change.Value), change.Value);
                if (change.Type == RowType.Clear)
                {
                    string[] gone = [.. rows.Keys.Where(IsUsers)];
                    Array.ForEach(gone, key => rows.Remove(key));
                }
                else if (row.IsTombstone || LiveRows.IsExpired(row.Expiry, time))
                {
                    rows.Remove(rowKey);
                }
                else
                {
                    rows[rowKey] = StoreLook.TextOf(change.RowKey, row);
                }
            }
        }

        return rows;
    }

    private static bool IsUsers(string rowKey) => RowKey.SpaceOf(Convert.FromHexString(rowKey)) == RowSpace.User;
}

/// <summary>The contract of snapshots on the twin.</summary>
public sealed class MemoryStoreSnapshotTests : SnapshotContractTests
{
    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        new MemoryStore(disk, prefix, client);
}
