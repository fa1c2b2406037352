using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Tracing;

namespace Quorate.Simulator.World;

/// <summary>What one run came to.</summary>
/// <param name="Broken">The claim that it broke; null when everything held.</param>
/// <param name="SimulatedTime">In microseconds.</param>
/// <param name="Judged">How often what is judged now and then was judged, by name (<see cref="Judgements"/>).</param>
internal sealed record RunResult(
    Plan Plan,
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
    /// <summary>Runs a plan to its end, and judges it.</summary>
    /// <param name="lines">Where the readable trace goes; null for none.</param>
    public static RunResult Of(Plan plan, TextWriter? lines = null)
    {
        var trace = new Trace(lines);
        Simulation? world = null;
        BrokenClaim? broken = null;
        HistoryFigures figures = default;
        try
        {
            world = new Simulation(plan, trace);
            world.Run();
            figures = HistoryChecks.Check(world.Attempts, world.Checks);
        }
        catch (ClaimBrokenException claim)
        {
            broken = claim.Broken;
        }
#pragma warning disable CA1031 // Whatever the code under test throws is the seed's broken claim.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            broken = new BrokenClaim(RunClaims.Invariant, FirstLine(unexpected), unexpected.ToString().Split('\n'));
        }

        world?.End();
        if (broken is not null && trace.Verbose)
        {
            trace.Line(world?.Now ?? 0, "broken", broken.Report());
        }

        return new RunResult(
            plan,
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

    private static string FirstLine(Exception unexpected)
    {
        string message = unexpected.Message.Split('\n')[0].Trim();
        return unexpected is InvariantBrokenException ? message : $"{unexpected.GetType().Name}: {message}";
    }
}
