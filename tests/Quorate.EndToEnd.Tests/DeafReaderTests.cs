namespace Quorate.EndToEnd.Tests;

/// <summary>
/// Whoever should read what a node prints stands still: its standard error is a pipe that is full before the node
/// starts and is never read. It serves, stops and ends with its codes all the same.
/// </summary>
public sealed class DeafReaderTests(StoppedNode stopped) : IClassFixture<StoppedNode>
{
    [Fact]
    public async Task A_node_stops_in_time_though_nobody_reads()
    {
        using ServedNode node = Deaf(stopped.Copy(), "--master-key-file", stopped.KeyFile);
        node.Start();
        await node.UntilReady();
        node.Signal("TERM");

        // After 10 s it ends itself with another code.
        Assert.Equal(0, node.WaitForEnd());
        Assert.DoesNotContain("stopped", node.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_cannot_use_its_folder_ends_with_its_code()
    {
        string folder = stopped.Copy();
        File.WriteAllText(Path.Combine(folder, "files", "cluster-map"), "of somebody else");
        using ServedNode node = Deaf(folder, "--master-key-file", stopped.KeyFile);
        node.Start();
        Assert.Equal(65, node.WaitForEnd());
    }

    [Fact]
    public void Wrong_settings_end_with_their_code()
    {
        using ServedNode node = Deaf(stopped.Copy(), "--weight", "none");
        node.Start();
        Assert.Equal(64, node.WaitForEnd());
    }

    [Fact]
    public async Task A_second_signal_ends_a_node_at_once()
    {
        using ServedNode node = Deaf(stopped.Copy(), "--master-key-file", stopped.KeyFile);
        node.Start();
        await node.UntilReady();
        using RespSession session = node.Connect();
        Assert.Equal("+OK", session.Call("SET", "a", new string('x', 1 << 20)));
        for (int i = 0; i < 20; i++)
        {
            // What it does not read holds the stop up until the second signal comes.
            session.Send("GET", "a");
        }

        node.SignalUntilEnd("INT");
        Assert.Equal(130, node.WaitForEnd());
    }

    /// <summary>
    /// The runtime's own pipe takes the number of a stream that is not there: a line into it would be taken for
    /// signals.
    /// </summary>
    [Fact]
    public async Task A_node_without_a_standard_error_writes_nowhere()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This test needs /proc.");
        int[] ports = TestPorts.Take(3);
        using var node = new ServedNode(
            stopped.Copy(), ports, "--seeds", $"127.0.0.1:{ports[2]}", "--master-key-file", stopped.KeyFile)
        {
            Launcher = ["sh", "-c", "exec \"$0\" \"$@\" 2>&-"],
        };
        node.Start();
        await node.UntilReady();
        Assert.InRange(WritingEndsOfSecond(node.ProcessId), 0, 1);
        node.Signal("TERM");
        Assert.Equal(0, node.WaitForEnd());
    }

    /// <summary>How many descriptors write to what has the number 2; one is the runtime's.</summary>
    private static int WritingEndsOfSecond(int process)
    {
        string? taken = TargetOf("2");
        return taken is null
            ? 0
            : Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Select(path => Path.GetFileName(path))
                .Count(number => TargetOf(number) == taken && FlagsOf(number)[^1] != '0');

        string? TargetOf(string number) => new FileInfo($"/proc/{process}/fd/{number}").LinkTarget;

        string FlagsOf(string number) => File.ReadLines($"/proc/{process}/fdinfo/{number}")
            .First(line => line.StartsWith("flags:", StringComparison.Ordinal));
    }

    /// <summary>The shell holds the pipe's reading end open, fills the pipe, and becomes the node.</summary>
    private static ServedNode Deaf(string folder, params string[] more)
    {
        Tools.SkipWithout("mkfifo", "dd");
        int[] ports = TestPorts.Take(3);
        string pipe = folder + ".pipe";
        return new ServedNode(folder, ports, ["--seeds", $"127.0.0.1:{ports[2]}", .. more])
        {
            Launcher =
            [
                "sh", "-c",
                $"mkfifo {pipe}; exec 7<>{pipe}; dd if=/dev/zero of={pipe} bs=4096 oflag=nonblock status=none "
                    + "2>/dev/null; exec \"$0\" \"$@\" 2>&7",
            ],
        };
    }
}
