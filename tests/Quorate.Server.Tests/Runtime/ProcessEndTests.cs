using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Quorate.Server.Tests.Runtime;

/// <summary>
/// A process has one end for one cause, on whatever thread that shows, whoever would have caught it and whether anybody
/// reads what it says: one sentence and one exit code.
/// </summary>
public sealed class ProcessEndTests
{
    private const int Internal = 70;
    private const int OutOfMemory = 71;
    private const int InputOutput = 74;

    /// <summary>In hexadecimal digits, as the runtime reads it.</summary>
    private const string HeapBytesMax = "4000000";

    [Theory]
    [InlineData("main")]
    [InlineData("thread")]
    [InlineData("pool")]
    [InlineData("swallowed")]
    [InlineData("socket")]
    public void Its_own_memory_runs_out_in_one_way_on_every_thread(string where)
    {
        (int code, string said) = Run("own-memory", where);
        Assert.Equal(
            (OutOfMemory, "quorate: The 64 MiB for requests and replies on their way, half of --memory, are used up; "
                + "nothing acknowledged is lost. Start the node again, with more of it, or send smaller requests and "
                + "fewer at once.\n"),
            (code, said));
    }

    [Theory]
    [InlineData("main")]
    [InlineData("pool")]
    public void Memory_that_the_system_does_not_give_is_called_the_systems(string where)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This test needs ulimit.");
        (int code, string said) = Run("system-memory", where, "ulimit -v 8000000;");
        Assert.Equal(OutOfMemory, code);
        Assert.StartsWith("quorate: The system gives this process no more memory", said, StringComparison.Ordinal);
        Assert.Single(said.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>The thread pool goes on with the threads that it has, and so must the node.</summary>
    [Fact]
    public void A_thread_that_cannot_be_started_is_no_end()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This test needs ulimit.");
        Assert.Equal((0, ""), Run("threads", "main", "ulimit -v 8000000;"));
    }

    [Theory]
    [InlineData("invariant", "main", "An invariant is broken")]
    [InlineData("invariant", "pool", "An invariant is broken")]
    [InlineData("invariant", "swallowed", "An invariant is broken")]
    [InlineData("defect", "main", "A defect has stopped this node: System.InvalidOperationException: a defect")]
    [InlineData("defect", "socket", "A defect has stopped this node: System.InvalidOperationException: a defect")]
    public void A_defect_ends_with_its_code_on_every_thread(string what, string where, string sentence)
    {
        (int code, string said) = Run(what, where);
        Assert.Equal(Internal, code);
        Assert.StartsWith("quorate: " + sentence, said, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", said, StringComparison.Ordinal);
    }

    /// <summary>The pipe is full before the process starts, and nobody ever reads.</summary>
    [Theory]
    [InlineData("told", "main", InputOutput)]
    [InlineData("own-memory", "pool", OutOfMemory)]
    [InlineData("defect", "thread", Internal)]
    public void The_end_comes_though_nobody_reads_why(string what, string where, int code)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This test needs named pipes.");
        string folder = Directory.CreateTempSubdirectory("quorate-end-").FullName;
        try
        {
            // The shell holds the pipe's reading end open, fills it, and starts the process with the rest.
            const string Full = "mkfifo pipe; exec 7<>pipe; "
                + "dd if=/dev/zero of=pipe bs=4096 oflag=nonblock status=none 2>/dev/null; exec 2>&7;";
            (int ended, string said) = Run(what, where, $"cd {folder}; {Full}");
            Assert.Equal((code, ""), (ended, said));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (int Code, string Said) Run(string what, string where, string first = "")
    {
        var start = new ProcessStartInfo("sh", ["-c", $"{first} exec dotnet {FindHost()} {what} {where}"])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapBytesMax;
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        using var process = new Process { StartInfo = start };
        var said = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
            {
                said.Append(line.Data).Append('\n');
            }
        };
        process.Start();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Soon.Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"it does not end; it said: {said}"));
        }

        process.WaitForExit();
        return (process.ExitCode, said.ToString());
    }

    private static string FindHost()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(
            here.Parent!.Parent!.FullName, "Quorate.EndHost", here.Name, "Quorate.EndHost.dll");
    }
}
