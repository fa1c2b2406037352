using System.Buffers;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>What a fetch reads: what was looked for by whoever asks for it, and nothing else.</summary>
public sealed class ColdFetchTests : StoreFixture
{
    private const int Rows = 200;

    [Fact]
    public void What_somebody_gave_up_is_not_read_for_whoever_comes_next()
    {
        var store = (PartitionStore)Filled().Store;
        for (int i = 0; i < Rows - 1; i++)
        {
            Assert.Equal(Lookup.Cold, store.Get(StoreOwner.KeyOf($"k{i}"), out _));
            store.Forget();
        }

        Assert.Equal(Lookup.Cold, store.Get(StoreOwner.KeyOf($"k{Rows - 1}"), out _));
        store.Fetch(1);
        Disk.RunAll();
        Assert.Equal(1, store.BlocksFetched);
        Assert.Equal(Lookup.Found, store.Get(StoreOwner.KeyOf($"k{Rows - 1}"), out _));
    }

    [Fact]
    public void What_was_given_up_holds_no_file()
    {
        StoreOwner owner = Filled();
        Assert.Equal(Lookup.Cold, owner.Store.Get(StoreOwner.KeyOf("k1"), out _));
        owner.Store.Forget();
        owner.Call(each => each.Destroy());
        RunAll(owner);
        Assert.True(owner.IsDestroyed);
        Assert.DoesNotContain(Disk.Names, name => name.EndsWith(".sst", StringComparison.Ordinal));
    }

    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        new PartitionStore(
            disk, new() { Prefix = prefix, Partition = new(7) }, client, new(20_000), new MemoryBudget(1 << 22));

    /// <summary>Rows that fill half a block each, none of them in memory.</summary>
    private StoreOwner Filled()
    {
        StoreOwner owner = Open();
        var writer = new ArrayBufferWriter<byte>();
        for (int i = 0; i < Rows; i++)
        {
            RowChanges.Write(writer, new(StoreOwner.KeyOf($"k{i}"), RowType.Text, 0, new byte[4000]));
        }

        owner.Call(store => store.Apply(new(1), StoreOwner.TimeOf(1), writer.WrittenSpan));
        Checkpoint(owner, 1);
        return Open();
    }
}
