using Quorate.Core.Raft;
using Quorate.Simulator.Disk;

namespace Quorate.Storage.Tests;

/// <summary>
/// The node's log on the lying disk: a crash after every single operation (pitfalls R10, R11, R14, R16, R28, S1).
/// </summary>
public sealed class LogCrashTests
{
    private const int Writes = 70;

    public static TheoryData<ulong> Seeds => [1, 2, 3, 4];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_was_reported_durable_survives_a_crash_after_any_operation(ulong seed)
    {
        int steps = StepsOf(seed);
        Assert.True(steps > 100, $"{steps} operations");
        for (int at = 0; at <= steps; at++)
        {
            for (ulong fate = 0; fate < 6; fate++)
            {
                bool powerLost = fate > 1;
                LogRun run = RunTo(seed, at);
                run.Crash(powerLost, (fate * 1000) + (ulong)at);
                string first = run.ReopenAndCheck();

                // What was announced stays, whatever happens next.
                run.Crash(fate % 2 == 0, fate);
                Assert.Equal(first, run.ReopenAndCheck());
                run.Crash(powerLost: true, fate + 1);
                Assert.Equal(first, run.ReopenAndCheck());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Opening_may_be_cut_short_after_any_operation_and_done_again(ulong seed)
    {
        int steps = StepsOf(seed);
        for (int at = (int)seed; at <= steps; at += 7)
        {
            bool isAnnounced = false;
            for (int cut = 0; !isAnnounced; cut++)
            {
                Assert.True(cut < 1000, "an opening ends");
                LogRun run = RunTo(seed, at);
                bool powerLost = cut % 2 == 0;
                run.Crash(powerLost, (ulong)at);
                LogOwner half = run.Reopen(cut);
                string? announced = half.Opened is null ? null : run.Text(half);
                run.Crash(powerLost: true, (ulong)cut);
                string after = run.ReopenAndCheck();
                if (announced is not null)
                {
                    Assert.Equal(announced, after);
                    isAnnounced = true;
                    continue;
                }

                run.Crash(powerLost: false, (ulong)cut);
                run.Reopen(cut / 2);
                run.Crash(powerLost: true, (ulong)cut);
                run.ReopenAndCheck();
            }
        }
    }

    /// <summary>
    /// Two losses of power, each in an opening, and between them a process that reads what the one before it left in
    /// the page cache: at a log's very beginning, where a torn first block is the only one, and at each roll-over
    /// behind it (seeds 910028 and 9300059).
    /// </summary>
    [Theory]
    [InlineData(12, 20, 1)]
    [InlineData(40, int.MaxValue, 9)]
    public void Openings_that_are_cut_short_in_a_row_refuse_nothing(int writes, int stepsMax, int stride)
    {
        for (ulong seed = 1; seed < 6; seed++)
        {
            bool isMore = true;
            for (int at = 0; isMore && at <= stepsMax; at += stride)
            {
                isMore = !RunTo(seed, at, writes).IsOver;
                for (int first = 0; first < 8; first++)
                {
                    for (int second = 1; second < 12; second++)
                    {
                        LogRun run = RunTo(seed, at, writes);
                        run.Crash(powerLost: true, seed + (ulong)at);
                        Assert.Null(run.Reopen(first).Failure);
                        run.Crash(powerLost: false, (ulong)first);
                        Assert.Null(run.Reopen(second).Failure);
                        run.Crash(powerLost: (first + second) % 3 != 0, (ulong)second);
                        Assert.Null(run.Reopen(first).Failure);
                        run.Crash(powerLost: true, (ulong)(first * second));
                        string announced = run.ReopenAndCheck();
                        run.Crash(powerLost: true, seed);
                        Assert.Equal(announced, run.ReopenAndCheck());
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(1, DiskFailures.Write)]
    [InlineData(3, DiskFailures.FolderSync)]
    [InlineData(4, DiskFailures.FolderSync)]
    public void Any_failure_of_the_disk_ends_the_log_with_a_sentence_and_loses_nothing(
        ulong seed, DiskFailures failure)
    {
        int steps = StepsOf(seed);
        int ended = 0;
        for (int at = 1; at < steps; at += 3)
        {
            LogRun run = RunTo(seed, at);
            run.Disk.FailNext(failure);
            while (run.Owner.Failure is null && !run.IsOver)
            {
                run.Step();
            }

            ended += run.Owner.Failure is null ? 0 : 1;
            run.RunAll();
            run.Disk.Mend();
            run.Crash(powerLost: at % 2 == 0, seed + (ulong)at);
            run.ReopenAndCheck();
        }

        Assert.True(ended > 20, $"{ended} runs ended");
    }

    [Fact]
    public void A_log_that_can_not_be_read_does_not_open()
    {
        LogRun run = RunTo(5, 60);
        run.Crash(powerLost: false, 5);
        run.Disk.FailNext(DiskFailures.Read);
        LogOwner owner = run.Reopen();
        Assert.Null(owner.Opened);
        Assert.Contains("could not be read", owner.Failure!, StringComparison.Ordinal);
        run.Crash(powerLost: false, 5);
        run.ReopenAndCheck();
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void What_a_failed_sync_left_in_the_page_cache_is_announced_only_once_it_is_durable(ulong seed)
    {
        int steps = StepsOf(seed);
        for (int at = 8; at < steps; at++)
        {
            LogRun run = RunTo(seed, at);
            run.Disk.FailNextSync();
            while (run.Owner.Failure is null && !run.IsOver)
            {
                run.Step();
            }

            if (run.Owner.Failure is null)
            {
                break;
            }

            run.RunAll();
            run.Crash(powerLost: false, seed);
            string announced = run.ReopenAndCheck();
            run.Crash(powerLost: true, seed + (ulong)at);
            Assert.Equal(announced, run.ReopenAndCheck());
        }
    }

    [Fact]
    public void A_disk_that_fills_is_told_of_and_waited_for_and_loses_nothing()
    {
        int waited = 0;
        for (ulong seed = 1; seed < 60; seed++)
        {
            LogRun run = RunTo(seed, 20 + (int)seed);
            run.Disk.SetFull(true);
            while (run.Owner.Failure is null && !run.IsOver && !run.IsWaiting)
            {
                run.Step();
            }

            if (run.Owner.Failure is null && run.IsWaiting)
            {
                Assert.True(run.Owner.SpaceNews[^1]);
                waited++;
            }

            run.Crash(powerLost: false, seed);
            run.Disk.SetFull(false);
            run.ReopenAndCheck();
        }

        Assert.True(waited > 10, $"{waited} runs waited");
    }

    [Fact]
    public void Old_log_outlives_a_snapshot_until_the_reset_is_durable()
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            for (int steps = 0; steps < 4; steps++)
            {
                var disk = new SimulatedDisk(_ => { }, seed);
                LogOwner owner = OpenOn(disk);
                for (ulong i = 1; i <= 30; i++)
                {
                    owner.One.Log.Write(new Persist { Sequence = i, Entries = [New(i)], MustSync = true });
                    Run(disk);
                }

                owner.One.Log.Write(new Persist
                {
                    Sequence = 31,
                    ResetTo = new(new(100), new(2), default, Membership.Of([new(1, 1)]), []),
                    HardState = new(new(2), default, new(100)),
                    MustSync = true,
                });
                for (int i = 0; i < steps && disk.Pending.Count > 0; i++)
                {
                    // Deletions first: nothing orders them behind the sync but the log itself.
                    disk.Execute(disk.Pending[^1]);
                }

                bool reported = owner.One.Durable.Contains(31UL);
                disk.PowerLost(new(seed));
                LogOwner again = OpenOn(disk);
                Assert.Null(again.Failure);
                ulong last = again.One.Opened!.Last.Value;
                Assert.True(last == 100 || (!reported && last == 30), $"the log ends at {last}");
            }
        }
    }

    [Fact]
    public void A_wiped_disk_is_an_empty_log()
    {
        LogRun run = RunTo(1, 60);
        run.Crash(powerLost: true, 1);
        run.Disk.Wipe();
        Assert.Equal(LogModel.Empty.Text(), run.Reopen().One.Text(run.RunAll));
    }

    private static LogOwner OpenOn(SimulatedDisk disk)
    {
        var owner = new LogOwner(disk);
        owner.Log.Open();
        Assert.Null(owner.One.Opened);
        Run(disk);
        return owner;
    }

    private static void Run(SimulatedDisk disk)
    {
        while (disk.Pending.Count > 0)
        {
            disk.Execute(disk.Pending[0]);
        }
    }

    private static Entry New(ulong index) => new(new(index), new(1), EntryKind.Data, new byte[50]);

    private static int StepsOf(ulong seed)
    {
        var run = new LogRun(seed, Writes);
        while (!run.IsOver)
        {
            run.Step();
        }

        return run.Steps;
    }

    private static LogRun RunTo(ulong seed, int steps, int writes = Writes)
    {
        var run = new LogRun(seed, writes);
        while (run.Steps < steps && !run.IsOver)
        {
            run.Step();
        }

        return run;
    }
}
