using System.Diagnostics;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Other people's programs that tests stand on; where one is missing its test is skipped and says so.
/// </summary>
internal static class Tools
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static void SkipWithout(params string[] programs)
    {
        foreach (string program in programs)
        {
            Assert.SkipUnless(IsThere(program), $"This test needs {program}, which is not installed.");
        }
    }

    public static void SkipUnlessRoot(string what) =>
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, $"Only root may {what}.");

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

    /// <summary>Runs a program that must succeed.</summary>
    public static string Do(params string[] words)
    {
        (int code, string output, string error) = Run(words);
        Assert.True(code == 0, $"'{string.Join(' ', words)}' ends with {code}: {error}");
        return output;
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(place => File.Exists(Path.Combine(place, program)));
}
