using Quorate.Core.Model;
using Quorate.Storage.Memtables;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>What a <see cref="PartitionStore"/> is for, and its limits, each with its unit.</summary>
public sealed record PartitionStoreSettings
{
    /// <summary>
    /// The names of the store's files begin with it. No store's prefix is the beginning of another's.
    /// </summary>
    public required string Prefix { get; init; }

    /// <summary>The partition, which its files name.</summary>
    public required GroupId Partition { get; init; }

    /// <summary>The slots whose rows it holds.</summary>
    public SlotRange Slots { get; init; } = SlotRange.All;

    /// <summary>The limits of the rows in memory.</summary>
    public MemtableSettings Memory { get; init; } = new();

    /// <summary>How tables are written.</summary>
    public SSTableSettings Tables { get; init; } = new();

    /// <summary>
    /// The making of a table takes at most this part of the node's memory, or <see
    /// cref="SSTableSettings.BuildBytesMin"/> or <see cref="SSTableSettings.BuildBytesMax"/>; what is more goes to
    /// another table of the same run.
    /// </summary>
    public int BuildMemoryDivisor { get; init; } = 64;

    /// <summary>Runs of tables of about one size that are worth merging.</summary>
    public int TierTablesMin { get; init; } = 4;

    /// <summary>A run joins a merge of newer ones up to this share of their sizes together, in percent.</summary>
    public int TierGrowthPercent { get; init; } = 150;

    /// <summary>More runs than this are merged whatever their sizes.</summary>
    public int TablesMax { get; init; } = 16;

    /// <summary>
    /// With more runs than these beyond <see cref="TablesMax"/> no checkpoint begins before some are merged.
    /// </summary>
    public int TablesOverMax { get; init; } = 8;

    /// <summary>
    /// Blocks of a table that a cold scan has read together at first. A scan begins anew when it was cold, so each time
    /// it has as many more read as it has passed, that it may have to begin anew seldom.
    /// </summary>
    public int ReadAheadBlocks { get; init; } = 8;

    /// <summary>Blocks of a table that a cold scan has read together, in bytes, beyond the first few.</summary>
    public int ReadAheadBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>What a compaction or a check reads of one table at one time, in bytes; at least a block.</summary>
    public int PassReadBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// Memory for blocks that fetches hold, in bytes. Beyond it fetches wait, except one at a time, so that those who
    /// hold some can go on.
    /// </summary>
    public long HeldBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Fetches that wait or are under way. The owner has fewer in flight, so more is a defect.</summary>
    public int FetchesMax { get; init; } = 65536;

    /// <summary>Checkpoints whose files are kept for unfinished transfers, beside the newest.</summary>
    public int SnapshotsKeptMax { get; init; } = 2;

    /// <summary>A transfer of which nothing was read for more checkpoints than this is given up.</summary>
    public int TransferIdleCheckpointsMax { get; init; } = 64;

    /// <summary>A piece of a snapshot, in bytes; one that is asked for may be smaller.</summary>
    public int SnapshotPieceBytesMax { get; init; } = 1024 * 1024;

    /// <summary>A manifest, in bytes.</summary>
    public int ManifestBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>The tables of a received snapshot together, in bytes.</summary>
    public long SnapshotBytesMax { get; init; } = 1L << 40;

    /// <summary>The tables of a received snapshot.</summary>
    public int SnapshotTablesMax { get; init; } = 1024;

    /// <summary>Memory is swept for expired rows whenever the owner has let the store work so often.</summary>
    public int WorksPerSweep { get; init; } = 16;

    /// <summary>
    /// How often the owner lets the store work before a compaction is tried again that found the disk full.
    /// </summary>
    public int WorksBeforeRetry { get; init; } = 32;

    /// <summary>Jobs handed over and not yet done. Their owner has fewer in flight, so more is a defect.</summary>
    public int JobsWaitingMax { get; init; } = 4096;
}
