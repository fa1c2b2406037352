using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Tests.World;

/// <summary>A seed names one run exactly, and what is built here breaks no claim in a few of them.</summary>
public sealed class RunTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void A_seed_runs_alike_each_time_and_whether_or_not_someone_watches(ulong seed)
    {
        using var firstLines = new StringWriter();
        using var secondLines = new StringWriter();
        RunResult quiet = Run(seed);
        RunResult again = Run(seed);
        RunResult first = Run(seed, firstLines);
        RunResult second = Run(seed, secondLines);

        Assert.Equal(quiet.TraceHash, again.TraceHash);
        Assert.Equal(quiet.TraceHash, first.TraceHash);
        Assert.Equal(quiet.TraceHash, second.TraceHash);
        Assert.Equal(quiet.Events, first.Events);
        Assert.NotEmpty(firstLines.ToString());
        Assert.Equal(firstLines.ToString(), secondLines.ToString());
    }

    [Fact]
    public void Seeds_differ_and_so_do_salts()
    {
        ulong[] hashes =
        [
            Run(1).TraceHash,
            Run(2).TraceHash,
            RunResult.Of(PlanDrawing.Draw(1, new PlanOverrides { Salt = 1 })).TraceHash,
        ];

        Assert.Equal(3, hashes.Distinct().Count());
    }

    [Fact]
    public void Twenty_seeds_break_no_claim()
    {
        for (ulong seed = 101; seed <= 120; seed++)
        {
            RunResult result = Run(seed);
            Assert.True(result.Broken is null, $"seed {seed}: {result.Broken}");
            Assert.True(result.Histories.Operations > 0, $"seed {seed} checked no operation");
        }
    }

    /// <summary>Weights of zero or below gave a zero with a sign, which the product shows without one.</summary>
    [Theory]
    [InlineData(8100119)]
    [InlineData(8100475)]
    public void Seeds_that_failed_for_a_fault_of_the_workload_break_no_claim(ulong seed)
    {
        RunResult result = RunResult.Of(PlanDrawing.Draw(seed, new PlanOverrides { Values = true }));
        Assert.True(result.Broken is null, $"seed {seed}: {result.Broken}");
    }

    /// <summary>
    /// A leader that has forgotten the term of a value refuses a version that names it; the model called that wrong.
    /// </summary>
    [Theory]
    [InlineData(8700006)]
    [InlineData(8700334)]
    public void Seeds_in_which_a_leader_has_forgotten_a_term_break_no_claim(ulong seed)
    {
        RunResult result = RunResult.Of(PlanDrawing.Draw(seed, new PlanOverrides { Values = true }));
        Assert.True(result.Broken is null, $"seed {seed}: {result.Broken}");
    }

    /// <summary>Two merges met, and rows were gone.</summary>
    [Fact]
    public void A_seed_in_which_merges_meet_breaks_no_claim()
    {
        RunResult result = RunResult.Of(PlanDrawing.Draw(8821603, new PlanOverrides { Values = true }));
        Assert.True(result.Broken is null, $"{result.Broken}");
    }

    /// <summary>Two snapshots in pieces of fifty bytes took longer than the schedule would wait.</summary>
    [Fact]
    public void A_seed_whose_snapshots_are_slow_breaks_no_claim()
    {
        RunResult result = RunResult.Of(PlanDrawing.Draw(8820891, new PlanOverrides { Values = true }));
        Assert.True(result.Broken is null, $"{result.Broken}");
    }

    private static RunResult Run(ulong seed, TextWriter? lines = null) =>
        RunResult.Of(PlanDrawing.Draw(seed, PlanOverrides.None), lines);
}
