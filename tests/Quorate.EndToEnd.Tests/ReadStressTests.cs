using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// One node as a process, short of memory: clients read pairs of keys that transactions write, while others write so
/// much that checkpoints are taken, files merged and rows evicted all the time. Every read can be judged by itself.
/// </summary>
[Collection(Alone.Name)]
public sealed class ReadStressTests : IDisposable
{
    private const int Pairs = 4;
    private const int ReadersOfEach = 2;
    private const int FillerKeys = 2000;

    /// <summary>Transactions of each pair, beyond which it is enough once checkpoints have been seen.</summary>
    private static readonly int WritesMin = LongRun.Count("QUORATE_STRESS_WRITES", 2000);

    private readonly ServedCluster _cluster = new(1, "--expect", "1", "--request-deadline-ms", "60000");
    private readonly long[] _acknowledged = new long[Pairs];
    private readonly long[] _sent = new long[Pairs];
    private readonly List<string> _problems = [];
    private long _reads;
    private volatile bool _isOver;

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task Reads_see_whole_transactions_while_checkpoints_and_evictions_go_on()
    {
        _cluster.Start();
        await _cluster.UntilReady();
        ServedNode node = _cluster.Nodes[0];
        for (int pair = 0; pair < Pairs; pair++)
        {
            await _cluster.UntilSays(node, "+OK", "MSET", $"{{p{pair}}}a", "0", $"{{p{pair}}}b", "0");
        }

        List<Thread> threads = [new(() => Guarded(() => Fill(node)))];
        for (int i = 0; i < Pairs; i++)
        {
            int pair = i;
            threads.Add(new(() => Guarded(() => Write(node, pair))));
            for (int j = 0; j < ReadersOfEach; j++)
            {
                threads.Add(new(() => Guarded(() => Read(node, pair))));
            }
        }

        threads.ForEach(thread => thread.Start());
        await _cluster.Until(
            async () => _problems.Count > 0
                || (_acknowledged.All(written => Interlocked.Read(in written) >= WritesMin)
                    && await FilesOf(node) >= 3),
            "there were enough transactions, and checkpoints beside them");
        _isOver = true;
        threads.ForEach(thread => thread.Join());
        Assert.Empty(_problems);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{_acknowledged.Sum()} transactions, {_reads} reads"));
    }

    /// <summary>Sorted files in the folder: each checkpoint makes one.</summary>
    private static Task<int> FilesOf(ServedNode node) => Task.FromResult(
        Directory.EnumerateFiles(node.Folder, "*.sst", SearchOption.AllDirectories).Count());

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // A thread's exception would end the process of all tests.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Problem(e.ToString());
        }
    }

    private void Problem(string problem)
    {
        lock (_problems)
        {
            _problems.Add(problem);
        }

        _isOver = true;
    }

    private void Write(ServedNode node, int pair)
    {
        using RespSession session = node.Connect();
        for (long value = 1; !_isOver; value++)
        {
            string text = value.ToString(CultureInfo.InvariantCulture);
            Interlocked.Exchange(ref _sent[pair], value);
            session.Call("MULTI");
            session.Call("SET", $"{{p{pair}}}a", text);
            session.Call("SET", $"{{p{pair}}}b", text);
            string reply = session.Call("EXEC");
            if (reply != "[+OK, +OK]")
            {
                Problem($"EXEC was answered with {reply}");
                return;
            }

            Interlocked.Exchange(ref _acknowledged[pair], value);
        }
    }

    private void Read(ServedNode node, int pair)
    {
        using RespSession session = node.Connect();
        long seen = 0;
        while (!_isOver)
        {
            long atLeast = Math.Max(seen, Interlocked.Read(ref _acknowledged[pair]));
            string reply = session.Call("MGET", $"{{p{pair}}}a", $"{{p{pair}}}b");
            long atMost = Interlocked.Read(ref _sent[pair]);
            string[] both = reply.Trim('[', ']').Split(", ");
            if (both.Length != 2 || both[0] != both[1] || !long.TryParse(both[0], out seen)
                || seen < atLeast || seen > atMost)
            {
                Problem($"pair {pair} reads {reply}, between {atLeast} and {atMost}");
                return;
            }

            Interlocked.Increment(ref _reads);
        }
    }

    private void Fill(ServedNode node)
    {
        using RespSession session = node.Connect();
        string value = new('v', 32 * 1024);
        for (int i = 0; !_isOver; i++)
        {
            string reply = session.Call("SET", $"filler-{i % FillerKeys}", value);
            if (reply != "+OK" && !reply.StartsWith("-OOM", StringComparison.Ordinal)
                && !reply.StartsWith("-TRYAGAIN", StringComparison.Ordinal))
            {
                Problem($"a filler was answered with {reply}");
            }
        }
    }
}
