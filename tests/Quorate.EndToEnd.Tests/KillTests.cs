using System.Globalization;
using Quorate.Cli.Load;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// The leader of a keyspace of one partition is killed again and again (kill -9) under the load of many clients. What
/// they saw must be linearizable, and what was acknowledged must be there at the end.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    /// <summary>Whether failover is fast is measured elsewhere; beyond this it is broken.</summary>
    private static readonly TimeSpan GapMax = Soon.Patience;

    /// <summary>Between a node's return and the next kill: all three have what the leader has.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task Leaders_die_under_load_and_nothing_acknowledged_is_lost()
    {
        int kills = LongRun.Count("QUORATE_KILLS", 5);
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        using var load = RecordedLoad.Start(cluster);
        await cluster.Until(() => Task.FromResult(load.Done > 1000), "the load is under way");
        List<long> killed = [];
        for (int i = 0; i < kills; i++)
        {
            ServedNode leader = await cluster.LeaderOfWhole();
            killed.Add(LoadRun.Microseconds);
            leader.Kill();
            long done = load.Done;
            await cluster.Until(() => Task.FromResult(load.Done > done + 500), "the others go on");
            leader.Start();
            await cluster.UntilReady(leader);
            await Task.Delay(Breath, TestContext.Current.CancellationToken);
        }

        TellGaps(await load.Judge(), killed);
    }

    /// <summary>From each kill to the first acknowledgement of a write that began after it.</summary>
    private void TellGaps(IReadOnlyList<HistoryLine> lines, List<long> killed)
    {
        List<double> gaps = [];
        foreach (long kill in killed)
        {
            gaps.Add(lines
                .Where(line => line.Start > kill && line.Outcome == "done" && line.Op != "get")
                .Min(line => line.End!.Value - kill) / 1000.0);
        }

        gaps.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"from a kill to the next acknowledged write, ms: p50 {gaps[gaps.Count / 2]:F0}, worst {gaps[^1]:F0}, "
                + $"all {string.Join(' ', gaps.Select(gap => gap.ToString("F0", CultureInfo.InvariantCulture)))}"));
        Assert.True(gaps[^1] < GapMax.TotalMilliseconds, $"no write was acknowledged for {gaps[^1]} ms");
    }
}
