using System.Diagnostics;

namespace Quorate.TestHelp;

/// <summary>
/// Waits for what must come. What is waited for must stay once it is there: a state that passes may be over between
/// two looks, and a test that looks for one fails on a busy machine.
/// </summary>
internal static class Soon
{
    /// <summary>
    /// Far beyond what a machine with twenty times too much to do needs: only a test that fails waits so long. One that
    /// is to fail, since a guard is switched off (tests/mutants), is not waited for that long.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(
        Environment.GetEnvironmentVariable("QUORATE_MUTANT") is { Length: > 0 } ? 20 : 120);

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    public static async Task Is(Func<bool> isSo, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(clock.Elapsed < Patience, $"not in {Patience}: {what}");
            await Task.Delay(BetweenLooks, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The same where nothing may be awaited.</summary>
    public static void IsHere(Func<bool> isSo, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(clock.Elapsed < Patience, $"not in {Patience}: {what}");
            Thread.Sleep(BetweenLooks);
        }
    }
}
