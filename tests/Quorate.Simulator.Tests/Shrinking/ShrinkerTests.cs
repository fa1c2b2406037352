using Quorate.Core.Checking;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Shrinking;

namespace Quorate.Simulator.Tests.Shrinking;

/// <summary>The shrinker over runs of which the test says when they break a claim.</summary>
public sealed class ShrinkerTests
{
    private const string Claim = "the-claim";

    private static readonly PlanSize Large = new(
        FaultKinds.Drop | FaultKinds.Pause | FaultKinds.Death,
        Nodes: 5,
        Groups: 4,
        Clients: 8,
        Operations: 1000,
        Milliseconds: 20_000);

    [Fact]
    public void Everything_that_the_failure_does_not_need_goes()
    {
        var shrinker = new Shrinker(now => Broken(NeedsDropAndTen(now)), Claim, runsMax: 5000);

        PlanOverrides smallest = shrinker.Shrink(PlanOverrides.None, Large);

        Assert.Equal(FaultKinds.Pause | FaultKinds.Death, smallest.Without);
        Assert.Equal(1, smallest.Nodes);
        Assert.Equal(1, smallest.Groups);
        Assert.Equal(1, smallest.Clients);
        Assert.Equal(100, smallest.Milliseconds);

        // A tenth less than eleven is less than ten.
        Assert.InRange(smallest.Operations!.Value, 10, 11);
    }

    [Fact]
    public void A_smaller_run_that_fails_only_when_it_is_drawn_anew_is_found()
    {
        var shrinker = new Shrinker(now => Broken(NeedsDropAndTen(now) && now.Salt == 3), Claim, runsMax: 5000);

        PlanOverrides smallest = shrinker.Shrink(PlanOverrides.None, Large);

        Assert.Equal(3u, smallest.Salt);
        Assert.InRange(smallest.Operations!.Value, 10, 11);
    }

    [Fact]
    public void A_run_that_breaks_another_claim_is_not_taken()
    {
        var shrinker = new Shrinker(_ => new BrokenClaim("another", "", []), Claim, runsMax: 5000);

        Assert.Equal(PlanOverrides.None, shrinker.Shrink(PlanOverrides.None, Large));
    }

    [Fact]
    public void It_takes_no_more_runs_than_it_may()
    {
        int runs = 0;
        var shrinker = new Shrinker(
            _ =>
            {
                runs++;
                return null;
            },
            Claim,
            runsMax: 70);

        shrinker.Shrink(PlanOverrides.None, Large);

        Assert.Equal(70, runs);
        Assert.Equal(70, shrinker.Runs);
    }

    private static bool NeedsDropAndTen(PlanOverrides now) =>
        (now.Operations ?? Large.Operations) >= 10 && !now.Without.HasFlag(FaultKinds.Drop);

    private static BrokenClaim? Broken(bool isBroken) => isBroken ? new BrokenClaim(Claim, "", []) : null;
}
