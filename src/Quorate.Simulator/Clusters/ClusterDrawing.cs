using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Simulator.Engine;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Clusters;

/// <summary>Draws the plan of a cluster's run from a seed: most seeds have most faults switched off.</summary>
internal static class ClusterDrawing
{
    /// <summary>The faults that runs of clusters know.</summary>
    private const FaultKinds Known = FaultKinds.Drop | FaultKinds.Delay | FaultKinds.Partition | FaultKinds.OneWay
        | FaultKinds.Flap | FaultKinds.Pause | FaultKinds.Death | FaultKinds.PowerLoss | FaultKinds.FailedSync
        | FaultKinds.Clock | FaultKinds.Wipe | FaultKinds.SlowDisk | FaultKinds.FailedRead | FaultKinds.FailedWrite
        | FaultKinds.FailedFolderSync | FaultKinds.FailedNames | FaultKinds.LostFile;

    public static ClusterPlan Draw(ulong seed, PlanOverrides overrides)
    {
        // The salt shifts what happens in a run, not what was planned.
        var streams = new Streams(seed, salt: 0);
        SeededRandom topology = streams.Open(StreamName.Topology);
        int machines = overrides.Nodes ?? Pick(topology, 1, 2, 3, 3, 3, 3, 4, 5, 5);
        int expect = Math.Min(machines, Pick(topology, 1, 2, 3, 3, 3, 5));
        int seeds = expect + (int)topology.Next(machines - expect + 1);
        bool isWild = machines > 1 && seeds > 1 && topology.Next(6) == 0;
        int clients = overrides.Clients ?? (int)topology.Between(1, 8);
        int operations = overrides.Operations ?? Pick(topology, 100, 300, 600, 1200);
        long safety = overrides.Milliseconds * 1000 ?? topology.Between(4_000_000, 12_000_000);
        FaultPlan faults = DrawFaults(streams.Open(StreamName.FaultPlan));
        FaultKinds kinds = faults.Kinds | (isWild ? FaultKinds.Wipe | FaultKinds.Death : FaultKinds.None);
        faults = faults with { Kinds = kinds & Known & ~overrides.Without };
        var plan = new ClusterPlan
        {
            Seed = seed,
            Salt = overrides.Salt,
            Machines = machines,
            Expect = expect,
            Seeds = seeds,
            Clients = clients,
            OperationsMax = operations,
            SafetyTime = safety,
            Settings = DrawSettings(streams.Open(StreamName.Settings)),
            Network = DrawNetwork(streams.Open(StreamName.NetworkPlan), faults.Kinds),
            Disk = DrawDisk(streams.Open(StreamName.DiskPlan)),
            Faults = faults,
            Work = DrawWork(streams.Open(StreamName.Workload), safety * clients / operations),
            IsWild = isWild && faults.Kinds.HasFlag(FaultKinds.Wipe),
        };
        return plan.IsWild ? plan : Aim(plan, streams.Open(StreamName.Workload, 1), overrides.Without);
    }

    /// <summary>
    /// Some seeds are aimed at what is rare in others: data keys are exchanged all the time while nodes restart, or a
    /// file is lost.
    /// </summary>
    private static ClusterPlan Aim(ClusterPlan plan, SeededRandom random, FaultKinds without)
    {
        FaultKinds added = FaultKinds.None;
        ClusterWork work = plan.Work;
        if (random.Next(4) == 0)
        {
            added |= FaultKinds.Death | FaultKinds.PowerLoss;
            work = work with { Encrypts = true, AdminTime = Pick(random, 50_000, 150_000) };
        }

        if (random.Next(4) == 0)
        {
            added |= FaultKinds.LostFile;
        }

        // None of the founders.
        int replicas = random.Next(2) == 0 ? 0 : Math.Min(2, plan.Machines - plan.Expect);
        return plan with
        {
            ReadReplicas = replicas,
            Seeds = Math.Min(plan.Seeds, plan.Machines - replicas),
            Work = work,
            Faults = plan.Faults with { Kinds = plan.Faults.Kinds | (added & ~without) },
        };
    }

    private static int Pick(SeededRandom random, params int[] choices) => choices[random.Next(choices.Length)];

    private static ClusterSettings DrawSettings(SeededRandom random)
    {
        ClusterSettings normal = new();
        ClusterSettings drawn = normal with
        {
            Node = new() { Log = new() { SegmentBytes = Pick(random, 16, 64, 256) * 1024 } },
            DefaultPartitions = Pick(random, 1, 2, 4, 8),
            MetadataReplica = new() { CheckpointEntries = (ulong)Pick(random, 3, 10, 1000) },
            BlockCacheBytes = 1024 * 1024,
            Routing = normal.Routing with
            {
                ForwardedMax = random.Next(4) == 0 ? Pick(random, 1, 3) : normal.Routing.ForwardedMax,
                WaitingMax = random.Next(4) == 0 ? Pick(random, 1, 3) : normal.Routing.WaitingMax,
            },
        };

        // What was added later is drawn last.
        return drawn with
        {
            Partition = new() { Replica = new() { CheckpointEntries = (ulong)Pick(random, 2, 5, 1000) } },
        };
    }

    private static NetworkPlan DrawNetwork(SeededRandom random, FaultKinds faults)
    {
        long Rate(FaultKinds kind, int max)
        {
            long rate = random.Between(1000, max);
            return faults.HasFlag(kind) ? rate : 0;
        }

        return new NetworkPlan
        {
            LatencyMin = random.Between(50, 2000),
            LatencySpread = Pick(random, 100, 1000, 5000, 20_000),
            ClientLatency = random.Between(50, 1000),
            DropPpm = Rate(FaultKinds.Drop, 20_000),
            DelayPpm = Rate(FaultKinds.Delay, 50_000),
            DelayMax = random.Between(20_000, 800_000),
        };
    }

    private static DiskPlan DrawDisk(SeededRandom random) => new()
    {
        ReadTime = random.Between(20, 300),
        WriteTime = random.Between(10, 200),
        SyncTime = Pick(random, 100, 400, 2000, 10_000),
        SpreadPercent = Pick(random, 10, 100, 500),
    };

    private static FaultPlan DrawFaults(SeededRandom random)
    {
        long chance = random.Next(8) switch
        {
            0 => 0,
            1 => 100,
            _ => random.Between(10, 50),
        };
        FaultKinds kinds = FaultKinds.None;
        var intervals = new SortedDictionary<FaultKinds, long>();
        long slowest = random.Between(800_000, 6_000_000);
        foreach (FaultKinds kind in FaultNames.All.Except(FaultNames.Later))
        {
            kinds |= random.Next(100) < chance ? kind : FaultKinds.None;
            intervals[kind] = random.Between(slowest / 5, slowest);
        }

        var plan = new FaultPlan
        {
            Kinds = kinds,
            MeanInterval = intervals,
            DurationMax = random.Between(50_000, 4_000_000),
            LeaderPercent = Pick(random, 0, 40, 80),
        };
        foreach (FaultKinds kind in FaultNames.Later)
        {
            kinds |= random.Next(100) < chance ? kind : FaultKinds.None;
            intervals[kind] = random.Between(slowest / 5, slowest);
        }

        return plan with { Kinds = kinds };
    }

    /// <param name="pace">Between two operations of a client, so that all are spread over the run.</param>
    private static ClusterWork DrawWork(SeededRandom random, long pace) => new()
    {
        ThinkTime = Math.Max(500, pace * random.Between(20, 100) / 100),
        Keys = Pick(random, 1, 2, 4),
        SessionPercent = Pick(random, 0, 50, 100),
        Deadline = random.Between(200_000, 3_000_000),
        AttemptsMax = Pick(random, 1, 3, 6),
        LossPpm = Pick(random, 0, 0, 10_000, 50_000),
        AdminTime = Pick(random, 0, 200_000, 500_000, 2_000_000),
        Encrypts = random.Next(2) == 0,
        TurnDelayMax = Pick(random, 0, 0, 2000, 20_000),
    };
}
