using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Replicas;
using Quorate.Simulator.Engine;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Plans;

/// <summary>
/// Draws a plan from a seed, swarm style (Groce and others, "Swarm testing", ISSTA 2012): most seeds have most
/// faults switched off and a few limits made tiny, so that each meets few things often instead of all things
/// rarely.
/// </summary>
internal static class PlanDrawing
{
    public static Plan Draw(ulong seed, PlanOverrides overrides)
    {
        // The salt shifts what happens in a run, not what was planned.
        var streams = new Streams(seed, salt: 0);
        SeededRandom topology = streams.Open(StreamName.Topology);

        // Some seeds are hot: short and fast, with clients that hardly pause, so that moments of milliseconds are met.
        bool hot = topology.Next(3) == 0;
        FaultPlan drawn = DrawFaults(streams.Open(StreamName.FaultPlan), hot);
        FaultPlan faults = drawn with { Kinds = drawn.Kinds & ~overrides.Without };
        bool spare = drawn.Kinds.HasFlag(FaultKinds.Membership) && topology.Next(3) > 0;
        int nodes = overrides.Nodes ?? (
            spare ? Pick(topology, 4, 5, 6, 7) : Pick(topology, 1, 2, 3, 3, 3, 3, 4, 5, 5, 6, 7));
        int groups = overrides.Groups ?? Pick(topology, 1, 1, 1, 1, 2, 2, 3, 5);
        int clients = overrides.Clients ?? (int)topology.Between(1, 10);
        int operations = overrides.Operations ?? (
            hot ? Pick(topology, 1000, 2000, 4000) : Pick(topology, 60, 150, 300, 600, 1000));
        long safety = overrides.Milliseconds * 1000 ?? topology.Between(4_000_000, hot ? 8_000_000 : 15_000_000);
        RaftSettings raft = DrawRaft(streams.Open(StreamName.Settings));
        SeededRandom settings = streams.Open(StreamName.Settings, 1);
        var replica = new ReplicaSettings
        {
            CheckpointEntries = (ulong)Pick(settings, 3, 10, 30, 100, 1000),
            CheckpointBytes = Pick(settings, 1000, 100_000, 100_000),
        };

        // Of three seeds two run partitions of typed values, one groups of numbered registers.
        bool hasValues = overrides.Values ?? streams.Open(StreamName.Values, 2).Next(3) > 0;
        var plan = new Plan
        {
            Seed = seed,
            Salt = overrides.Salt,
            Nodes = nodes,
            Groups = [.. Enumerable.Range(0, groups).Select(g =>
                DrawGroup(streams.Open(StreamName.Placement, (ulong)g), nodes))],
            Clients = clients,
            OperationsMax = operations,
            SafetyTime = safety,
            Raft = raft,
            Replica = replica,
            Heartbeats = new NodeHeartbeatSettings
            {
                Interval = new Duration(
                    settings.Between(50_000, Math.Clamp(raft.LeasePromise.Microseconds / 3, 50_000, 100_000))),
                SilentAfter = raft.LeasePromise,
            },
            Log = DrawLog(settings),
            Network = DrawNetwork(streams.Open(StreamName.NetworkPlan), hot, faults.Kinds),
            Disk = DrawDisk(streams.Open(StreamName.DiskPlan), hot),
            Workload = DrawWorkload(streams.Open(StreamName.Workload), hot, safety * clients / operations),
            Faults = faults,
            Values = hasValues ? ValuesDrawing.DrawValues(streams.Open(StreamName.Values)) : null,
            Partition = ValuesDrawing.DrawPartition(streams.Open(StreamName.Values, 1), replica),
        };
        return ValuesDrawing.Press(plan, streams.Open(StreamName.Values, 3));
    }

    private static NodeLogSettings DrawLog(SeededRandom settings)
    {
        var log = new NodeLogSettings
        {
            SegmentBytes = Pick(settings, 8, 16, 64, 256) * 1024,
            BatchBytesMax = Pick(settings, 100, 4000, 1024 * 1024),
            OpenPieceBytes = Pick(settings, 512, 4096, 1024 * 1024),
            OpenCopyBytesMax = Pick(settings, 4096, 16 * 1024, 1024 * 1024),
            LazyWritesMax = Pick(settings, 1, 4, 256),
            SparesMax = Pick(settings, 1, 2, 4),
            SegmentsKeptMax = Pick(settings, 2, 4, 16),
            EntriesKeptMax = Pick(settings, 10, 100, 1_000_000),
        };
        return log with { AgainBytesMax = log.BatchBytesMax };
    }

    private static int Pick(SeededRandom random, params int[] choices) => choices[random.Next(choices.Length)];

    private static GroupPlan DrawGroup(SeededRandom random, int nodes)
    {
        int[] order = [.. Enumerable.Range(0, nodes)];
        for (int i = order.Length - 1; i > 0; i--)
        {
            int other = (int)random.Next(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }

        int votersMax = Math.Min(nodes, random.Next(8) == 0 ? 7 : 5);
        int voters = random.Next(3) == 0
            ? (int)random.Between(1, votersMax)
            : Math.Min(votersMax, Pick(random, 3, 3, 3, 5));
        int learners = random.Next(3) == 0 ? (int)random.Next(nodes - voters + 1) : 0;
        var kinds = new (int, LearnerKind)[learners];
        for (int i = 0; i < learners; i++)
        {
            kinds[i] = (order[voters + i], (LearnerKind)random.Next(3));
        }

        return new GroupPlan(order[..voters], kinds);
    }

    private static RaftSettings DrawRaft(SeededRandom random)
    {
        // Each limit is tiny in some seeds only; the rest keeps what a node would run with.
        bool Tiny() => random.Next(4) == 0;
        var normal = new RaftSettings();
        int heartbeatTicks = Pick(random, 4, 6, 6, 8);
        long memory = Tiny() ? Pick(random, 10_000, 30_000) : normal.MemoryBytesMax;
        return normal with
        {
            TickInterval = Duration.FromMilliseconds(Pick(random, 10, 10, 20)),
            HeartbeatTicks = heartbeatTicks,
            ElectionTicks = heartbeatTicks * Pick(random, 4, 5, 5, 8),
            ClockDriftPpm = Pick(random, 100, 10_000, 50_000, 200_000),
            AppendBytesMax = Tiny() ? Pick(random, 64, 200, 1000) : normal.AppendBytesMax,
            InflightAppendsMax = Tiny() ? Pick(random, 1, 2, 4) : normal.InflightAppendsMax,
            InflightBytesMax = Tiny() ? Pick(random, 100, 1000) : normal.InflightBytesMax,
            UncommittedBytesMax = Tiny() ? Pick(random, 300, 2000) : normal.UncommittedBytesMax,
            PendingProposalsMax = Tiny() ? Pick(random, 2, 8) : normal.PendingProposalsMax,
            PendingReadsMax = Tiny() ? Pick(random, 2, 8) : normal.PendingReadsMax,
            PersistsInFlightMax = Tiny() ? Pick(random, 2, 8) : normal.PersistsInFlightMax,
            ApplyBytesMax = Tiny() ? Pick(random, 64, 500) : normal.ApplyBytesMax,
            MemoryBytesMax = memory,
            CachedBytesMax = Tiny() ? Pick(random, 0, 500) : (int)Math.Min(normal.CachedBytesMax, memory / 2),
            SnapshotChunkBytes = Tiny() ? Pick(random, 48, 200) : normal.SnapshotChunkBytes,
            SnapshotsInFlightMax = Pick(random, 1, 2),
            LogEntriesKept = (ulong)(random.Next(2) == 0 ? Pick(random, 0, 3, 20) : 1024),
            LogEntriesKeptMax = (ulong)(random.Next(2) == 0 ? Pick(random, 20, 100) : 65_536),
            PromotionLagEntries = (ulong)Pick(random, 1, 64),
            SleepAfterTicks = Pick(random, 0, 20, 60, 60),
            ReadRetryTicks = Pick(random, 3, 10),
            ResendTicks = Pick(random, 8, 20),
            TermStartsMax = Tiny() ? Pick(random, 2, 8) : normal.TermStartsMax,
        };
    }

    private static NetworkPlan DrawNetwork(SeededRandom random, bool hot, FaultKinds faults)
    {
        long Rate(FaultKinds kind, int max)
        {
            long rate = random.Between(1000, max);
            return faults.HasFlag(kind) ? rate : 0;
        }

        return new NetworkPlan
        {
            LatencyMin = random.Between(50, hot ? 400 : 2000),
            LatencySpread = hot ? Pick(random, 100, 1000) : Pick(random, 100, 1000, 5000, 20_000),
            ClientLatency = random.Between(50, 1000),
            LinkQueueMax = random.Next(4) == 0 ? Pick(random, 5, 50) : 10_000,
            DropPpm = Rate(FaultKinds.Drop, 200_000),
            DuplicatePpm = Rate(FaultKinds.Duplicate, 200_000),
            DelayPpm = Rate(FaultKinds.Delay, 50_000),
            DelayMax = random.Between(20_000, 1_500_000),
            Reorders = faults.HasFlag(FaultKinds.Reorder),
        };
    }

    private static DiskPlan DrawDisk(SeededRandom random, bool hot) => new()
    {
        ReadTime = random.Between(20, 300),
        WriteTime = random.Between(10, 200),
        SyncTime = hot ? Pick(random, 50, 100, 400) : Pick(random, 100, 400, 2000, 10_000),
        NoticeDelayMax = Pick(random, 0, 0, 2000, 20_000),
        SpreadPercent = hot ? Pick(random, 10, 100) : Pick(random, 10, 100, 500),
    };

    /// <param name="pace">Between two operations of a client, so that all are spread over the time of the
    /// faults.</param>
    private static WorkloadPlan DrawWorkload(SeededRandom random, bool hot, long pace)
    {
        int[] Weights(int count)
        {
            int[] weights = new int[count];
            for (int i = 0; i < count; i++)
            {
                weights[i] = random.Next(2) == 0 ? (int)random.Between(1, 4) : 0;
            }

            weights[random.Next(count)]++;
            return weights;
        }

        return new WorkloadPlan
        {
            ThinkTime = hot ? Pick(random, 500, 2000, 5000) : Math.Max(1000, pace * random.Between(30, 120) / 100),
            KeysPerGroup = hot ? Pick(random, 1, 2) : Pick(random, 1, 2, 4, 8),
            WritePercent = hot ? Pick(random, 20, 50) : Pick(random, 30, 50, 70, 95),
            ReaderPercent = Pick(random, 0, 0, 30, 60),
            WandererPercent = hot ? Pick(random, 0, 50, 100) : Pick(random, 0, 0, 30, 60),
            WandererSlowness = Pick(random, 1, 10, 30),
            WriteLevels = Weights(5),
            ReadLevels = Weights(3),
            QuietTime = Pick(random, 0, 700_000, 2_000_000),
            BatchPercent = Pick(random, 0, 10, 40),
            Deadline = random.Between(200_000, 3_000_000),
            AttemptsMax = Pick(random, 1, 4, 10),
            PaddingBytes = Pick(random, 0, 0, 100, 2000),
            ApplyDelayMax = Pick(random, 0, 0, 2000, 50_000),
            ReadDelayMax = Pick(random, 0, 0, 5000, 300_000),
        };
    }

    private static FaultPlan DrawFaults(SeededRandom random, bool hot)
    {
        long style = random.Next(10);
        long chance = style switch
        {
            0 => 0,
            1 => 100,
            _ => random.Between(8, 45),
        };
        FaultKinds kinds = FaultKinds.None;
        var intervals = new SortedDictionary<FaultKinds, long>();
        long slowest = hot ? random.Between(200_000, 2_000_000) : random.Between(500_000, 6_000_000);
        foreach (FaultKinds kind in FaultNames.All.Except(FaultNames.Later))
        {
            kinds |= random.Next(100) < chance ? kind : FaultKinds.None;
            intervals[kind] = random.Between(slowest / 5, slowest);
        }

        var plan = new FaultPlan
        {
            Kinds = kinds,
            MeanInterval = intervals,
            DurationMax = random.Between(50_000, hot ? 1_500_000 : 3_000_000),
            LeaderPercent = Pick(random, 0, 40, 80),
        };
        foreach (FaultKinds kind in FaultNames.Later)
        {
            kinds |= random.Next(100) < chance ? kind : FaultKinds.None;
            intervals[kind] = random.Between(slowest / 5, slowest);
        }

        return plan with { Kinds = kinds };
    }
}
