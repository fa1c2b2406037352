using System.Globalization;
using System.Text.Json;
using Quorate.Cli.Load;
using Quorate.Core.Checking;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// The leader of a keyspace of one partition is killed again and again (kill -9) under the load of many clients. What
/// they saw must be linearizable, and what was acknowledged must be there at the end.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Clients = 32;
    private const int Keys = 2000;

    /// <summary>Requests a second of each client: enough that some are always under way.</summary>
    private const int Rate = 60;

    /// <summary>Whether failover is fast is measured elsewhere; beyond this it is broken.</summary>
    private static readonly TimeSpan GapMax = TimeSpan.FromSeconds(30);

    /// <summary>Between a node's return and the next kill: all three have what the leader has.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task Leaders_die_under_load_and_nothing_acknowledged_is_lost()
    {
        int kills = LongRun.Count("QUORATE_KILLS", 5);
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        string history = Path.Combine(cluster.Folder, "history");
        var run = new LoadRun(Load(cluster, history));
        using var stop = new CancellationTokenSource();
        Task<LoadResult> load = run.Run(null, stop.Token);
        await cluster.Until(() => Task.FromResult(run.Done > 1000), "the load is under way");
        List<long> killed = [];
        for (int i = 0; i < kills; i++)
        {
            ServedNode leader = await cluster.LeaderOfWhole();
            killed.Add(LoadRun.Microseconds);
            leader.Kill();
            long done = run.Done;
            await cluster.Until(() => Task.FromResult(run.Done > done + 500), "the others go on");
            leader.Start();
            await cluster.UntilReady(leader);
            await Task.Delay(Breath, TestContext.Current.CancellationToken);
        }

        await stop.CancelAsync();
        LoadResult result = await load;
        Assert.Null(result.Failure);
        List<HistoryLine> lines = [.. File.ReadLines(history).Select(line => Parse(line))];
        lines.AddRange(await ReadBack(cluster, lines));
        Judge(history, lines);
        TellGaps(lines, killed);
        output.WriteLine($"{lines.Count} requests, {result.Refused} refused, {result.Unknown} unknown");
    }

    private static LoadSettings Load(ServedCluster cluster, string history) => new()
    {
        Hosts = [.. cluster.Nodes.Select(node => node.Resp)],
        Mix = [(LoadVerb.Get, 45), (LoadVerb.Set, 40), (LoadVerb.Delete, 5), (LoadVerb.Increment, 10)],
        Keyspace = "whole",
        Clients = Clients,
        Keys = Keys,
        RatePerClient = Rate,
        ValueBytes = 64,
        Time = TimeSpan.FromHours(1),
        WarmUp = TimeSpan.Zero,
        HistoryFile = history,
    };

    /// <summary>Every key is read once more, after all: the reads are part of the history that is judged.</summary>
    private static async Task<List<HistoryLine>> ReadBack(ServedCluster cluster, List<HistoryLine> lines)
    {
        await cluster.UntilReady();
        ServedNode leader = await cluster.LeaderOfWhole();
        using RespSession session = leader.Connect();
        Assert.Equal("+OK", session.Call("KEYSPACE", "USE", "whole"));
        List<HistoryLine> reads = [];
        foreach (string key in lines.Select(line => line.Key).Distinct(StringComparer.Ordinal))
        {
            long start = LoadRun.Microseconds;
            string value = session.Call("GET", key);
            Assert.False(value.StartsWith('-'), value);

            // A value is its number, then filling; the number alone is in the history.
            string digits = new([.. value.TakeWhile(c => char.IsDigit(c))]);
            long? number = string.Equals(value, RespSession.Absent, StringComparison.Ordinal)
                ? null
                : long.Parse(digits, CultureInfo.InvariantCulture);
            reads.Add(new HistoryLine(Clients, key, "get", number, start, LoadRun.Microseconds, "done", null));
        }

        return reads;
    }

    private static void Judge(string file, List<HistoryLine> lines)
    {
        using (var writer = new StreamWriter(file, append: false))
        {
            lines.ForEach(line => HistoryFile.Write(writer, line));
        }

        List<string> keys = [];
        List<Operation>? operations = HistoryFile.TryRead(file, keys, out string problem);
        Assert.True(operations is not null, problem);
        LinearizabilityResult result =
            new LinearizabilityChecker(LinearizabilityChecker.DefaultStepsMax).Check([.. operations]);
        Assert.True(result.Verdict == Verdict.Linearizable, $"{result.Verdict}: {result.FirstBroken?.Report()}");
    }

    /// <summary>From each kill to the first acknowledgement of a write that began after it.</summary>
    private void TellGaps(List<HistoryLine> lines, List<long> killed)
    {
        List<double> gaps = [];
        foreach (long kill in killed)
        {
            gaps.Add(lines
                .Where(line => line.Start > kill && line.Outcome == "done" && line.Op != "get")
                .Min(line => line.End!.Value - kill) / 1000.0);
        }

        gaps.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"from a kill to the next acknowledged write, ms: p50 {gaps[gaps.Count / 2]:F0}, worst {gaps[^1]:F0}, "
                + $"all {string.Join(' ', gaps.Select(gap => gap.ToString("F0", CultureInfo.InvariantCulture)))}"));
        Assert.True(gaps[^1] < GapMax.TotalMilliseconds, $"no write was acknowledged for {gaps[^1]} ms");
    }

    private static HistoryLine Parse(string line) => JsonSerializer.Deserialize<HistoryLine>(line)!;
}
