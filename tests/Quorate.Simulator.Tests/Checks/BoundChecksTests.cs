using Quorate.Node.Replicas;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Sweeps;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>More requests than the named limits let in break the claim.</summary>
public sealed class BoundChecksTests
{
    [Fact]
    public void More_open_requests_than_the_limits_of_a_group_break_bounds()
    {
        Plan plan = Bench.Scenario(seconds: 1, seed: 1);
        var replica = new Replica(
            ForgedGroup.One,
            plan.Raft,
            plan.Replica,
            host: null!,
            log: _ => null!,
            store: _ => null!,
            ForgedGroup.Voters,
            seed: 1);
        BoundChecks.Check(plan, replica, attempts: plan.Raft.PendingProposalsMax, operations: 1);

        ForgedGroup.Breaks(
            RunClaims.Bounds, () => BoundChecks.Check(plan, replica, attempts: 10_000_000, operations: 1));
    }
}
