using Quorate.Simulator.Disk;

namespace Quorate.Storage.Tests.Stores;

/// <summary>
/// The partition store on the lying disk: a crash, or a full disk, at every single operation (pitfalls R13, R16, R17,
/// S1, S3, S5).
/// </summary>
public sealed class StoreCrashTests
{
    [Fact]
    public void What_was_reported_survives_a_crash_after_any_operation()
    {
        var found = new SortedSet<ulong>();
        int at = 0;
        bool isOver;
        do
        {
            isOver = false;
            for (ulong fate = 0; fate < 4; fate++)
            {
                var disk = new SimulatedDisk(_ => { }, fate);
                StoreCrashRun run = StoreCrashRun.Start(disk, at);
                Assert.Null(run.Owner.Failure);
                isOver = run.IsOver;
                Crash(disk, powerLost: fate > 0, fate + (ulong)(at * 10));
                ulong first = StoreCrashRun.OpenAndCheck(disk, run.Reported);
                found.Add(first);

                // What was opened is as durable as anything.
                Crash(disk, powerLost: true, fate);
                Assert.Equal(first, StoreCrashRun.OpenAndCheck(disk, first));
            }

            at++;
        }
        while (!isOver);
        Assert.True(at > 150, $"{at} operations");
        Assert.True(found.Count > 8, $"{found.Count} checkpoints were found");
    }

    [Fact]
    public void A_disk_that_is_full_for_a_while_stops_nothing_for_good()
    {
        int whole = StoreCrashRun.Start(new SimulatedDisk(_ => { }, 1), int.MaxValue).Operations;
        int told = 0;
        for (int at = 0; at < whole; at += 2)
        {
            var disk = new SimulatedDisk(_ => { }, (ulong)at);
            StoreCrashRun run = StoreCrashRun.Start(
                disk, int.MaxValue, operation => disk.SetFull(operation >= at && operation < at + 12));
            Assert.Null(run.Owner.Failure);
            Assert.True(run.IsOver);
            told += run.Owner.FullNotices.Count;
            Assert.Equal(StoreCrashRun.OpenAndCheck(Crashed(disk), run.Reported), run.Owner.Saved[^1]);
        }

        Assert.True(told > whole / 4, $"{told} notices in {whole / 2} runs");
    }

    [Fact]
    public void A_store_opens_after_the_disk_was_full_at_any_step()
    {
        int whole = StoreCrashRun.Start(new SimulatedDisk(_ => { }, 1), int.MaxValue).Operations;
        for (int at = 0; at < whole; at += 3)
        {
            var disk = new SimulatedDisk(_ => { }, (ulong)at);
            StoreCrashRun run = StoreCrashRun.Start(disk, at + 30, operation => disk.SetFull(operation >= at));
            Assert.Null(run.Owner.Failure);
            Crash(disk, powerLost: at % 2 == 0, (ulong)at);
            StoreCrashRun.OpenAndCheck(disk, run.Reported);
        }
    }

    [Fact]
    public void A_failed_sync_ends_the_store_and_loses_nothing_that_was_reported()
    {
        int whole = StoreCrashRun.Start(new SimulatedDisk(_ => { }, 1), int.MaxValue).Operations;
        int failures = 0;
        for (int at = 0; at < whole; at += 3)
        {
            var disk = new SimulatedDisk(_ => { }, (ulong)at);
            StoreCrashRun run = StoreCrashRun.Start(disk, int.MaxValue, operation =>
            {
                if (operation == at)
                {
                    disk.FailNextSync();
                }
            });
            failures += run.Owner.Failure is null ? 0 : 1;
            Crash(disk, powerLost: true, (ulong)at);
            StoreCrashRun.OpenAndCheck(disk, run.Reported);
        }

        Assert.True(failures > whole / 10, $"{failures} failures");
    }

    private static SimulatedDisk Crashed(SimulatedDisk disk)
    {
        disk.SetFull(false);
        Crash(disk, powerLost: true, 3);
        return disk;
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
