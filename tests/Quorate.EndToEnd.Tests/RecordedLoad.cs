using System.Globalization;
using System.Text.Json;
using Quorate.Cli.Load;
using Quorate.Core.Checking;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A load of many clients on a keyspace, each request recorded: `quorate bench` in this process, so that it
/// ends when the test says. The history is judged with a last read of every key in it.
/// </summary>
internal sealed class RecordedLoad : IDisposable
{
    private const int Clients = 32;
    private const int Keys = 2000;

    /// <summary>Requests a second of each client: enough that some are always under way.</summary>
    private const int Rate = 60;

    private readonly CancellationTokenSource _stop = new();
    private readonly ServedCluster _cluster;
    private readonly string _keyspace;
    private readonly string _file;
    private readonly LoadRun _run;
    private readonly Task<LoadResult> _result;

    private RecordedLoad(ServedCluster cluster, string keyspace)
    {
        _cluster = cluster;
        _keyspace = keyspace;
        _file = Path.Combine(cluster.Folder, "history");
        _run = new LoadRun(Load(cluster, keyspace, _file));
        _result = _run.Run(null, _stop.Token);
    }

    /// <summary>Requests that were answered well so far.</summary>
    public long Done => _run.Done;

    public static RecordedLoad Start(ServedCluster cluster, string keyspace = "whole") => new(cluster, keyspace);

    /// <summary>Ends the load, reads every key, and judges all; the history, for more to be asked of it.</summary>
    public async Task<IReadOnlyList<HistoryLine>> Judge()
    {
        await _stop.CancelAsync();
        LoadResult result = await _result;
        Assert.Null(result.Failure);
        List<HistoryLine> lines = [.. File.ReadLines(_file).Select(line => Parse(line))];
        lines.AddRange(await ReadBack(lines));
        Judge(_file, lines);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{lines.Count} requests, {result.Refused} refused, {result.Unknown} unknown: linearizable");
        return lines;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    private static LoadSettings Load(ServedCluster cluster, string keyspace, string history) => new()
    {
        Hosts = [.. cluster.Nodes.Select(node => node.Resp)],
        Mix = [(LoadVerb.Get, 45), (LoadVerb.Set, 40), (LoadVerb.Delete, 5), (LoadVerb.Increment, 10)],
        Keyspace = keyspace,
        Clients = Clients,
        Keys = Keys,
        RatePerClient = Rate,
        ValueBytes = 64,
        Time = TimeSpan.FromHours(1),
        WarmUp = TimeSpan.Zero,
        HistoryFile = history,
    };

    /// <summary>Every key is read once more, after all: the reads are part of the history that is judged.</summary>
    private async Task<List<HistoryLine>> ReadBack(List<HistoryLine> lines)
    {
        await _cluster.UntilReady();
        using RespSession session = _cluster.Nodes[0].ConnectTo(_keyspace);
        List<HistoryLine> reads = [];
        foreach (string key in lines.Select(line => line.Key).Distinct(StringComparer.Ordinal))
        {
            long start = 0;
            string value = "";
            await Soon.Is(
                () =>
                {
                    start = LoadRun.Microseconds;
                    value = session.Call("GET", key);
                    return !ServedNode.IsForLater(value);
                },
                $"{key} is read");
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

    private static HistoryLine Parse(string line) => JsonSerializer.Deserialize<HistoryLine>(line)!;
}
