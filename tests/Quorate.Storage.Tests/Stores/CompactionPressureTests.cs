using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>More is written than merges can follow: the number of tables is bounded all the same.</summary>
public sealed class CompactionPressureTests : StoreFixture
{
    private const int TablesMax = 6;
    private const int TablesOverMax = 3;

    [Fact]
    public void Tables_stay_bounded_when_one_checkpoint_follows_the_other()
    {
        StoreOwner owner = Open();
        var store = (PartitionStore)owner.Store;
        int most = 0;
        int behind = 0;
        int asked = 0;
        for (ulong index = 1; index <= 6000; index++)
        {
            // As a leader under load: always dirty, and never without a checkpoint under way.
            owner.Apply(index, [.. Enumerable.Range(0, 10).Select(i => Row((index * 10) + (ulong)i))]);
            if (owner.Saved.Count == asked && store.DirtyBytes > 1000)
            {
                asked++;
                owner.Call(each => each.Checkpoint(() => StoreOwner.Meta(index)));
            }

            owner.Call(each => each.Work(400));
            Disk.RunOne();
            most = Math.Max(most, store.TableBytes.Count);
            behind += store.IsBehind ? 1 : 0;
        }

        Assert.Null(owner.Failure);
        Assert.InRange(most, TablesMax + 1, TablesMax + TablesOverMax + 1);
        Assert.True(behind > 0, "no checkpoint ever had to wait, so nothing was shown");
        Assert.True(owner.Saved.Count > 15, $"only {owner.Saved.Count} checkpoints");
        RunAll(owner);
        Assert.False(store.IsBehind);
        Assert.InRange(store.TableBytes.Count, 1, TablesMax);
        Assert.Equal(3000, Look(owner).All().Count);
    }

    /// <summary>
    /// A node lets a store go that has nothing to do but to wait for the disk, and nothing else may come.
    /// </summary>
    [Fact]
    public void A_checkpoint_that_waits_for_a_merge_begins_without_another_input()
    {
        StoreOwner owner = Open();
        var store = (PartitionStore)owner.Store;
        int asked = 0;
        int waited = 0;
        for (ulong index = 1; index <= 6000; index++)
        {
            owner.Apply(index, [.. Enumerable.Range(0, 10).Select(i => Row((index * 10) + (ulong)i))]);
            if (owner.Saved.Count == asked && store.DirtyBytes > 1000)
            {
                asked++;
                owner.Call(each => each.Checkpoint(() => StoreOwner.Meta(index)));
            }

            bool hasMore = true;
            owner.Call(each => hasMore = each.Work(400));
            if (!store.IsBehind)
            {
                Disk.RunOne();
                continue;
            }

            waited++;
            while (Disk.RunOne() || hasMore)
            {
                owner.Call(each => hasMore = hasMore && each.Work(400));
            }

            Assert.False(store.IsBehind);
            Assert.Equal(asked, owner.Saved.Count);
        }

        Assert.True(waited > 0, "no checkpoint ever had to wait, so nothing was shown");
    }

    [Fact]
    public void A_checkpoint_waits_for_no_merge_that_can_not_be()
    {
        StoreOwner owner = Open();
        var store = (PartitionStore)owner.Store;
        int refused = 0;
        Disk.Fate = operation =>
        {
            // Only merges write while a checkpoint waits.
            bool isFull = operation.Kind == DiskOperationKind.Write && store.IsBehind;
            refused += isFull ? 1 : 0;
            return isFull ? DiskStatus.Full : DiskStatus.Done;
        };
        for (ulong index = 1; index <= 40; index++)
        {
            owner.Apply(index, [.. Enumerable.Range(0, 100).Select(i => Row((index * 100) + (ulong)i))]);
            owner.Call(each => each.Checkpoint(() => StoreOwner.Meta(index)));
            for (int i = 0; i < 2000 && owner.Saved.Count < (int)index; i++)
            {
                owner.Call(each => each.Work(400));
                Disk.RunOne();
            }

            Assert.Equal((int)index, owner.Saved.Count);
        }

        Assert.True(refused > 0, "no merge was refused");
        Assert.Null(owner.Failure);
    }

    private static (string Key, RowType Type, string Value) Row(ulong number) =>
        ($"k{number * 7919 % 3000}", RowType.Text, new string('x', 100));

    protected override IPartitionStore Make(
        IDisk disk, string prefix, IPartitionStoreClient client)
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = prefix,
            Partition = new(7),
            TablesMax = TablesMax,
            TablesOverMax = TablesOverMax,
            Tables = new() { BlockBytes = 400, WritePieceBytes = 1500 },
            PassReadBytes = 1000,
        };
        return new PartitionStore(disk, settings, client, new(20_000), new MemoryBudget(1 << 20));
    }
}
