using System.Diagnostics;
using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>Nodes in network namespaces that lose sight of each other, while their clients reach all of them.</summary>
public sealed class NetworkTests : IDisposable
{
    private const int DeadlineMilliseconds = 2000;
    private const int Writers = 8;

    /// <summary>An answer that takes so much longer than the deadline hangs, however busy the machine is.</summary>
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(60);

    private readonly Namespaces _network = Namespaces.Create(3);
    private volatile bool _isCutting;
    private volatile bool _isCut;

    public void Dispose() => _network.Dispose();

    [Fact]
    public async Task A_leader_alone_says_what_it_may_and_hangs_on_nothing()
    {
        using ServedCluster cluster = await Begin();
        ServedNode old = await cluster.LeaderOfWhole();
        ServedNode other = cluster.Nodes.First(node => node != old);
        await cluster.UntilSaysOf("whole", old, "+OK", "SET", "a", "1");
        await cluster.UntilSaysOf("whole", old, "1", "GET", "a");
        RespSession[] sessions = [.. Enumerable.Range(0, 3).Select(_ => old.ConnectTo("whole", AnswerMax))];
        using RespSession reader = sessions[0];
        using RespSession writer = sessions[1];
        using RespSession eventual = sessions[2];
        Assert.Equal("+OK", eventual.Call("CONSISTENCY", "READ", "eventual"));

        // Writes that are under way when the leader loses the others: it has proposed them and cannot know their end.
        Task<List<string>>[] lastWords = [.. Enumerable.Range(0, Writers)
            .Select(id => Task.Factory.StartNew(
                () => WriteUntilCut(old, Text(id)), TaskCreationOptions.LongRunning))];
        await cluster.Until(() => Task.FromResult(old.AskOf("whole", "EXISTS", "w-0", "w-7") == ":2"), "they write");
        _isCutting = true;
        _network.Isolate(Array.IndexOf(cluster.Nodes, old));
        _isCut = true;
        string[] errors = [.. (await Task.WhenAll(lastWords)).SelectMany(each => each)];
        Assert.Contains(errors, error => error.StartsWith("-UNKNOWN", StringComparison.Ordinal));

        await cluster.UntilSaysOf("whole", other, "+OK", "SET", "a", "2");
        Assert.Equal("1", Timed(eventual, "GET", "a"));
        string read = Timed(reader, "GET", "a");
        Assert.True(read[0] == '-' && !read.StartsWith("-UNKNOWN", StringComparison.Ordinal), read);
        string write = Timed(writer, "SET", "a", "3");
        Assert.True(write[0] == '-' && !write.StartsWith("-UNKNOWN", StringComparison.Ordinal), write);
        Assert.Equal("1", Timed(eventual, "GET", "a"));
        TestContext.Current.TestOutputHelper!.WriteLine($"{string.Join('\n', errors)}\n{read}\n{write}");

        _network.Heal();
        await cluster.UntilSaysOf("whole", old, "2", "GET", "a");
        await cluster.UntilSaysOf("whole", other, "2", "GET", "a");
        await Converges(cluster);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_cut_in_one_direction_stops_nobody_for_long(bool isLeaderDeaf, bool isCutFromAll)
    {
        using ServedCluster cluster = await Begin();
        ServedNode leader = await cluster.LeaderOfWhole();
        int at = Array.IndexOf(cluster.Nodes, leader);
        int[] others = [.. Enumerable.Range(0, 3).Where(node => node != at)];
        foreach (int other in isCutFromAll ? others : others[..1])
        {
            _network.Cut(isLeaderDeaf ? other : at, isLeaderDeaf ? at : other);
        }

        // The last of the others hears and is heard by at least one more in every case.
        for (int i = 0; i < 20; i++)
        {
            await cluster.UntilSaysOf("whole", cluster.Nodes[others[1]], "+OK", "SET", "a", Text(i));
        }

        await cluster.UntilSaysOf("whole", cluster.Nodes[others[1]], "19", "GET", "a");
        _network.Heal();
        foreach (ServedNode node in cluster.Nodes)
        {
            await cluster.UntilSaysOf("whole", node, "19", "GET", "a");
        }

        await Converges(cluster);
    }

    [Fact]
    public async Task A_network_that_comes_and_goes_loses_nothing()
    {
        int flaps = LongRun.Count("QUORATE_FLAPS", 6);
        using ServedCluster cluster = await Begin();
        using var load = RecordedLoad.Start(cluster);
        await cluster.Until(() => Task.FromResult(load.Done > 500), "the load is under way");
        for (int i = 0; i < flaps; i++)
        {
            // Each time another one, and for another while: shorter than an election, and longer.
            ServedNode cut = i % 2 == 0 ? await cluster.LeaderOfWhole() : cluster.Nodes[i % 3];
            _network.Isolate(Array.IndexOf(cluster.Nodes, cut));
            await Task.Delay(200 + (i * 400), TestContext.Current.CancellationToken);
            _network.Heal();
            long done = load.Done;
            await cluster.Until(() => Task.FromResult(load.Done > done + 300), "the load goes on");
        }

        await load.Judge();
        await Converges(cluster);
    }

    private async Task<ServedCluster> Begin()
    {
        var cluster = new ServedCluster(
            _network.Addresses, "--insecure", "--request-deadline-ms", Text(DeadlineMilliseconds));
        try
        {
            for (int i = 0; i < cluster.Nodes.Length; i++)
            {
                cluster.Nodes[i].Launcher = _network.Launcher(i);
            }

            cluster.Start();
            await cluster.UntilReady();
            await cluster.CreateWhole("whole");
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>The errors from when the cutting began to the first after its end; those before are of a busy
    /// machine.</summary>
    private List<string> WriteUntilCut(ServedNode node, string id)
    {
        using RespSession session = node.ConnectTo("whole", AnswerMax);
        List<string> errors = [];
        while (true)
        {
            bool isCut = _isCut;
            string reply = Timed(session, "SET", $"w-{id}", "x");
            if (reply != "+OK" && _isCutting)
            {
                errors.Add(reply);
                if (isCut)
                {
                    return errors;
                }
            }
        }
    }

    /// <summary>Fails when the answer takes much longer than the deadline of requests.</summary>
    private static string Timed(RespSession session, params string[] words)
    {
        var clock = Stopwatch.StartNew();
        string reply = session.Call(words);
        Assert.True(clock.Elapsed < AnswerMax, $"{string.Join(' ', words)} took {clock.Elapsed}: {reply}");
        return reply;
    }

    /// <summary>All replicas of all partitions are heard and have all that their leaders have.</summary>
    private static Task Converges(ServedCluster cluster) => cluster.Until(
        async () =>
        {
            foreach (ServedNode node in cluster.Nodes)
            {
                if (node.AskOf("whole", "GET", "a") is null or ['-', ..]
                    || await node.Report() is not { } report
                    || report.GetProperty("partitions").EnumerateArray().Any(
                        partition => partition.GetProperty("isUnderReplicated").GetBoolean()))
                {
                    return false;
                }
            }

            return true;
        },
        "all replicas have everything");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
