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
        var budget = new MemoryBudget(1L << 30, underWayBytes: 50 * RowBytes) { WorkBytesMax = 25 * RowBytes };
        StoreOwner[] owners = OpenAll(budget);
        BeginAll(owners, RowBytes);
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
    public void A_checkpoint_that_has_waited_is_of_the_rows_as_they_are_when_it_begins()
    {
        var budget = new MemoryBudget(100_000);
        StoreOwner[] owners = OpenAll(budget)[..2];
        ulong index = 1;
        foreach (StoreOwner owner in owners)
        {
            owner.Apply(1, Rows(1));
            owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(index)));
            owner.Call(store => store.Work(1 << 20));
        }

        // While it waits no row is kept that another one has taken the place of.
        Assert.Equal((1, 1), (budget.Work.UnderWay, budget.Work.Waiting));
        long dirty = owners[1].Store.DirtyBytes;
        for (index = 2; index <= 9; index++)
        {
            owners[1].Apply(index, Rows(index));
        }

        index = 9;
        Assert.Equal(dirty, owners[1].Store.DirtyBytes);
        _disk.RunAll();
        Assert.Equal([1UL], owners[0].Saved);
        Assert.Equal([9UL], owners[1].Saved);
        Assert.Equal(0, owners[1].Store.DirtyBytes);
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

    [Fact]
    public void What_needs_little_does_not_pass_over_what_needs_much()
    {
        WorkRoom room = new MemoryBudget(100).Work;
        WorkRoom.WorkLease first = room.TryBegin(WorkKind.Needed, 50, NotGranted)!;
        WorkRoom.WorkLease second = room.TryBegin(WorkKind.Needed, 40, NotGranted)!;
        WorkRoom.WorkLease? large = null;
        WorkRoom.WorkLease? small = null;
        Assert.Null(room.TryBegin(WorkKind.Needed, 90, lease => large = lease));
        Assert.Null(room.TryBegin(WorkKind.Needed, 5, lease => small = lease));

        // There would be room for the small one, and then for the next, as long as any comes.
        first.Dispose();
        Assert.Equal((null, null), (large, small));
        second.Dispose();
        Assert.NotNull(large);
        Assert.NotNull(small);
        Assert.Equal((95, 2, 0), (room.ReservedBytes, room.UnderWay, room.Waiting));
    }

    [Fact]
    public void What_can_wait_takes_nothing_that_needed_work_waits_for()
    {
        WorkRoom room = new MemoryBudget(100).Work;
        WorkRoom.WorkLease needed = room.TryBegin(WorkKind.Needed, 60, NotGranted)!;
        WorkRoom.WorkLease? waits = null;
        Assert.Null(room.TryBegin(WorkKind.Needed, 50, lease => waits = lease));

        // Of each kind one goes on; a second one at leisure waits, though it would fit.
        WorkRoom.WorkLease leisure = room.TryBegin(WorkKind.Leisure, 10, NotGranted)!;
        WorkRoom.WorkLease? second = null;
        Assert.Null(room.TryBegin(WorkKind.Leisure, 10, lease => second = lease));
        leisure.Dispose();
        Assert.NotNull(second);
        Assert.Null(waits);
        needed.Dispose();
        Assert.NotNull(waits);
    }

    [Fact]
    public void Who_waits_no_longer_keeps_nobody_waiting_behind_it()
    {
        WorkRoom room = new MemoryBudget(100).Work;
        WorkRoom.WorkLease first = room.TryBegin(WorkKind.Leisure, 50, NotGranted)!;
        WorkRoom.WorkLease? small = null;
        Assert.Null(room.TryBegin(WorkKind.Leisure, 90, NotGranted));
        Assert.Null(room.TryBegin(WorkKind.Leisure, 20, lease => small = lease));
        room.Forget(NotGranted);
        Assert.NotNull(small);
        first.Dispose();
        small.Dispose();
        Assert.Equal((0, 0, 0), (room.ReservedBytes, room.UnderWay, room.Waiting));
    }

    [Fact]
    public void A_lease_that_is_too_small_is_exchanged_and_keeps_its_turn()
    {
        WorkRoom room = new MemoryBudget(100).Work;
        WorkRoom.WorkLease other = room.TryBegin(WorkKind.Needed, 50, NotGranted)!;
        WorkRoom.WorkLease small = room.TryBegin(WorkKind.Needed, 10, NotGranted)!;
        WorkRoom.WorkLease fits = room.TryExchange(small, 30, NotGranted)!;
        Assert.Equal((80, 2), (room.ReservedBytes, room.UnderWay));
        WorkRoom.WorkLease? behind = null;
        Assert.Null(room.TryBegin(WorkKind.Needed, 60, lease => behind = lease));
        WorkRoom.WorkLease? larger = null;
        Assert.Null(room.TryExchange(fits, 70, lease => larger = lease));
        Assert.Equal((50, 1, 2), (room.ReservedBytes, room.UnderWay, room.Waiting));
        other.Dispose();
        Assert.NotNull(larger);
        Assert.Null(behind);
        small.Dispose();
        fits.Dispose();
        Assert.Equal((70, 1, 1), (room.ReservedBytes, room.UnderWay, room.Waiting));
    }

    [Fact]
    public void Memory_that_was_granted_is_not_taken_for_work_that_has_grown_since()
    {
        var budget = new MemoryBudget(100_000);
        StoreOwner owner = OpenAll(budget)[0];
        WorkRoom.WorkLease other = budget.Work.TryBegin(WorkKind.Needed, 90_000, NotGranted)!;
        var settings = new PartitionStoreSettings { Prefix = "q-", Partition = new(99) };
        var context = new StoreContext(_disk, settings, owner, new(0), budget, null);
        StoreWork work = context.NewWork(WorkKind.Needed, () => { });
        Assert.False(work.TryBegin(new(1000, 0, Runs: 0)));
        other.Dispose();
        long granted = budget.Work.ReservedBytes;
        Assert.True(granted > 1000);

        // It is the only one of its kind, so it goes on; what it takes is known.
        Assert.True(work.TryBegin(new(2000, 0, Runs: 0)));
        Assert.True(budget.Work.ReservedBytes > granted + 1000);
        work.End();
        Assert.Equal((0, 0, 0), (budget.Work.ReservedBytes, budget.Work.UnderWay, budget.Work.Waiting));
    }

    private static void NotGranted(WorkRoom.WorkLease lease) => Assert.Fail("nothing waits that is granted");

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

    private static (string, RowType, string)[] Rows(ulong index) =>
        [.. Enumerable.Range(0, 200).Select(i => ($"k{i}", RowType.Text, $"{index}{new string('x', 50)}"))];

    /// <summary>All write, and all are to take a checkpoint; each is let work once.</summary>
    private static void BeginAll(StoreOwner[] owners, int rowBytes = 0)
    {
        foreach (StoreOwner owner in owners)
        {
            owner.Apply(1, rowBytes == 0 ? Rows(1) : [("k", RowType.Text, new string('x', rowBytes))]);
        }

        foreach (StoreOwner owner in owners)
        {
            owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(1)));
            owner.Call(store => store.Work(1 << 20));
        }
    }
}
