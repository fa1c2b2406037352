using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Tracing;
using Quorate.Simulator.World;

namespace Quorate.Simulator.Tests.World;

/// <summary>A turned bit that nobody finds breaks its claim, wherever it is.</summary>
public sealed class RotTests
{
    [Theory]
    [InlineData("node-log-", false)]
    [InlineData("manifest", false)]
    [InlineData(".sst", true)]
    public void A_turned_bit_that_nobody_finds_breaks_rot_found(string kind, bool isInRows)
    {
        Simulation world = Quiet();
        bool isPlanted = false;
        Plant();

        // The watch is told of a bit that was not turned, so nobody can find it.
        void Plant() => world.Faults.Later(100_000, () =>
        {
            SimulatedNode node = world.Nodes[0];
            string? file = node.Disk.DurableNames.LastOrDefault(
                name => name.Contains(kind, StringComparison.OrdinalIgnoreCase));
            if (file is null)
            {
                Plant();
                return;
            }

            isPlanted = true;
            world.Operator.Rot.Flipped(node.Number, file, isInRows);
        });

        ClaimBrokenException broken = Assert.Throws<ClaimBrokenException>(world.Run);
        world.End();
        Assert.True(isPlanted);
        Assert.Equal(RunClaims.RotFound, broken.Broken.Claim);
    }

    [Fact]
    public void Without_it_the_same_run_breaks_nothing()
    {
        Simulation world = Quiet();
        world.Run();
        world.End();
    }

    /// <summary>Three nodes whose rows lie in tables, and no faults; checkpoints are many, merges few.</summary>
    private static Simulation Quiet()
    {
        Plan drawn = PlanDrawing.Draw(3, new PlanOverrides
        {
            Values = true,
            Nodes = 3,
            Groups = 1,
            Clients = 2,
            Operations = 200,
            Without = FaultNames.All.Aggregate((a, b) => a | b),
        });
        ValuesPlan values = drawn.Values! with
        {
            HasTwin = false,
            Store = drawn.Values!.Store with { TierTablesMin = 64, TablesMax = 64 },
        };
        return new Simulation(
            drawn with
            {
                Groups = [new([0, 1, 2], [])],
                Replica = drawn.Replica with { CheckpointEntries = 10 },
                Values = values,
            },
            new Trace(null));
    }
}
