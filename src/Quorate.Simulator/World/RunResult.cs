using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Clusters;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Tracing;

namespace Quorate.Simulator.World;

/// <summary>What one run came to.</summary>
/// <param name="Broken">The claim that it broke; null when everything held.</param>
/// <param name="SimulatedTime">In microseconds.</param>
/// <param name="Judged">How often what is judged now and then was judged, by name (<see cref="Judgements"/>).</param>
internal sealed record RunResult(
    BrokenClaim? Broken,
    ulong TraceHash,
    long Events,
    long SimulatedTime,
    HistoryFigures Histories,
    int Operations,
    long Elections,
    IReadOnlyDictionary<FaultKinds, int> Faults,
    IReadOnlyDictionary<string, long> Judged)
{
    /// <summary>Draws the plan of a seed, of partitions or of a whole cluster, and runs it.</summary>
    /// <param name="lines">Where the readable trace goes; null for none.</param>
    public static RunResult Of(ulong seed, PlanOverrides overrides, TextWriter? lines = null) => overrides.Cluster
        ? ClusterRun.Of(ClusterDrawing.Draw(seed, overrides), lines)
        : Of(PlanDrawing.Draw(seed, overrides), lines);

    /// <summary>Runs a plan to its end, and judges it.</summary>
    /// <param name="lines">Where the readable trace goes; null for none.</param>
    public static RunResult Of(Plan plan, TextWriter? lines = null)
    {
        var trace = new Trace(lines);
        Simulation? world = null;
        HistoryFigures figures = default;
        BrokenClaim? broken = Guarded(() =>
        {
            world = new Simulation(plan, trace);
            world.Run();
            figures = HistoryChecks.Check(world.Attempts, world.Checks);
        });
        world?.End();
        if (broken is not null && trace.Verbose)
        {
            trace.Line(world?.Now ?? 0, "broken", broken.Report());
        }

        return new RunResult(
            broken,
            trace.Hash,
            trace.Events,
            world?.Now ?? 0,
            figures,
            world?.Operations ?? 0,
            world?.Elections ?? 0,
            world?.Faults.Struck ?? [],
            world?.Judgements.Counts ?? new Judgements().Counts);
    }

    /// <summary>The claim that a run breaks, whatever it throws; null when it breaks none.</summary>
    public static BrokenClaim? Guarded(Action run)
    {
        try
        {
            run();
            return null;
        }
        catch (ClaimBrokenException claim)
        {
            return claim.Broken;
        }
#pragma warning disable CA1031 // Whatever the code under test throws is the seed's broken claim.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            return new BrokenClaim(RunClaims.Invariant, FirstLine(unexpected), unexpected.ToString().Split('\n'));
        }
    }

    private static string FirstLine(Exception unexpected)
    {
        string message = unexpected.Message.Split('\n')[0].Trim();
        return unexpected is InvariantBrokenException ? message : $"{unexpected.GetType().Name}: {message}";
    }
}
