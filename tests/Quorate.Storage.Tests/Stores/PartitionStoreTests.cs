using Quorate.Core.Raft;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>The contract on the partition store.</summary>
public sealed class PartitionStoreTests : StoreContractTests
{
    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        MakeSmall(disk, prefix, client);

    [Fact]
    public void No_compaction_makes_a_table_that_can_not_be_opened()
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = Prefix,
            Partition = new(7),
            Tables = new() { BlockBytes = 400, MetaBytesMax = 3000 },
        };
        var owner = new StoreOwner();
        var store = new PartitionStore(Disk, settings, owner, new(20_000), new MemoryBudget(1 << 24));
        owner.Store = store;
        owner.Call(each => each.Open());
        RunAll(owner);
        for (ulong i = 1; i < 40; i++)
        {
            owner.Apply(i, [.. Enumerable.Range(0, 100).Select(k => ($"{i}-{k}", RowType.Text, new string('x', 30)))]);
            Checkpoint(owner, i);
            for (int work = 0; work < 50; work++)
            {
                RunAll(owner);
            }

            Assert.Null(owner.Failure);
        }

        // Each holds about forty rows; so their number is that of all rows, once merged, and no more.
        Assert.InRange(store.TableBytes.Count, 17, 200);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cold_scan_of_many_blocks_begins_anew_a_few_times(bool isDescending)
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = Prefix,
            Partition = new(7),
            Tables = new() { BlockBytes = 400 },
            ReadAheadBlocks = 2,
        };
        var owner = new StoreOwner();
        var cache = new BlockCache(1 << 24);
        var store = new PartitionStore(Disk, settings, owner, cache, new MemoryBudget(1 << 24));
        owner.Store = store;
        owner.Call(each => each.Open());
        RunAll(owner);
        owner.Apply(1, [.. Enumerable.Range(0, 2000).Select(i => ($"{{a}}{i}", RowType.Text, new string('x', 100)))]);
        Checkpoint(owner, 1);
        while (store.Memory.Count > 0)
        {
            store.Memory.EvictClean(int.MaxValue);
        }

        StoreLook look = Look(owner);
        Assert.Equal(2000, look.Scan([], [0xFF, 0xFF], isDescending).Count);
        Assert.True(store.BlocksFetched > 256, $"{store.BlocksFetched} blocks are too few to show anything");
        Assert.InRange(look.Fetches, 5, 14);
        long before = store.BlocksFetched;
        Assert.Single(look.Scan(StoreOwner.KeyOf("{a}1"), [0xFF, 0xFF], isDescending, rowsMax: 1));
        Assert.InRange(store.BlocksFetched - before, 0, 2);
    }

    [Fact]
    public void A_manifest_of_other_slots_is_refused_on_opening_and_on_receiving()
    {
        var settings = new PartitionStoreSettings { Prefix = Prefix, Partition = new(7) };
        var half = settings with { Slots = new(new(0), new(8191)) };
        StoreOwner owner = Open();
        owner.Apply(1, ("a", RowType.Text, "1"));
        Checkpoint(owner, 1);
        List<InstallSnapshot> pieces = owner.TakeSnapshot(() => RunAll(owner));
        owner.Call(store => store.Close());
        var other = new StoreOwner();
        other.Store = new PartitionStore(Disk, half, other, new(20_000), new MemoryBudget(1 << 20));
        other.Call(store => store.Open());
        RunAll(other);
        Assert.Contains("is of slots", other.Failure, StringComparison.Ordinal);
        var receiver = new StoreOwner();
        var disk = new MemoryDisk();
        receiver.Store = new PartitionStore(disk, half, receiver, new(20_000), new MemoryBudget(1 << 20));
        receiver.Call(store => store.Open());
        Run(receiver, disk);
        foreach (InstallSnapshot piece in pieces)
        {
            receiver.Call(store => store.Receive(piece));
        }

        Run(receiver, disk);
        Assert.Empty(receiver.Received);
        Assert.Contains(1UL, receiver.Refused);
    }

    [Fact]
    public void Tables_whose_manifest_is_lost_stay_until_there_is_another()
    {
        StoreOwner owner = Open();
        owner.Apply(1, ("k", RowType.Text, "v"));
        Checkpoint(owner, 1);
        owner.Call(store => store.Close());
        string manifest = Disk.Names.Single(name => name.Contains("manifest", StringComparison.Ordinal));
        string table = Disk.Names.Single(name => name.EndsWith(".sst", StringComparison.Ordinal));
        Disk.Put(manifest, null);

        // Whether the store may be empty the log knows, not the store: nothing is thrown away before it has spoken.
        owner = Open();
        Assert.Contains(table, Disk.Names);

        owner.Apply(1, ("k", RowType.Text, "w"));
        Checkpoint(owner, 1);
        Assert.DoesNotContain(table, Disk.Names);
    }

    /// <summary>A store of small limits, so that little data meets all of them.</summary>
    internal static PartitionStore MakeSmall(
        IDisk disk, string prefix, IPartitionStoreClient client, StoreEncryption? encryption = null,
        BlockCache? cache = null, MemoryBudget? budget = null, int buildBytesMax = 20_000)
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = prefix,
            Partition = new(7),
            Tables = new()
            {
                BlockBytes = 400, WritePieceBytes = 1500, RestartInterval = 4, BuildBytesMax = buildBytesMax,
            },
            PassReadBytes = 1000,
            ReadAheadBlocks = 3,
            SnapshotPieceBytesMax = 2000,
            WorksPerSweep = 2,
        };
        return new(disk, settings, client, cache ?? new(20_000), budget ?? new(1 << 20), encryption);
    }
}

/// <summary>The contract of snapshots on the partition store.</summary>
public sealed class PartitionStoreSnapshotTests : SnapshotContractTests
{
    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        PartitionStoreTests.MakeSmall(disk, prefix, client);

    [Theory]
    [InlineData(DiskOperationKind.Sync, 1)]
    [InlineData(DiskOperationKind.Rename, 1)]
    [InlineData(DiskOperationKind.Rename, 2)]
    [InlineData(DiskOperationKind.SyncFolder, 1)]
    public void A_snapshot_is_refused_when_its_installation_finds_the_disk_full(DiskOperationKind kind, int number)
    {
        List<InstallSnapshot> pieces = SnapshotOf(20);
        StoreOwner owner = Open();
        int count = 0;
        Disk.Fate = operation => operation.Kind == kind && ++count == number ? DiskStatus.Full : DiskStatus.Done;
        Receive(owner, pieces);
        Assert.Null(owner.Failure);
        Assert.Equal([20UL], owner.Refused);
        Assert.DoesNotContain(Disk.Names, name => name.EndsWith(".sst", StringComparison.Ordinal));
        Receive(owner, pieces);
        Assert.Equal([20UL], owner.Received);
    }
}
