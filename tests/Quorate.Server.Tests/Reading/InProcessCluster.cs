using System.Globalization;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;
using Quorate.Server.Tests.Resp;

namespace Quorate.Server.Tests.Reading;

/// <summary>A node of an <see cref="InProcessCluster"/>.</summary>
internal sealed record InProcessNode(NodeProcess Process, int RespPort, int HttpPort)
{
    public NodeLoop Loop => Process.Facts.Loop;
}

/// <summary>Whole nodes in the test's own process, so that a test can look into them while real threads run.</summary>
internal sealed class InProcessCluster : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-").FullName;
    private readonly List<InProcessNode> _nodes = [];
    private readonly List<string> _ends = [];

    public IReadOnlyList<InProcessNode> Nodes => _nodes;

    public static async Task<InProcessCluster> Start(int count)
    {
        var cluster = new InProcessCluster();
        int[] ports = TestPorts.Take(3 * count);
        string[] seeds = [.. Enumerable.Range(0, count).Select(i => $"127.0.0.1:{ports[(3 * i) + 2]}")];
        for (int i = 0; i < count; i++)
        {
            var settings = new ServerSettings
            {
                Data = Path.Combine(cluster._folder, $"node-{i + 1}"),
                Seeds = seeds,
                Expect = count,
                RespPort = ports[3 * i],
                HttpPort = ports[(3 * i) + 1],
                PeerPort = ports[(3 * i) + 2],
                MemoryBytes = 512L * 1024 * 1024,
            };
            (NodeProcess? process, _, string problem) = await NodeProcess.Start(
                settings, _ => { }, (code, sentence) => cluster.NoteEnd($"{code}: {sentence}"));
            Assert.True(process is not null, problem);
            cluster._nodes.Add(new(process, ports[3 * i], ports[(3 * i) + 1]));
        }

        await cluster.UntilDone("default", "SET k 1");
        return cluster;
    }

    /// <summary>Waits until every node does a command in a keyspace.</summary>
    public async Task UntilDone(string keyspace, string command)
    {
        foreach (InProcessNode node in _nodes)
        {
            using var client = new RawClient(node.RespPort);
            await Soon.Is(
                () => Ends.Length > 0
                    || client.RunAll($"KEYSPACE USE {keyspace}", command) is ["+OK\r\n", "+OK\r\n"],
                $"{command} is done");
            Assert.Empty(Ends);
        }
    }

    /// <summary>The sum of a metric over the nodes.</summary>
    public async Task<long> CountOfMetric(string name)
    {
        long sum = 0;
        using var http = new HttpClient();
        foreach (InProcessNode node in _nodes)
        {
            string text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{node.HttpPort}/metrics"));
            sum += text.Split('\n')
                .Where(line => line.StartsWith(name, StringComparison.Ordinal))
                .Sum(line => long.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture));
        }

        return sum;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (InProcessNode node in _nodes)
        {
            await node.Process.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
        Assert.Empty(Ends);
    }

    /// <summary>With what nodes have ended, which none should.</summary>
    private string[] Ends
    {
        get
        {
            lock (_ends)
            {
                return [.. _ends];
            }
        }
    }

    private void NoteEnd(string end)
    {
        lock (_ends)
        {
            _ends.Add(end);
        }
    }
}
