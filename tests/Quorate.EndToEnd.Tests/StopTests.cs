using System.Diagnostics;
using System.Globalization;
using System.Text;
using Quorate.Cli.Load;
using Quorate.Core.Model;

namespace Quorate.EndToEnd.Tests;

/// <summary>A node of three is told to stop while many clients are at it.</summary>
public sealed class StopTests(ITestOutputHelper output)
{
    private const int Partitions = 8;

    /// <summary>
    /// A stop takes 10 s at most by the node's own clock (docs/operating), after which it says so and ends with another
    /// code. Here is only told apart whether it waits for a client: that takes 30 s.
    /// </summary>
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(25);

    [Fact]
    public async Task Nodes_stop_one_after_the_other_under_load_and_nobody_loses_anything()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.Create("eight", Partitions);
        using var load = RecordedLoad.Start(cluster, "eight");
        await cluster.Until(() => Task.FromResult(load.Done > 1000), "the load is under way");
        List<(long From, long To)> stops = [];
        foreach (ServedNode node in cluster.Nodes)
        {
            long from = LoadRun.Microseconds;
            node.Signal("TERM");
            Assert.Equal(0, node.WaitForEnd(StopTimeMax));
            stops.Add((from, LoadRun.Microseconds));
            Assert.Contains("leaderships handed over", node.Said, StringComparison.Ordinal);
            long done = load.Done;
            await cluster.Until(() => Task.FromResult(load.Done > done + 500), "the others go on");
            node.Start();
            await cluster.UntilReady();
        }

        IReadOnlyList<HistoryLine> lines = await load.Judge();
        foreach ((long from, long to) in stops)
        {
            Tell(lines, from, to);
        }

        IEnumerable<string> errors = lines.Where(line => line.Error is not null)
            .GroupBy(line => line.Error!, StringComparer.Ordinal)
            .Select(group => $"{group.Count()} x {group.Key}");
        output.WriteLine(string.Join('\n', errors));
    }

    [Fact]
    public async Task A_client_of_a_node_that_stops_is_told_and_one_that_never_reads_holds_nothing_up()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[1];
        await cluster.UntilSays(node, "+OK", "SET", "a", new string('x', 1 << 20));
        using RespSession asks = node.Connect();
        using RespSession deaf = node.Connect();
        for (int i = 0; i < 20; i++)
        {
            deaf.Send("GET", "a");
        }

        var clock = Stopwatch.StartNew();
        node.Signal("TERM");
        string said = "";
        while (!said.StartsWith('-'))
        {
            Assert.True(clock.Elapsed < StopTimeMax, "it goes on answering");
            said = asks.TryCall("PING") ?? "-the connection closed without a word";
        }

        Assert.Equal("-REFUSED this node is stopping, nothing was done; ask another node", said);
        Assert.Equal(0, node.WaitForEnd(StopTimeMax));
        output.WriteLine($"it took {clock.ElapsedMilliseconds} ms");
    }

    [Fact]
    public async Task A_second_signal_ends_a_node_at_once_and_nothing_is_lost()
    {
        using var cluster = new ServedCluster(1, "--expect", "1");
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        await cluster.UntilSays(node, "+OK", "SET", "a", new string('x', 1 << 20));
        using RespSession deaf = node.Connect();
        for (int i = 0; i < 20; i++)
        {
            // What it does not read holds the stop up until the second signal comes.
            deaf.Send("GET", "a");
        }

        node.SignalUntilEnd("INT");
        Assert.Equal(130, node.WaitForEnd());
        Assert.Contains("Told twice", node.Said, StringComparison.Ordinal);
        node.Start();
        await cluster.UntilReady();
        await cluster.UntilSays(node, ":1048576", "STRLEN", "a");
    }

    /// <summary>The longest time without an acknowledged write of each partition around a stop; not a bound.</summary>
    private void Tell(IReadOnlyList<HistoryLine> lines, long from, long to)
    {
        long until = to + 2_000_000;
        IEnumerable<double> gaps = lines
            .Where(line => line is { Outcome: "done", Op: not "get" } && line.End > from && line.End < until)
            .GroupBy(line => KeyHash.SlotOf(Encoding.UTF8.GetBytes(line.Key)).Value * Partitions / Slot.Count)
            .Select(group => Longest(from, group.Select(line => line.End!.Value).Order()) / 1000.0)
            .OrderDescending();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"stopped within {(to - from) / 1000} ms; longest gap of each partition, ms: "
                + $"{string.Join(' ', gaps.Select(gap => gap.ToString("F0", CultureInfo.InvariantCulture)))}"));
    }

    private static long Longest(long from, IEnumerable<long> ends)
    {
        long longest = 0;
        foreach (long end in ends)
        {
            longest = Math.Max(longest, end - from);
            from = end;
        }

        return longest;
    }
}
