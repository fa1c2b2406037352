using Quorate.Simulator.Clusters;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Tests.World;

/// <summary>Whole clusters, from empty disks on: a seed names one run exactly, and breaks no claim.</summary>
public sealed class ClusterRunTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_seed_runs_alike_each_time_and_whether_or_not_someone_watches(ulong seed)
    {
        using var firstLines = new StringWriter();
        using var secondLines = new StringWriter();
        RunResult quiet = Run(seed);
        RunResult first = Run(seed, firstLines);
        RunResult second = Run(seed, secondLines);

        Assert.Equal(quiet.TraceHash, first.TraceHash);
        Assert.Equal(quiet.TraceHash, second.TraceHash);
        Assert.Equal(quiet.Events, first.Events);
        Assert.NotEmpty(firstLines.ToString());
        Assert.Equal(firstLines.ToString(), secondLines.ToString());
    }

    [Fact]
    public void Seeds_differ_and_so_do_salts()
    {
        ulong salted = RunResult.Of(1, new PlanOverrides { Cluster = true, Salt = 1 }).TraceHash;
        Assert.Equal(3, new[] { Run(1).TraceHash, Run(2).TraceHash, salted }.Distinct().Count());
    }

    [Fact]
    public void Sixty_seeds_break_no_claim_and_judge_all_that_there_is_to_judge()
    {
        SortedSet<string> judged = new(StringComparer.Ordinal);
        int operations = 0;
        int struck = 0;
        for (ulong seed = 101; seed <= 160; seed++)
        {
            RunResult result = Run(seed);
            Assert.True(result.Broken is null, $"seed {seed}: {result.Broken}");
            operations += result.Histories.Operations;
            struck += result.Faults.Values.Sum();
            judged.UnionWith(result.Judged.Keys);
        }

        Assert.True(operations > 1500, $"{operations} operations were checked");
        Assert.True(struck > 150, $"{struck} faults have struck");
        Assert.Equal(ClusterJudgements.Demanded.Order(StringComparer.Ordinal), judged);
    }

    private static RunResult Run(ulong seed, TextWriter? lines = null) =>
        RunResult.Of(seed, new PlanOverrides { Cluster = true }, lines);
}
