using System.Diagnostics;
using System.Globalization;

namespace Quorate.Server.Tests.Disk;

/// <summary>
/// A real process whose disk fails it (pitfalls R11, S11): the system call that makes things durable is made to fail,
/// each in turn, and the process ends with one sentence, having acknowledged nothing that a restart does not find.
/// </summary>
public sealed class FailedSyncTests
{
    private const int RecordsInRun = 6;
    private const int DiskFailed = 74;

    /// <summary>Far more calls than a run makes; a run that meets no failure ends the test before.</summary>
    private const int CallsMax = 60;

    private static readonly string Host = FindHost();

    /// <summary>
    /// The log writes past the page cache, so its writes are its syncs. Calls are counted by thread, and the thread that
    /// makes most of them bounds the test.
    /// </summary>
    [Theory]
    [InlineData("fsync,fdatasync")]
    [InlineData("pwrite64")]
    public void Nothing_is_acknowledged_after_a_failed_call(string calls)
    {
        Assert.SkipUnless(IsThere("strace"), "This test makes system calls fail with strace, which is not installed.");
        int failures = 0;
        for (int call = 1; call <= CallsMax; call++)
        {
            using var folder = new TemporaryFolder();
            string failing = string.Create(CultureInfo.InvariantCulture, $"{calls}:error=EIO:when={call}");
            (int code, string output, string error) = Run(
                "strace", $"-f -qq -e signal=none -e trace={calls} -e inject={failing} -o {folder.Path}/trace dotnet "
                    + $"{Host} append {folder.Path}/node {RecordsInRun}");
            string[] trace = File.ReadAllLines(Path.Combine(folder.Path, "trace"));
            bool wasInjected = trace.Any(line => line.Contains("INJECTED", StringComparison.Ordinal));
            ulong acknowledged = Acknowledged(output);
            if (!wasInjected)
            {
                Assert.Equal((0, RecordsInRun), (code, (int)acknowledged));
                Assert.True(failures > 0, "some call was made to fail");
                return;
            }

            failures++;
            AssertEnded(call, code, output, error);
            (code, output, error) = Run("dotnet", $"{Host} append {folder.Path}/node 0");
            Assert.Equal((0, ""), (code, error));
            ulong opened = ulong.Parse(output.Trim()["opened ".Length..], CultureInfo.InvariantCulture);
            Assert.True(opened >= acknowledged, $"call {call}: {acknowledged} acknowledged, {opened} found");
        }

        Assert.Fail("a run makes fewer calls than the bound");
    }

    private static void AssertEnded(int call, int code, string output, string error)
    {
        string sentence = error.Trim();
        Assert.True(code == DiskFailed, $"call {call}: exit code {code}, {output} {error}");
        Assert.DoesNotContain('\n', sentence);
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
    }

    /// <summary>The last record that was acknowledged; they come one after the other.</summary>
    private static ulong Acknowledged(string output)
    {
        ulong last = 0;
        foreach (string line in output.Split('\n').Where(line => line.StartsWith("acked ", StringComparison.Ordinal)))
        {
            Assert.Equal(++last, ulong.Parse(line["acked ".Length..], CultureInfo.InvariantCulture));
        }

        return last;
    }

    private static bool IsThere(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(place => File.Exists(Path.Combine(place, program)));

    /// <summary>The host is built beside this assembly, under the same name of configuration.</summary>
    private static string FindHost()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string host = Path.Combine(here.Parent!.Parent!.FullName, "Quorate.DiskHost", here.Name, "Quorate.DiskHost.dll");
        return File.Exists(host) ? host : throw new FileNotFoundException($"{host} is not built.");
    }

    private static (int Code, string Output, string Error) Run(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
