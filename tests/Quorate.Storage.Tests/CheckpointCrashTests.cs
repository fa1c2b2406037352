using Quorate.Core.Raft;
using Quorate.Simulator.Disk;

namespace Quorate.Storage.Tests;

/// <summary>Checkpoints on the lying disk: a crash after every single operation (pitfalls R17, S1).</summary>
public sealed class CheckpointCrashTests
{
    private static readonly List<InstallSnapshot> First = CheckpointOwner.PiecesOf(50);
    private static readonly List<InstallSnapshot> Second = CheckpointOwner.PiecesOf(60);

    [Fact]
    public void The_newest_announced_checkpoint_survives_a_crash_after_any_operation()
    {
        int at = 0;
        bool isOver;
        do
        {
            isOver = false;
            for (ulong fate = 0; fate < 16; fate++)
            {
                var disk = new SimulatedDisk(_ => { }, fate);
                CheckpointOwner owner = Start(disk);
                isOver = !Run(disk, at);
                Crash(disk, powerLost: fate > 1, fate + (ulong)(at * 100));
                ulong first = ReopenAndCheck(disk, owner.Newest, int.MaxValue);

                // What was announced on opening is as durable as anything.
                Crash(disk, powerLost: true, fate);
                Assert.Equal(first, ReopenAndCheck(disk, first, int.MaxValue));
            }

            at++;
        }
        while (!isOver);
        Assert.True(at > 40, $"{at} operations");
    }

    [Fact]
    public void Opening_may_be_cut_short_after_any_operation_and_done_again()
    {
        for (int at = 0; at < 60; at += 3)
        {
            for (int cut = 0; cut < 20; cut++)
            {
                var disk = new SimulatedDisk(_ => { }, 1);
                CheckpointOwner owner = Start(disk);
                Run(disk, at);
                Crash(disk, powerLost: cut % 2 == 0, (ulong)cut);
                ulong newest = ReopenAndCheck(disk, owner.Newest, cut);
                Crash(disk, powerLost: true, (ulong)at);
                ReopenAndCheck(disk, Math.Max(newest, owner.Newest), int.MaxValue);
            }
        }
    }

    [Fact]
    public void A_failed_sync_announces_nothing_and_loses_nothing()
    {
        for (int at = 0; at < 60; at++)
        {
            var disk = new SimulatedDisk(_ => { }, 1);
            CheckpointOwner owner = Start(disk);
            Run(disk, at);
            disk.FailNextSync();
            if (Run(disk, int.MaxValue) || owner.Failure is null)
            {
                continue;
            }

            Crash(disk, powerLost: false, 1);
            ulong opened = ReopenAndCheck(disk, owner.Newest, int.MaxValue);
            Crash(disk, powerLost: true, (ulong)at);
            Assert.Equal(opened, ReopenAndCheck(disk, opened, int.MaxValue));
        }
    }

    /// <summary>Saves, receives two snapshots back to back and saves again.</summary>
    private static CheckpointOwner Start(SimulatedDisk disk)
    {
        var owner = new CheckpointOwner(disk);
        owner.Files.Open();
        owner.Files.Save(CheckpointOwner.Meta(10), CheckpointOwner.State(10));
        owner.Files.Save(CheckpointOwner.Meta(20), CheckpointOwner.State(20));
        foreach (InstallSnapshot piece in First.Concat(Second))
        {
            owner.Files.Receive(piece);
        }

        owner.Files.Save(CheckpointOwner.Meta(70), CheckpointOwner.State(70));
        return owner;
    }

    private static ulong ReopenAndCheck(SimulatedDisk disk, ulong atLeast, int stepsMax)
    {
        var owner = new CheckpointOwner(disk);
        owner.Files.Open();
        Run(disk, stepsMax);
        Assert.Null(owner.Failure);
        if (!owner.IsOpened)
        {
            Assert.NotEqual(int.MaxValue, stepsMax);
            return 0;
        }

        ulong index = owner.Opened?.Index.Value ?? 0;
        Assert.True(index >= atLeast, $"checkpoint {atLeast} was announced, {index} was found");
        if (index > 0)
        {
            Assert.Equal(CheckpointOwner.State(index), owner.OpenedState);
        }

        return index;
    }

    /// <summary>True when there was as much to do.</summary>
    private static bool Run(SimulatedDisk disk, int stepsMax)
    {
        for (int i = 0; i < stepsMax; i++)
        {
            if (disk.Pending.Count == 0)
            {
                return false;
            }

            disk.Execute(disk.Pending[0]);
        }

        return true;
    }

    private static void Crash(SimulatedDisk disk, bool powerLost, ulong seed)
    {
        if (powerLost)
        {
            disk.PowerLost(new(seed));
        }
        else
        {
            disk.ProcessDied(new(seed));
        }
    }
}
