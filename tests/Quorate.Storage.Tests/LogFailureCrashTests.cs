using Quorate.Simulator.Disk;

namespace Quorate.Storage.Tests;

/// <summary>
/// A write of the node's log fails, or finds no space, and then the power goes: after each write, and after each
/// operation that was still under way (seed 7400027; pitfalls R11, R26, R28, S1, S5).
/// </summary>
public sealed class LogFailureCrashTests
{
    private const int FatesOfPower = 2;

    [Theory]
    [InlineData(1)]
    public void After_any_failed_write_and_a_power_loss_the_log_holds_what_was_reported(ulong seed)
    {
        int ended = BreakEach(seed, writes: 24, operationsMax: int.MaxValue);
        Assert.True(ended > 30, $"{ended} runs ended");
    }

    /// <summary>A log that is hardly begun has nothing behind it that could prove what it holds.</summary>
    [Fact]
    public void A_log_that_fails_at_its_very_first_writes_and_loses_power_opens_again()
    {
        int ended = 0;
        for (ulong seed = 10; seed < 18; seed++)
        {
            ended += BreakEach(seed, writes: 6, operationsMax: 16);
        }

        Assert.True(ended > 80, $"{ended} runs ended");
    }

    /// <summary>
    /// The life of seed 7400027: a log that was cut short is opened, which fails at one of its writes; the next process
    /// reads what that write left in the page cache, goes on from there, and loses power.
    /// </summary>
    [Theory]
    [InlineData(2)]
    [InlineData(20)]
    public void A_log_whose_opening_fails_and_then_loses_power_holds_what_was_reported(int writes)
    {
        int failed = 0;
        for (ulong seed = 10; seed < 12; seed++)
        {
            foreach (DiskFailures failure in new[] { DiskFailures.Write, DiskFailures.Sync })
            {
                for (int at = writes; at <= 3 * writes; at += writes)
                {
                    failed += FailEachWriteOfAnOpening(seed, writes, at, failure);
                }
            }
        }

        Assert.True(failed > 10, $"{failed} openings failed");
    }

    /// <summary>How many openings failed.</summary>
    private static int FailEachWriteOfAnOpening(ulong seed, int writes, int at, DiskFailures failure)
    {
        int failed = 0;
        int next = 0;
        while (FailOpening(seed, writes, at, next, failure, out int struck).Owner.Failure is not null)
        {
            failed++;
            int when = next;
            LosePowerWhileOpening(() => FailOpening(seed, writes, at, when, failure, out _));

            // Until there the same write would fail again.
            next = struck;
        }

        return failed;
    }

    /// <summary>
    /// A life that was cut short after so many operations, and whose next opening fails at its first write after so
    /// many operations.
    /// </summary>
    /// <param name="struck">After so many operations the write had failed.</param>
    private static LogRun FailOpening(
        ulong seed, int writes, int at, int when, DiskFailures failure, out int struck)
    {
        var run = new LogRun(seed, writes);
        while (run.Steps < at && !run.IsOver)
        {
            run.Step();
        }

        run.Crash(powerLost: seed % 2 == 0, seed);
        run.Reopen(when);
        run.Disk.FailNext(failure);
        for (struck = when; run.Owner.Failure is null && run.Disk.Pending.Count > 0; struck++)
        {
            run.Disk.Execute(run.Disk.Pending[0]);
        }

        run.RunAll();
        run.Disk.Mend();
        return run;
    }

    /// <summary>Breaks each write of a life; how many lives ended with a failure.</summary>
    private static int BreakEach(ulong seed, int writes, int operationsMax)
    {
        int ended = 0;
        DiskFailures?[] failures = [DiskFailures.Write, DiskFailures.Sync, DiskFailures.Names, null];
        foreach (DiskFailures? failure in failures)
        {
            int lastStruck = -1;
            for (int at = 0; at <= operationsMax; at++)
            {
                LogRun run = Break(seed, writes, at, failure);
                if (run.Owner.Failure is null && !run.IsWaiting)
                {
                    break;
                }

                // The same write as before would fail again.
                if (run.Steps != lastStruck)
                {
                    lastStruck = run.Steps;
                    ended++;
                    LosePowerAfterEach(() => Break(seed, writes, at, failure));
                    LosePowerWhileOpening(() => Break(seed, writes, at, failure));
                }
            }
        }

        return ended;
    }

    /// <summary>What was under way when the log failed ends one by one, in any order, until the power goes.</summary>
    private static void LosePowerAfterEach(Func<LogRun> broken)
    {
        bool isMore = true;
        for (int later = 0; isMore; later++)
        {
            for (ulong fate = 0; fate < FatesOfPower; fate++)
            {
                LogRun run = broken();
                for (int i = 0; i < later && run.Disk.Pending.Count > 0; i++)
                {
                    run.Step();
                }

                isMore = run.Disk.Pending.Count > 0;
                run.Crash(powerLost: true, (fate * 1000) + (ulong)later);
                run.Disk.SetFull(false);
                string first = run.ReopenAndCheck();
                run.Crash(powerLost: true, fate);
                Assert.Equal(first, run.ReopenAndCheck());
            }
        }
    }

    /// <summary>
    /// The process ends, and the next one reads what the failed write left in the page cache, until the power goes.
    /// </summary>
    private static void LosePowerWhileOpening(Func<LogRun> broken)
    {
        bool isMore = true;
        for (int later = 1; isMore; later++)
        {
            for (ulong fate = 0; fate < FatesOfPower; fate++)
            {
                LogRun run = broken();
                run.Crash(powerLost: false, fate);
                run.Disk.SetFull(false);
                LogOwner half = run.Reopen(later);
                Assert.Null(half.Failure);
                isMore = run.Disk.Pending.Count > 0;
                string? announced = half.Opened is null ? null : run.Text(half);
                run.Crash(powerLost: true, (fate * 1000) + (ulong)later);
                string after = run.ReopenAndCheck();
                Assert.Equal(announced ?? after, after);
            }
        }
    }

    /// <summary>A life whose first write after so many operations fails, until the log has said so.</summary>
    /// <param name="failure">Null: the disk is full from then on.</param>
    private static LogRun Break(ulong seed, int writes, int at, DiskFailures? failure)
    {
        var run = new LogRun(seed, writes);
        while (run.Steps < at && !run.IsOver)
        {
            run.Step();
        }

        if (failure is { } kind)
        {
            run.Disk.FailNext(kind);
        }
        else
        {
            run.Disk.SetFull(true);
        }

        while (run.Owner.Failure is null && !run.IsOver && !run.IsWaiting)
        {
            run.Step();
        }

        run.Disk.Mend();
        return run;
    }
}
