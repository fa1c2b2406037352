using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Tracing;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Tests.World;

/// <summary>The operator replaces whatever is lost, whenever a membership comes to name it.</summary>
public sealed class OperatorTests
{
    [Fact]
    public void A_replica_that_was_lost_before_a_membership_names_it_is_replaced()
    {
        Simulation world = TwoOfThree();
        ReplicaId lost = ReplicaId.None;
        bool isAsked = false;
        world.Faults.Later(200_000, () =>
        {
            SimulatedNode spare = world.Nodes[2];
            lost = world.Operator.PlaceOn(0, spare.Number).Id;
            spare.Kill(powerLoss: false);
            world.Operator.Wipe(spare);
            world.Operator.StartLater(spare, 20_000);
        });
        world.Faults.Later(800_000, AskForIt);

        // What was asked for before the loss comes about only now.
        void AskForIt()
        {
            isAsked = world.Operator.Ask(0, membership =>
                Membership.Of(membership.Voters.ToArray(), [new Learner(lost, LearnerKind.Joining)]));
            if (!isAsked)
            {
                world.Faults.Later(50_000, AskForIt);
            }
        }

        world.Run();
        world.End();

        Assert.True(isAsked);
        Membership committed = world.Checks[0].Committed.Membership;
        Assert.False(committed.Contains(lost));
        Assert.Equal(3, committed.Voters.Length);
        Assert.NotEqual(lost, world.Placements[0].On(2)!.Id);
    }

    /// <summary>Three nodes, a group on the first two, and no faults.</summary>
    private static Simulation TwoOfThree()
    {
        Plan drawn = PlanDrawing.Draw(5, new PlanOverrides
        {
            Values = true,
            Nodes = 3,
            Groups = 1,
            Clients = 2,
            Operations = 300,
            Without = FaultNames.All.Aggregate((a, b) => a | b),
        });
        return new Simulation(drawn with { Groups = [new([0, 1], [])] }, new Trace(null));
    }
}
