using Quorate.Core.Checking;

namespace Quorate.Core.Tests.Checking;

/// <summary>Large histories, the limit on steps, and that results do not depend on what was checked before.</summary>
public sealed class LinearizabilityLimitTests
{
    [Fact]
    public void A_search_that_reaches_the_limit_is_undecided()
    {
        Operation[] history = SumsOfPowersOfTwo(16);
        Assert.Equal(Verdict.Undecided, new LinearizabilityChecker(1_000).Check(history).Verdict);
        Assert.Equal(Verdict.Violated, new LinearizabilityChecker().Check(history).Verdict);
    }

    [Fact]
    public void A_violated_key_outweighs_an_undecided_one()
    {
        Operation[] history = [.. SumsOfPowersOfTwo(16), Operation.Read(1, 99, 5, 0, 1)];
        LinearizabilityResult result = new LinearizabilityChecker(1_000).Check(history);
        Assert.Equal(Verdict.Violated, result.Verdict);
        Assert.Equal(Verdict.Undecided, result.Keys[0].Verdict);
    }

    [Fact]
    public void An_undecided_key_outweighs_a_linearizable_one()
    {
        Operation[] history = [.. SumsOfPowersOfTwo(16), Operation.Read(1, 99, 0, 0, 1)];
        LinearizabilityResult result = new LinearizabilityChecker(1_000).Check(history);
        Assert.Equal(Verdict.Undecided, result.Verdict);
    }

    [Theory]
    [InlineData(0, long.MaxValue)]
    [InlineData(30_000, long.MaxValue)]
    [InlineData(200_000, long.MaxValue)]
    [InlineData(0, 5)]
    [InlineData(30_000, 5)]
    [InlineData(30_000, 50)]
    public void Thousands_of_operations_of_sixteen_clients_take_few_steps_each(int unknown, long valuesMax)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            Operation[] history = Histories.Workload(seed, clients: 16, operations: 2_000, unknown, valuesMax);
            LinearizabilityResult result = Verdicts.Result(history);
            Assert.Equal(Verdict.Linearizable, result.Verdict);
            Assert.InRange(result.Steps, 1, 200 * history.Length);
        }
    }

    [Fact]
    public void A_stale_read_deep_in_a_long_history_is_found_and_named()
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            Operation[] history = Histories.Workload(seed, clients: 16, operations: 2_000, unknownPerMillion: 30_000);
            int place = Array.FindIndex(history, 1_500, IsAnsweredRead);
            history[place] = history[place] with { Result = history[..100].Last(IsAnsweredRead).Result };
            BrokenClaim broken = Verdicts.Broken(history);
            Assert.Contains(history[place].ToString(), broken.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_checker_that_was_used_before_finds_the_same_again()
    {
        Operation[] large = Histories.Workload(1, clients: 16, operations: 500, unknownPerMillion: 100_000);
        Operation[] small = Histories.Workload(2, clients: 3, operations: 20, unknownPerMillion: 300_000);
        Operation[] broken = [.. small, Operation.Read(1, 1, 12_345, 1_000_000, 1_000_001)];
        var used = new LinearizabilityChecker();
        Operation[][] histories = [large, small, broken, SumsOfPowersOfTwo(8), large, broken, small];
        foreach (Operation[] history in histories)
        {
            LinearizabilityResult again = used.Check(history);
            LinearizabilityResult fresh = new LinearizabilityChecker().Check(history);
            Assert.Equal(fresh.Verdict, again.Verdict);
            Assert.Equal(fresh.Steps, again.Steps);
            Assert.Equal(fresh.FirstBroken?.Report(), again.FirstBroken?.Report());
        }
    }

    private static bool IsAnsweredRead(Operation operation) =>
        operation.Kind == OperationKind.Read && operation.Returned != long.MaxValue;

    /// <summary>Unknown additions of 2, 4, 8 and so on, and a read of an odd sum: every subset must be tried.</summary>
    private static Operation[] SumsOfPowersOfTwo(int additions) =>
    [
        .. Enumerable.Range(1, additions).Select(i => Operation.Add(i, 1, 1L << i, 0, 0, 0).AsUnknown()),
        Operation.Read(1, 1, 1, 10, 20),
    ];
}
