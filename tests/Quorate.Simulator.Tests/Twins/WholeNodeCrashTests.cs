using Quorate.Simulator.Twins;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.Tests.Twins;

/// <summary>
/// Whole nodes, whose disks are cut off after every operation of a run and in many ways, and which are then started
/// again: log, tables and what is applied come to all that was promised and to nothing that was never written (pitfalls
/// R13, R14, R16, R28, S1, S3, S9).
/// </summary>
public sealed class WholeNodeCrashTests
{
    private const int Operations = 150;
    private const ulong Fates = 3;

    /// <summary>At every moment near the end of a run, and at one of so many before.</summary>
    private const int Stride = 7;

    private const int EveryMoment = 250;

    [Theory]
    [InlineData(5, false)]
    [InlineData(2, true)]
    public void A_node_starts_again_from_wherever_it_was_cut_off(ulong seed, bool isEncrypted)
    {
        RecordedRun run = RecordedRun.Small(seed, isEncrypted, Operations);
        Assert.True(run.SnapshotsTaken > 0, "no snapshot was sent");
        Assert.Equal(isEncrypted, run.Rotations >= 3);
        var kinds = new SortedSet<DiskOperationKind>();
        int resets = 0;
        foreach (CrashedNode node in run.Crashed)
        {
            int every = Math.Max(0, node.Moments - EveryMoment);
            Assert.Empty(node.Crash(moment => moment > every || moment % Stride == 0, Fates).Take(5));
            kinds.UnionWith(node.Figures.Kinds);
            resets += node.Figures.Resets;
            Assert.InRange(node.Figures.Starts, 300, 100_000);
            Assert.InRange(node.Figures.Replayed, 100, 100_000);
            Assert.InRange(node.Figures.Released, 100, 100_000);
            Assert.InRange(node.Figures.Checkpoints, 5, 100_000);
        }

        Assert.Equal(Enum.GetValues<DiskOperationKind>(), kinds);
        Assert.True(resets > 0, "no node was cut off between a snapshot's tables and its log");
    }
}
