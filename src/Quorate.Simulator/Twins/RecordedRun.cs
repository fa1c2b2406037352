using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Tracing;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Twins;

/// <summary>
/// A run of whole nodes whose disks are recorded, so that all that they did to them (logs, rows, checkpoints, merges,
/// snapshots sent and received, encrypted or not) can be done to other disks, and nodes be started on those.
/// <para>Networks, clocks and operators make trouble as in any run; disks and processes do not, for what a failed or
/// cut off operation leaves behind is each disk's own.</para>
/// </summary>
public sealed class RecordedRun
{
    private const FaultKinds Withheld = FaultKinds.Death | FaultKinds.PowerLoss | FaultKinds.FailedSync
        | FaultKinds.BitFlip | FaultKinds.FullDisk | FaultKinds.Wipe | FaultKinds.FailedRead | FaultKinds.FailedWrite
        | FaultKinds.FailedFolderSync | FaultKinds.FailedNames | FaultKinds.LostFile;

    private RecordedRun(
        IReadOnlyList<RecordedNode> nodes,
        IReadOnlyList<CrashedNode> crashed,
        long snapshotsTaken,
        long rotations,
        bool isEncrypted)
    {
        Nodes = nodes;
        Crashed = crashed;
        Rotations = rotations;
        SnapshotsTaken = snapshotsTaken;
        IsEncrypted = isEncrypted;
    }

    /// <summary>Those that were up when the run ended.</summary>
    public IReadOnlyList<RecordedNode> Nodes { get; }

    /// <summary>The same, to be cut off at any moment.</summary>
    public IReadOnlyList<CrashedNode> Crashed { get; }

    /// <summary>Data keys that nodes have exchanged.</summary>
    public long Rotations { get; }

    /// <summary>Snapshots that were sent to replicas and took the place of their rows.</summary>
    public long SnapshotsTaken { get; }

    public bool IsEncrypted { get; }

    /// <summary>Runs a seed of typed values over partition stores; an exception when it breaks a claim.</summary>
    public static RecordedRun Of(ulong seed)
    {
        Plan plan = PlanDrawing.Draw(seed, new PlanOverrides { Values = true, Without = Withheld, Operations = 300 });
        return Of(plan with { Values = plan.Values! with { HasTwin = false } });
    }

    /// <summary>
    /// Three nodes with two partitions whose logs and tables are so small that segments are recycled, checkpoints taken
    /// and tables merged all the time; links are cut, so that snapshots are sent. Encrypted, each node exchanges its
    /// data key twice.
    /// </summary>
    public static RecordedRun Small(ulong seed, bool isEncrypted, int operations)
    {
        var overrides = new PlanOverrides
        {
            Values = true,
            Without = Withheld,
            Nodes = 3,
            Groups = 2,
            Clients = 4,
            Operations = operations,
            Milliseconds = 8000,
        };
        Plan plan = PlanDrawing.Draw(seed, overrides);
        return Of(plan with
        {
            Groups = [new([0, 1, 2], []), new([0, 1, 2], [])],
            Raft = plan.Raft with { LogEntriesKept = 0, LogEntriesKeptMax = 4 },
            Log = plan.Log with { SegmentBytes = 16 * 1024, BatchBytesMax = 4000 },
            Partition = plan.Partition with
            {
                Replica = plan.Partition.Replica with { CheckpointEntries = 8 },
                Cache = null,
            },
            Faults = plan.Faults with { Kinds = plan.Faults.Kinds | FaultKinds.Partition },
            Values = plan.Values! with
            {
                HasTwin = false,
                IsEncrypted = isEncrypted,
                KeyRotations = isEncrypted ? 2U : 0,
                PaddingBytes = 100,
                MemoryBytes = 1 << 30,
                Store = plan.Values.Store with { TierTablesMin = 2, TablesMax = 4 },
            },
        });
    }

    private static RecordedRun Of(Plan plan)
    {
        var world = new Simulation(plan, new Trace(null), recordsDisks: true);
        try
        {
            world.Run();
            SimulatedNode[] up = [.. world.Nodes.Where(node => node.State == NodeState.Up)];
            return new(
                [.. up.Select(node => new RecordedNode(world, node))],
                [.. up.Select(node => new CrashedNode(world, node))],
                world.Judgements.Counts.GetValueOrDefault(Judgements.SnapshotsTaken),
                world.Judgements.Counts.GetValueOrDefault(Judgements.Rotations),
                plan.Values!.IsEncrypted);
        }
        finally
        {
            world.End();
        }
    }
}
