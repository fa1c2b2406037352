using Quorate.Simulator.Checks;
using Quorate.Simulator.Tracing;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Clusters;

/// <summary>Runs a cluster's plan to its end, and judges it.</summary>
internal static class ClusterRun
{
    /// <param name="lines">Where the readable trace goes; null for none.</param>
    public static RunResult Of(ClusterPlan plan, TextWriter? lines = null)
    {
        var trace = new Trace(lines);
        ClusterWorld? world = null;
        HistoryFigures figures = default;
        Core.Checking.BrokenClaim? broken = RunResult.Guarded(() =>
        {
            world = new ClusterWorld(plan, trace);
            world.Run();
            figures = world.History.Check();
        });
        world?.End();
        if (broken is not null && trace.Verbose)
        {
            trace.Line(world?.Now ?? 0, "broken", broken.Report());
        }

        return new RunResult(
            broken, trace.Hash, trace.Events, world?.Now ?? 0, figures, world?.History.Next ?? 0,
            world?.Elections ?? 0, world?.Faults.Struck ?? [], world?.Judgements.Counts ?? new Judgements().Counts);
    }
}
