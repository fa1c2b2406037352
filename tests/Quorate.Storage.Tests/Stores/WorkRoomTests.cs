using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// Checkpoints and merges of several stores share one memory: they wait for each other, and all are done.
/// </summary>
public sealed class WorkRoomTests
{
    private const int Stores = 6;

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void With_little_memory_one_checkpoint_goes_on_at_a_time()
    {
        var budget = new MemoryBudget(100_000);
        StoreOwner[] owners = OpenAll(budget);
        BeginAll(owners);
        Assert.Equal((1, Stores - 1), (budget.Work.UnderWay, budget.Work.Waiting));
        Assert.All(owners, owner => Assert.False(owner.Store.IsBehind));

        // Nobody lets them work again: each goes on by itself when the one before it is done.
        int most = 0;
        while (_disk.RunOne())
        {
            most = Math.Max(most, budget.Work.UnderWay);
        }

        // One checkpoint, and a merge at leisure beside it.
        Assert.InRange(most, 1, 2);
        Assert.All(owners, owner => Assert.Equal([1UL], owner.Saved));
        Assert.Equal((0, 0), (budget.Work.UnderWay, budget.Work.Waiting));
    }

    [Fact]
    public void With_enough_memory_all_go_on_at_once()
    {
        var budget = new MemoryBudget(1L << 30);
        StoreOwner[] owners = OpenAll(budget);
        BeginAll(owners);
        Assert.Equal((Stores, 0), (budget.Work.UnderWay, budget.Work.Waiting));
        _disk.RunAll();
        Assert.All(owners, owner => Assert.Equal([1UL], owner.Saved));
        Assert.Equal(0, budget.Work.UnderWay);
    }

    /// <summary>
    /// Rows of which each takes much of the host's heap, however much may be held beside that.
    /// </summary>
    [Fact]
    public void Large_rows_are_written_by_as_many_as_the_heap_has_room_for()
    {
        const int RowBytes = 1_000_000;
        var budget = new MemoryBudget(1L << 30, underWayBytes: 20 * RowBytes) { WorkBytesMax = 10 * RowBytes };
        StoreOwner[] owners = OpenAll(budget);
        BeginAll(owners, rows: 1, RowBytes);
        Assert.Equal((2, Stores - 2), (budget.Work.UnderWay, budget.Work.Waiting));
        int most = 0;
        for (int i = 0; i < 1000 && owners.Any(owner => owner.Saved.Count == 0); i++)
        {
            foreach (StoreOwner owner in owners)
            {
                owner.Call(store => store.Work(1 << 22));
            }

            _disk.RunOne();
            most = Math.Max(most, budget.Work.UnderWay);
        }

        Assert.Equal(2, most);
        Assert.All(owners, owner => Assert.Equal([1UL], owner.Saved));
    }

    [Fact]
    public void Work_that_takes_more_than_it_should_leaves_requests_less()
    {
        var budget = new MemoryBudget(1000, underWayBytes: 100) { WorkBytesMax = 50 };
        budget.Take(MemoryUse.Requests, 1);
        budget.Take(MemoryUse.Work, 50);
        Assert.True(budget.MayTake(99));
        budget.Take(MemoryUse.Work, 60);
        Assert.False(budget.MayTake(99));
        Assert.True(budget.MayTake(39));
    }

    [Fact]
    public void Who_is_closed_or_fails_in_the_middle_keeps_nobody_waiting()
    {
        var budget = new MemoryBudget(100_000);
        StoreOwner[] owners = OpenAll(budget);
        BeginAll(owners);
        owners[0].Call(store => store.Close());
        owners[2].Call(store => store.Close());
        Assert.Equal((1, Stores - 3), (budget.Work.UnderWay, budget.Work.Waiting));
        string failing = StoreFileName.OfTable("p1-", 1);
        _disk.Fate = asked => asked.File == failing ? DiskStatus.Failed : DiskStatus.Done;
        _disk.RunAll();
        Assert.NotNull(owners[1].Failure);
        Assert.All(owners[3..], owner => Assert.Equal([1UL], owner.Saved));
        Assert.Equal((0, 0), (budget.Work.UnderWay, budget.Work.Waiting));
    }

    private StoreOwner[] OpenAll(MemoryBudget budget)
    {
        StoreOwner[] owners = [.. Enumerable.Range(0, Stores).Select(_ => new StoreOwner())];
        for (int i = 0; i < Stores; i++)
        {
            owners[i].Store = new PartitionStore(
                _disk, new() { Prefix = $"p{i}-", Partition = new((uint)i + 1) }, owners[i], new(20_000), budget);
            owners[i].Call(store => store.Open());
        }

        _disk.RunAll();
        return owners;
    }

    /// <summary>All write, and all are to take a checkpoint; each is let work once.</summary>
    private static void BeginAll(StoreOwner[] owners, int rows = 200, int rowBytes = 50)
    {
        string value = new('x', rowBytes);
        foreach (StoreOwner owner in owners)
        {
            owner.Apply(1, [.. Enumerable.Range(0, rows).Select(i => ($"k{i}", RowType.Text, value))]);
        }

        foreach (StoreOwner owner in owners)
        {
            owner.Call(store => store.Checkpoint(StoreOwner.Meta(1)));
            owner.Call(store => store.Work(1 << 20));
        }
    }
}
