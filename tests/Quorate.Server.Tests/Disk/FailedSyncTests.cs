using System.Diagnostics;
using System.Globalization;

namespace Quorate.Server.Tests.Disk;

/// <summary>
/// A real process whose disk fails it (pitfalls R11, S11): the system call that makes things durable is made to fail,
/// each in turn, and the process ends with one sentence, having acknowledged nothing that a restart does not find.
/// </summary>
public sealed class FailedSyncTests
{
    private const int RecordsInRun = 9;
    private const int DiskFailed = 74;

    /// <summary>Fewer calls of a thread cannot make so many records durable and a second segment ready.</summary>
    private const int CallsMin = 3;

    /// <summary>Far more calls than a run makes; a run that meets no failure ends the test before.</summary>
    private const int CallsMax = 60;

    private static readonly string Host = FindHost();

    /// <summary>
    /// Calls are counted by thread. A log that writes past the page cache syncs by its writes, and its disk's other
    /// thread by calls of their own; one that does not syncs on both.
    /// </summary>
    [Theory]
    [InlineData("pwrite64", "")]
    [InlineData("fsync,fdatasync", "")]
    [InlineData("fsync,fdatasync", "cached")]
    public void Nothing_is_acknowledged_after_a_failed_call(string calls, string mode)
    {
        SkipWithoutTools();
        for (int call = 1; call <= CallsMax; call++)
        {
            using var folder = new TemporaryFolder();
            Assert.Equal(0, Run("dotnet", $"{Host} append {folder.Path}/node 0").Code);
            (int code, string output, string error) = RunFailing(folder, calls, call, mode);
            ulong acknowledged = Acknowledged(output);
            if (!WasInjected(folder))
            {
                Assert.Equal((0, RecordsInRun), (code, (int)acknowledged));
                Assert.True(call > CallsMin, $"only {call - 1} calls were made to fail");
                return;
            }

            AssertEnded(call, code, output, error);
            (code, output, error) = Run("dotnet", $"{Host} append {folder.Path}/node 0");
            Assert.Equal((0, ""), (code, error));
            ulong opened = ulong.Parse(output.Trim()["opened ".Length..], CultureInfo.InvariantCulture);
            Assert.True(opened >= acknowledged, $"call {call}: {acknowledged} acknowledged, {opened} found");
        }

        Assert.Fail("a run makes fewer calls than the bound");
    }

    /// <summary>The folder's own identity is written with the same care.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_folder_is_not_named_when_a_sync_fails(int call)
    {
        SkipWithoutTools();
        using var folder = new TemporaryFolder();
        (int code, string output, string error) = RunFailing(folder, "fsync", call, "");
        Assert.True(WasInjected(folder));
        AssertEnded(call, code, output, error);
        Assert.Equal("", output);
        Assert.Contains("identity", error, StringComparison.Ordinal);
        Assert.Equal(0, Run("dotnet", $"{Host} append {folder.Path}/node 1").Code);
    }

    /// <summary>Whoever named it may have died before the name was durable (pitfall R28).</summary>
    [Fact]
    public void A_name_that_was_found_is_made_durable_first()
    {
        SkipWithoutTools();
        using var folder = new TemporaryFolder();
        Assert.Equal(0, Run("dotnet", $"{Host} append {folder.Path}/node 1").Code);
        (int code, string output, string error) = RunFailing(folder, "fsync", 1, "");
        AssertEnded(1, code, output, error);
        Assert.Equal("", output);
        Assert.Contains("refused to sync", error, StringComparison.Ordinal);
        Assert.Equal(0, Run("dotnet", $"{Host} append {folder.Path}/node 1").Code);
    }

    private static void SkipWithoutTools() =>
        Assert.SkipUnless(IsThere("strace"), "This test makes system calls fail with strace, which is not installed.");

    private static (int Code, string Output, string Error) RunFailing(
        TemporaryFolder folder, string calls, int call, string mode)
    {
        string failing = string.Create(CultureInfo.InvariantCulture, $"{calls}:error=EIO:when={call}");
        return Run(
            "strace",
            $"-f -qq -e signal=none -e trace={calls} -e inject={failing} -o {folder.Path}/trace "
                + $"dotnet {Host} append {folder.Path}/node {RecordsInRun} {mode}");
    }

    private static bool WasInjected(TemporaryFolder folder) =>
        File.ReadAllText(Path.Combine(folder.Path, "trace")).Contains("INJECTED", StringComparison.Ordinal);

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
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(place => File.Exists(Path.Combine(place, program)));

    /// <summary>The host is built beside this assembly, under the same name of configuration.</summary>
    private static string FindHost()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        string all = here.Parent!.Parent!.FullName;
        string host = Path.Combine(all, "Quorate.DiskHost", here.Name, "Quorate.DiskHost.dll");
        return File.Exists(host) ? host : throw new FileNotFoundException($"{host} is not built.");
    }

    private static (int Code, string Output, string Error) Run(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
