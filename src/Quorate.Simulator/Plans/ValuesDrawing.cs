using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Node.Replicas;
using Quorate.Simulator.Workload;
using Quorate.Storage.Blocks;
using Quorate.Storage.SSTable;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.Plans;

/// <summary>Draws what concerns partitions of typed values: workload, limits of partitions and stores.</summary>
internal static class ValuesDrawing
{
    private const int PressedOperationsMin = 800;

    public static ValuesPlan DrawValues(SeededRandom random)
    {
        int[] weights = new int[Enum.GetValues<KeyUse>().Length];
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = random.Next(2) == 0 ? (int)random.Between(1, 4) : 0;
        }

        weights[random.Next(weights.Length)] += 2;
        var plan = new ValuesPlan
        {
            Tags = (int)random.Between(1, ValueKeys.TagsMax),
            Weights = weights,
            Elements = Pick(random, 3, 6, 20),
            PaddingBytes = Pick(random, 0, 0, 100, 2000),
            ExpiryPercent = Pick(random, 0, 10, 40),
            ExpiryMillisecondsMax = Pick(random, 20, 500, 3000),
            BatchPercent = Pick(random, 0, 20, 60),
            ClearPermille = Pick(random, 0, 0, 10, 50),
            ScanPercent = Pick(random, 0, 20, 60),
            SessionPercent = Pick(random, 0, 50, 100),
            LateRepeatPercent = Pick(random, 0, 5, 30),
            RowsAreCold = random.Next(3) == 0,
            HasTwin = random.Next(4) == 0,
            IsEncrypted = random.Next(3) == 0,
            MemoryBytes = Pick(random, 1 << 30, 1 << 30, 100_000, 30_000, 20_000),
            CacheBytes = Pick(random, 0, 2000, 1 << 20),
            Store = WithSmallTables(DrawStore(random)),
            WallSkewMax = Pick(random, 0, 100, 5000, 1_000_000),
            ClockStrayMax = Pick(random, 2000, 10_000, 10_000_000, 10_000_000),
            WorkPartitionsMax = Pick(random, 1, 2, 16),
        };

        // What was added later is drawn last, so that seeds keep the rest of what they mean.
        bool isTight = random.Next(3) == 0;
        plan = plan with
        {
            FastReadPercent = Pick(random, 0, 50, 100),
            FastReadDelayMax = Pick(random, 0, 500, 20_000, 1_000_000),
            Store = plan.Store with
            {
                TablesMax = isTight ? 2 : plan.Store.TablesMax,
                TablesOverMax = isTight ? (int)random.Next(2) : plan.Store.TablesOverMax,
            },
        };
        plan = random.Next(3) == 0
            ? plan with { FewClocksStray = true, WallSkewMax = 1_000_000, ClockStrayMax = Pick(random, 2000, 10_000) }
            : plan;
        return plan with { KeyRotations = plan.IsEncrypted ? (uint)Pick(random, 0, 1, 3) : 0 };
    }

    /// <summary>
    /// Some seeds are aimed at what is rare in others: the memory is overfull, merges are behind, and requests wait
    /// long for rows. Memory is small, background work slow, checkpoints many, and each read of a table takes its time.
    /// </summary>
    public static Plan Press(Plan plan, SeededRandom random) => plan.Values is not { } values || random.Next(3) > 0
        ? plan
        : plan with
        {
            Groups = [.. plan.Groups.Take(2)],
            OperationsMax = Math.Max(plan.OperationsMax, PressedOperationsMin),
            Workload = plan.Workload with
            {
                ThinkTime = Pick(random, 500, 2000, 5000),
                WritePercent = Math.Max(plan.Workload.WritePercent, 50),
                ReaderPercent = 0,
                QuietTime = 0,
            },
            Disk = plan.Disk with { TableReadTime = Pick(random, 5000, 20_000, 50_000) },
            Partition = plan.Partition with
            {
                Replica = plan.Partition.Replica with { CheckpointEntries = (ulong)Pick(random, 3, 6) },
            },
            Values = values with
            {
                HasTwin = false,
                Tags = ValueKeys.TagsMax,
                Weights = [.. values.Weights.Select((weight, use) => (KeyUse)use == KeyUse.Hash ? weight + 4 : weight)],
                Elements = 20,
                ExpiryPercent = 0,
                ClearPermille = 0,
                PaddingBytes = 2000,
                MemoryBytes = Pick(random, 15_000, 25_000),
                WorkBytesMax = Pick(random, 16, 64),
                WorkPauseMax = Pick(random, 5000, 20_000, 100_000),
                Store = values.Store with
                {
                    TierTablesMin = 2,
                    TablesMax = 2,
                    TablesOverMax = (int)random.Next(2),
                    PassReadBytes = 1000,
                },
            },
        };

    /// <summary>
    /// Not drawn, so that the seeds stay what they are: where filters are thin, checkpoints and merges are cut into
    /// tables of a few dozen rows.
    /// </summary>
    private static PartitionStoreSettings WithSmallTables(PartitionStoreSettings store) =>
        store.Tables.FilterBitsPerKey > 1
            ? store
            : store with { Tables = store.Tables with { BuildBytesMax = 500 } };

    /// <summary>Blocks and tiers are small, so that short runs have many tables of many blocks.</summary>
    private static PartitionStoreSettings DrawStore(SeededRandom random) => new()
    {
        Prefix = "",
        Partition = new GroupId(1),
        Tables = new SSTableSettings
        {
            BlockBytes = Pick(random, 64, 500, 8192),
            RestartInterval = Pick(random, 1, 3, 16),
            Compression = (BlockCompression)random.Next(2),
            FilterBitsPerKey = Pick(random, 1, 10),
            WritePieceBytes = Pick(random, 100, 4096, 256 * 1024),
            ReadPieceBytes = Pick(random, 64, 1024, 1024 * 1024),
        },
        TierTablesMin = Pick(random, 2, 3, 4),
        TierGrowthPercent = Pick(random, 50, 150),
        TablesMax = Pick(random, 2, 4, 16),
        ReadAheadBlocks = Pick(random, 1, 8),
        PassReadBytes = Pick(random, 8192, 256 * 1024),
        HeldBytesMax = Pick(random, 1, 2000, 64 * 1024 * 1024),
        SnapshotsKeptMax = Pick(random, 1, 2),
        TransferIdleCheckpointsMax = Pick(random, 1, 64),
        SnapshotPieceBytesMax = Pick(random, 50, 1000, 1024 * 1024),
        WorksBeforeRetry = Pick(random, 1, 32),
    };

    /// <summary>Each limit is tiny in some seeds only.</summary>
    public static PartitionSettings DrawPartition(SeededRandom random, ReplicaSettings replica)
    {
        bool Tiny() => random.Next(4) == 0;
        var normal = new PartitionSettings();
        return normal with
        {
            RequestsOpenMax = Tiny() ? Pick(random, 4, 16) : normal.RequestsOpenMax,
            ColdRequestsMax = Tiny() ? Pick(random, 1, 4) : normal.ColdRequestsMax,
            ProposalRequestsMax = Tiny() ? Pick(random, 1, 3) : normal.ProposalRequestsMax,
            ProposalBytesMax = Tiny() ? Pick(random, 1, 300) : normal.ProposalBytesMax,
            SessionsMax = Tiny() ? Pick(random, 2, 5) : normal.SessionsMax,
            SessionBytesMax = Tiny() ? Pick(random, 500, 2000) : normal.SessionBytesMax,
            RememberedReplyBytesMax = Tiny() ? Pick(random, 5, 200) : normal.RememberedReplyBytesMax,
            SessionsEvictedAtOnceMax = Tiny() ? 1 : normal.SessionsEvictedAtOnceMax,
            SessionsComparedMax = Tiny() ? Pick(random, 1, 3) : normal.SessionsComparedMax,
            RepliesPerSessionMax = Tiny() ? Pick(random, 1, 4) : normal.RepliesPerSessionMax,
            ExpiriesTrackedMax = Tiny() ? Pick(random, 1, 4) : normal.ExpiriesTrackedMax,
            Cache = Tiny() ? DrawCache(random) : null,
            TurnRowsMax = Tiny() ? Pick(random, 1, 10) : normal.TurnRowsMax,
            Limits = normal.Limits with
            {
                RowsPieceMax = Tiny() ? Pick(random, 1, 5) : normal.Limits.RowsPieceMax,
            },
            ExpiryInterval = Duration.FromMilliseconds(Pick(random, 20, 200, 1000)),
            Replica = replica with
            {
                CheckpointDirtyBytes = Tiny() ? Pick(random, 300, 3000) : replica.CheckpointDirtyBytes,
            },
        };
    }

    private static CacheSettings DrawCache(SeededRandom random) => new()
    {
        BytesMax = Pick(random, 1, 200, 1000, 5000),
        Policy = (EvictionPolicy)random.Next(Enum.GetValues<EvictionPolicy>().Length),
        Samples = Pick(random, 1, 5),
        SamplesMax = Pick(random, 5, 1024),
        CandidatesMax = Pick(random, 1, 16),
        KeysPerEntryMax = Pick(random, 1, 3, 1024),
        RowsPerEntryMax = Pick(random, 1, 4, 4096),
        UsesMax = Pick(random, 1, 1024),
    };

    private static int Pick(SeededRandom random, params int[] choices) => choices[random.Next(choices.Length)];
}
