using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>The contract on the partition store.</summary>
public sealed class PartitionStoreTests : StoreContractTests
{
    protected override IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client) =>
        MakeSmall(disk, prefix, client);

    /// <summary>A store of small limits, so that little data meets all of them.</summary>
    internal static PartitionStore MakeSmall(
        IDisk disk, string prefix, IPartitionStoreClient client, StoreEncryption? encryption = null,
        BlockCache? cache = null, MemoryBudget? budget = null)
    {
        var settings = new PartitionStoreSettings
        {
            Prefix = prefix,
            Partition = new(7),
            Tables = new() { BlockBytes = 400, WritePieceBytes = 1500, RestartInterval = 4 },
            PassReadBytes = 1000,
            ReadAheadBlocksMax = 3,
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
}
