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
        | FaultKinds.FailedFolderSync;

    private RecordedRun(IReadOnlyList<RecordedNode> nodes, long snapshotsTaken, bool isEncrypted)
    {
        Nodes = nodes;
        SnapshotsTaken = snapshotsTaken;
        IsEncrypted = isEncrypted;
    }

    /// <summary>Those that were up when the run ended.</summary>
    public IReadOnlyList<RecordedNode> Nodes { get; }

    /// <summary>Snapshots that were sent to replicas and took the place of their rows.</summary>
    public long SnapshotsTaken { get; }

    public bool IsEncrypted { get; }

    /// <summary>Runs a seed of typed values over partition stores; an exception when it breaks a claim.</summary>
    public static RecordedRun Of(ulong seed)
    {
        Plan plan = PlanDrawing.Draw(seed, new PlanOverrides { Values = true, Without = Withheld, Operations = 300 });
        plan = plan with { Values = plan.Values! with { HasTwin = false } };
        var world = new Simulation(plan, new Trace(null), recordsDisks: true);
        try
        {
            world.Run();
            return new(
                [
                    .. world.Nodes
                        .Where(node => node.State == NodeState.Up)
                        .Select(node => new RecordedNode(world, node)),
                ],
                world.Judgements.Counts.GetValueOrDefault(Judgements.SnapshotsTaken),
                plan.Values.IsEncrypted);
        }
        finally
        {
            world.End();
        }
    }
}
