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

    /// <summary>At every moment near the beginning and the end of a run, and at one of so many between.</summary>
    private const int Stride = 11;

    private const int EveryFirstMoment = 40;
    private const int EveryMoment = 100;

    private readonly SortedSet<DiskOperationKind> _kinds = [];
    private long _snapshots;
    private long _rotations;
    private int _resets;

    [Fact]
    public void Nodes_start_again_from_wherever_they_were_cut_off()
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            CutOff(seed, isEncrypted: seed % 2 == 0);
        }

        Assert.Equal(Enum.GetValues<DiskOperationKind>(), _kinds);
        Assert.True(_snapshots > 0, "no snapshot was sent");
        Assert.True(_rotations > 5, $"{_rotations} data keys were exchanged");
        Assert.True(_resets > 0, "no node was cut off between a snapshot's tables and its log");
    }

    private static bool IsWanted(int moment) => moment < EveryFirstMoment || moment % Stride == 0;

    private void CutOff(ulong seed, bool isEncrypted)
    {
        RecordedRun run = RecordedRun.Small(seed, isEncrypted, Operations);
        _snapshots += run.SnapshotsTaken;
        _rotations += run.Rotations;
        foreach (CrashedNode node in run.Crashed)
        {
            int every = Math.Max(0, node.Moments - EveryMoment);
            Assert.Empty(node.Crash(moment => IsWanted(moment) || moment > every, Fates).Take(5));
            _kinds.UnionWith(node.Figures.Kinds);
            _resets += node.Figures.Resets;
            Assert.InRange(node.Figures.Starts, 150, 100_000);
            Assert.InRange(node.Figures.Replayed, 50, 100_000);
            Assert.InRange(node.Figures.Released, 50, 100_000);
            Assert.InRange(node.Figures.Checkpoints, 3, 100_000);
        }
    }
}
