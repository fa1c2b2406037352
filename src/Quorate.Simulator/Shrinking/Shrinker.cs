using Quorate.Core.Checking;
using Quorate.Simulator.Clusters;
using Quorate.Simulator.Plans;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Shrinking;

/// <summary>
/// Looks for a smaller run that breaks the same claim: fewer faults, nodes, groups, clients, operations and less
/// time. Taking something away shifts all that follows, so each candidate is tried with several salts (Zeller and
/// Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002, in its greedy form).
/// <para>Invariant: what it returns breaks the claim that it was given.</para>
/// </summary>
/// <param name="breaks">Runs a plan and says which claim it breaks, or null.</param>
internal sealed class Shrinker(Func<PlanOverrides, BrokenClaim?> breaks, string claim, int runsMax)
{
    /// <summary>Salts tried for each candidate.</summary>
    private const uint SaltsMax = 60;

    /// <summary>Runs so far.</summary>
    public int Runs { get; private set; }

    /// <param name="size">What the failing run had: the numbers to go down from.</param>
    public PlanOverrides Shrink(PlanOverrides start, PlanSize size)
    {
        PlanOverrides best = start;
        bool improved = true;
        while (improved && Runs < runsMax)
        {
            improved = false;
            foreach (PlanOverrides candidate in Candidates(best, size))
            {
                if (Runs < runsMax && Reproduce(candidate) is { } smaller)
                {
                    best = smaller;
                    size = size.After(smaller);
                    improved = true;
                    break;
                }
            }
        }

        return best;
    }

    private PlanOverrides? Reproduce(PlanOverrides candidate)
    {
        for (uint salt = 0; salt < SaltsMax && Runs < runsMax; salt++)
        {
            PlanOverrides salted = candidate with { Salt = salt };
            Runs++;
            if (breaks(salted)?.Claim == claim)
            {
                return salted;
            }
        }

        return null;
    }

    /// <summary>Smaller runs, those that save most first.</summary>
    private static IEnumerable<PlanOverrides> Candidates(PlanOverrides now, PlanSize size)
    {
        FaultKinds left = size.Faults & ~now.Without;
        if (left != FaultKinds.None)
        {
            yield return now with { Without = now.Without | left };
        }

        if (size.Groups > 1)
        {
            yield return now with { Groups = 1 };
        }

        foreach (long milliseconds in Smaller(size.Milliseconds, 100))
        {
            yield return now with { Milliseconds = milliseconds };
        }

        foreach (long operations in Smaller(size.Operations, 1))
        {
            yield return now with { Operations = (int)operations };
        }

        foreach (long clients in Smaller(size.Clients, 1))
        {
            yield return now with { Clients = (int)clients };
        }

        for (int nodes = 1; nodes < size.Nodes; nodes++)
        {
            yield return now with { Nodes = nodes };
        }

        foreach (FaultKinds kind in FaultNames.All)
        {
            if (left.HasFlag(kind))
            {
                yield return now with { Without = now.Without | kind };
            }
        }

        if (size.Groups > 2)
        {
            yield return now with { Groups = size.Groups - 1 };
        }
    }

    /// <summary>
    /// A quarter, a half and nine tenths of a number, as long as they are smaller and not below the least.
    /// </summary>
    private static IEnumerable<long> Smaller(long number, long least)
    {
        long last = -1;
        foreach (long tenths in new[] { 25L, 50L, 90L })
        {
            long smaller = Math.Max(least, number * tenths / 100);
            if (smaller < number && smaller != last)
            {
                yield return smaller;
            }

            last = smaller;
        }
    }
}

/// <summary>What a run consists of, as far as it can be made smaller.</summary>
internal readonly record struct PlanSize(
    FaultKinds Faults, int Nodes, int Groups, int Clients, int Operations, long Milliseconds)
{
    /// <summary>What the plan of a seed has, as far as its run came.</summary>
    public static PlanSize Of(ulong seed, PlanOverrides overrides, RunResult run)
    {
        if (overrides.Cluster)
        {
            ClusterPlan cluster = ClusterDrawing.Draw(seed, overrides);
            return new(
                cluster.Faults.Kinds, cluster.Machines, 1, cluster.Clients,
                Math.Min(cluster.OperationsMax, Math.Max(1, run.Operations)), TimeOf(cluster.SafetyTime, run));
        }

        Plan plan = PlanDrawing.Draw(seed, overrides);
        return new(
            plan.Faults.Kinds, plan.Nodes, plan.Groups.Length, plan.Clients,
            Math.Min(plan.OperationsMax, Math.Max(1, run.Operations)), TimeOf(plan.SafetyTime, run));
    }

    public PlanSize After(PlanOverrides overrides) => new(
        Faults & ~overrides.Without,
        overrides.Nodes ?? Nodes,
        overrides.Groups ?? Groups,
        overrides.Clients ?? Clients,
        overrides.Operations ?? Operations,
        overrides.Milliseconds ?? Milliseconds);

    private static long TimeOf(long safetyTime, RunResult run) =>
        Math.Min(safetyTime, Math.Max(1, run.SimulatedTime)) / 1000;
}
