using Quorate.Core.Checking;

namespace Quorate.Core.Tests.Checking;

internal static class Verdicts
{
    public static Verdict Of(params Operation[] history) => Result(history).Verdict;

    public static LinearizabilityResult Result(params Operation[] history) =>
        new LinearizabilityChecker().Check(history);

    /// <summary>The claim that a violated history breaks.</summary>
    public static BrokenClaim Broken(params Operation[] history)
    {
        LinearizabilityResult result = Result(history);
        Assert.Equal(Verdict.Violated, result.Verdict);
        Assert.NotNull(result.FirstBroken);
        return result.FirstBroken;
    }
}
