using System.Diagnostics;
using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>Disks that fill up, and disks that fail, under real processes.</summary>
public sealed class DiskTests
{
    private const int DiskFailed = 74;
    private const long FileSystemBytes = 768L * 1024 * 1024;

    /// <summary>What the test leaves free, over what the node keeps for itself (64 MiB).</summary>
    private const long LeftBytes = 72L * 1024 * 1024;

    /// <summary>Less than what the node keeps for itself.</summary>
    private const long OverfullLeftBytes = 24L * 1024 * 1024;

    /// <summary>More than all segments that the log has made ready can take.</summary>
    private const int WritesMax = 4000;

    [Fact]
    public async Task A_full_disk_refuses_writes_in_time_and_takes_them_again()
    {
        Tools.SkipUnlessRoot("mount a file system");
        using var cluster = new ServedCluster(1);
        ServedNode node = cluster.Nodes[0];
        using FileSystem disk = FileSystem.Mount(node.Folder, FileSystemBytes);
        cluster.Start();
        await cluster.UntilReady();
        Assert.Equal("+OK", node.Ask("SET", "first", "1"));
        string ballast = Path.Combine(node.Folder, "ballast");
        disk.FillUp(ballast, LeftBytes);
        string value = new('v', 64 * 1024);
        string refusal = "";
        List<string> acknowledged = [];
        using (RespSession session = node.Connect())
        {
            for (int i = 0; i < WritesMax && refusal.Length == 0; i++)
            {
                string key = string.Create(CultureInfo.InvariantCulture, $"key-{i}");
                string reply = session.Call("SET", key, value);
                if (reply == "+OK")
                {
                    acknowledged.Add(key);
                }
                else
                {
                    refusal = reply;
                }
            }
        }

        Assert.StartsWith("-OOM the disk", refusal, StringComparison.Ordinal);
        Assert.Equal("1", node.Ask("GET", "first"));
        Assert.Contains("disk", string.Concat((await node.Reported()).GetProperty("alarms").EnumerateArray()
            .Select(alarm => alarm.GetString())), StringComparison.OrdinalIgnoreCase);

        // It can end and start on the full disk, too.
        node.Signal("TERM");
        Assert.Equal(0, node.WaitForEnd());
        node.Start();
        await cluster.UntilReady();
        Assert.Equal("1", node.Ask("GET", "first"));
        File.Delete(ballast);
        await cluster.UntilSays(node, "+OK", "SET", "last", "2");
        foreach (string key in acknowledged)
        {
            Assert.True(node.Ask("GET", key) == value, $"{key} was acknowledged");
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{acknowledged.Count} writes, then {refusal}");
    }

    /// <summary>
    /// The worst case of a start: less is free than the node keeps for itself, and no segment of the log is left that
    /// could be used again. What it keeps for itself is kept for this.
    /// </summary>
    [Fact]
    public async Task It_starts_on_a_disk_that_is_fuller_than_its_reserve_without_a_spare_segment()
    {
        Tools.SkipUnlessRoot("mount a file system");
        using var cluster = new ServedCluster(1);
        ServedNode node = cluster.Nodes[0];
        using FileSystem disk = FileSystem.Mount(node.Folder, FileSystemBytes);
        for (int start = 0; start < 3; start++)
        {
            node.Start();
            await cluster.UntilReady();
            await (start == 0
                ? cluster.UntilSays(node, "+OK", "SET", "first", "1")
                : cluster.UntilSays(node, "1", "GET", "first"));
            node.Signal(start == 1 ? "KILL" : "TERM");
            node.WaitForEnd();
            string ballast = Path.Combine(node.Folder, "ballast");
            File.Delete(ballast);
            foreach (string spare in Directory.EnumerateFiles(Path.Combine(node.Folder, "files"), "node-log-*")
                .Where(file => File.ReadAllBytes(file).AsSpan().IndexOfAnyExcept((byte)0) < 0))
            {
                File.Delete(spare);
            }

            disk.FillUp(ballast, OverfullLeftBytes);
        }

        File.Delete(Path.Combine(node.Folder, "ballast"));
        node.Start();
        await cluster.UntilSays(node, "+OK", "SET", "last", "2");
        Assert.Equal("1", node.Ask("GET", "first"));
    }

    [Fact]
    public async Task A_disk_that_fails_ends_its_node_and_no_other()
    {
        Tools.SkipWithout("strace");
        Tools.SkipUnlessRoot("make a process's system calls fail");
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        using var load = RecordedLoad.Start(cluster);
        await cluster.Until(() => Task.FromResult(load.Done > 1000), "the load is under way");
        ServedNode leader = await cluster.LeaderOfWhole();
        int said = leader.Said.Length;
        using Process strace = Process.Start(new ProcessStartInfo(
            "strace",
            [
                "-f", "-qq", "-e", "signal=none", "-e", "trace=fsync,fdatasync,pwrite64",
                "-e", "inject=fsync,fdatasync,pwrite64:error=EIO", "-o", Path.Combine(cluster.Folder, "trace"),
                "-p", leader.ProcessId.ToString(CultureInfo.InvariantCulture),
            ]))!;
        Assert.Equal(DiskFailed, leader.WaitForEnd());
        strace.WaitForExit();
        string[] last = [.. leader.Said[said..].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith("quorate: ", StringComparison.Ordinal))];
        Assert.Single(last);
        Assert.EndsWith(".", last[0].Trim(), StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper!.WriteLine(last[0]);

        ServedNode[] others = [.. cluster.Nodes.Except([leader])];
        await cluster.LeaderOfWhole(leader);
        long done = load.Done;
        await cluster.Until(() => Task.FromResult(load.Done > done + 500), "the others go on");
        Assert.All(others, node => Assert.DoesNotContain("refused to sync", node.Said, StringComparison.Ordinal));
        leader.Start();
        await cluster.UntilReady();
        await load.Judge();
    }

    [Fact]
    public async Task A_full_disk_of_one_node_of_three_stops_nobodys_writes()
    {
        Tools.SkipUnlessRoot("mount a file system");
        using var cluster = new ServedCluster(3);
        ServedNode full = cluster.Nodes[2];
        using FileSystem disk = FileSystem.Mount(full.Folder, FileSystemBytes);
        cluster.Start();
        await cluster.UntilReady();
        disk.FillUp(Path.Combine(full.Folder, "ballast"), LeftBytes);
        string value = new('v', 64 * 1024);
        int written = 0;
        await cluster.Until(
            async () =>
            {
                for (int i = 0; i < 64; i++)
                {
                    string key = string.Create(CultureInfo.InvariantCulture, $"key-{written % 500}");
                    await cluster.UntilSays(cluster.Nodes[written % 2], "+OK", "SET", key, value);
                    written++;
                }

                return full.Said.Contains("The disk is full", StringComparison.Ordinal);
            },
            "the disk is full");

        // From here on the others go on without a write that is refused for the sake of the full one.
        await cluster.UntilReady(cluster.Nodes[0], cluster.Nodes[1]);
        await cluster.Until(async () => await LeadsNothing(cluster.Nodes[0], 3), "it leads nothing");
        for (int i = 0; i < 200; i++)
        {
            string key = string.Create(CultureInfo.InvariantCulture, $"after-{i}");
            await cluster.UntilSays(cluster.Nodes[i % 2], "+OK", "SET", key, "1");
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"it was full after {written} writes of 64 KiB");
    }

    private static async Task<bool> LeadsNothing(ServedNode asked, uint node) =>
        await asked.Report() is { } report && report.GetProperty("partitions").EnumerateArray().All(partition =>
            partition.GetProperty("leader") is { ValueKind: System.Text.Json.JsonValueKind.Number } leader
            && leader.GetUInt32() != node);
}
