using System.Diagnostics;
using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Other people's programs that tests stand on; where one is missing its test is skipped and says so.
/// </summary>
internal static class Tools
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static void SkipWithout(params string[] programs)
    {
        foreach (string program in programs)
        {
            Assert.SkipUnless(IsThere(program), $"This test needs {program}, which is not installed.");
        }
    }

    public static void SkipUnlessRoot(string what) =>
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, $"Only root may {what}.");

    private static readonly string[] ErrorsForLater = ["CLUSTERDOWN ", "TRYAGAIN ", "LOADING ", "REFUSED "];

    /// <summary>Runs a program to its end.</summary>
    public static (int Code, string Output, string Error) Run(params string[] words) => RunIn(null, words);

    /// <param name="folder">Where it runs; null for the folder of the tests.</param>
    public static (int Code, string Output, string Error) RunIn(string? folder, params string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(words[0], words[1..])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'{string.Join(' ', words)}' does not end; it said: {output.Result} {error.Result}");
        }

        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Sends a process a signal every tenth of a second until it has ended.</summary>
    public static void SignalUntilEnd(string name, int process)
    {
        string number = process.ToString(CultureInfo.InvariantCulture);
        const string Loop = "while kill -$0 $1 2>/dev/null; do sleep 0.1; done";
        (int code, _, string error) = Run("sh", "-c", Loop, name, number);
        Assert.True(code == 0, error);
    }

    /// <summary>Runs a program again while what it says is that surely nothing was done, and to try again.</summary>
    public static (int Code, string Output, string Error) RunUntilDone(params string[] words)
    {
        (int Code, string Output, string Error) end = default;
        Soon.IsHere(
            () =>
            {
                end = Run(words);
                return !ErrorsForLater.Any(
                    error => (end.Output + end.Error).Contains(error, StringComparison.Ordinal));
            },
            $"'{string.Join(' ', words)}' is done or refused for good");
        return end;
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static string Do(params string[] words)
    {
        (int code, string output, string error) = Run(words);
        Assert.True(code == 0, $"'{string.Join(' ', words)}' ends with {code}: {error}");
        return output;
    }

    /// <summary>Runs a program that succeeds once the nodes that it asks answer in its time.</summary>
    public static string DoAtLast(params string[] words)
    {
        string output = "";
        Soon.IsHere(
            () =>
            {
                (int code, output, _) = Run(words);
                return code == 0;
            },
            $"'{string.Join(' ', words)}' succeeds");
        return output;
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(place => File.Exists(Path.Combine(place, program)));
}
