using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>Some nodes as real processes on this machine.</summary>
internal sealed class ServedCluster : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-").FullName;

    public ServedCluster(int count, params string[] more)
        : this([.. Enumerable.Repeat(IPAddress.Loopback, count)], more)
    {
    }

    /// <param name="more">Of each node, by its free port for a cluster endpoint.</param>
    public ServedCluster(int count, Func<int, string[]> more)
        : this([.. Enumerable.Repeat(IPAddress.Loopback, count)], more)
    {
    }

    /// <param name="addresses">Of each node.</param>
    public ServedCluster(IPAddress[] addresses, params string[] more)
        : this(addresses, _ => more)
    {
    }

    private ServedCluster(IPAddress[] addresses, Func<int, string[]> more)
    {
        int[] ports = TestPorts.Take(4 * addresses.Length);
        ClusterPorts = ports[(3 * addresses.Length)..];
        string seeds = string.Join(',', addresses.Select((address, i) => $"{address}:{ports[(3 * i) + 2]}"));
        Nodes = [.. addresses.Select((address, i) => new ServedNode(
            Path.Combine(_folder, $"node-{i + 1}"), address, ports[(3 * i)..((3 * i) + 3)],
            ["--bind", address.ToString(), "--seeds", seeds, .. more(ClusterPorts[i])]))];
    }

    public ServedNode[] Nodes { get; }

    /// <summary>A free port for each node's cluster endpoint.</summary>
    public int[] ClusterPorts { get; }

    public string AllSaid => string.Join("\n----\n", Nodes.Select(node => node.Said));

    /// <summary>A folder of the cluster's, for the tests' own files.</summary>
    public string Folder => _folder;

    public void Start() => Array.ForEach(Nodes, node => node.Start());

    /// <summary>Waits until each node says that clients may come.</summary>
    public Task UntilReady() => UntilReady(Nodes);

    public async Task UntilReady(params ServedNode[] nodes)
    {
        foreach (ServedNode node in nodes)
        {
            await Until(
                async () => await node.Get("/health/ready") is { Code: HttpStatusCode.OK }, "every node is ready");
        }
    }

    /// <summary>Asks again until it says this: while leaders are looked for it may say an error.</summary>
    public Task UntilSays(ServedNode node, string reply, params string[] words) => Until(
        () => Task.FromResult(string.Equals(node.Ask(words), reply, StringComparison.Ordinal)),
        $"{string.Join(' ', words)} is answered by {reply}");

    /// <summary>As UntilSays, of a keyspace.</summary>
    public Task UntilSaysOf(string keyspace, ServedNode node, string reply, params string[] words)
    {
        Func<Task<bool>> saysIt =
            () => Task.FromResult(string.Equals(node.AskOf(keyspace, words), reply, StringComparison.Ordinal));
        return Until(saysIt, $"{string.Join(' ', words)} is answered by {reply}");
    }

    /// <summary>Makes a keyspace of one partition: whoever leads it leads all of its keys.</summary>
    public async Task CreateWhole(string name)
    {
        await Create(name, 1);
        await LeaderOfWhole();
    }

    /// <summary>Makes a keyspace of so many partitions, all of which have a leader then.</summary>
    public async Task Create(string name, int partitions)
    {
        string count = partitions.ToString(CultureInfo.InvariantCulture);
        string made = "";
        await Until(
            () =>
            {
                made = Nodes[0].Ask("KEYSPACE", "CREATE", name, "PARTITIONS", count) ?? "";
                return Task.FromResult(made.StartsWith("+OK", StringComparison.Ordinal)
                    || made.Contains("exists", StringComparison.Ordinal));
            },
            $"keyspace {name} is made");
        await UntilReady();
    }

    /// <summary>The node that says of itself that it leads the keyspace of one partition.</summary>
    public async Task<ServedNode> LeaderOfWhole(params ServedNode[] besides)
    {
        ServedNode? leader = null;
        await Until(
            async () =>
            {
                foreach (ServedNode node in Nodes.Except(besides))
                {
                    leader ??= await LeadsWhole(node) ? node : null;
                }

                return leader is not null;
            },
            "the one partition has a leader");
        return leader!;
    }

    public async Task Until(Func<Task<bool>> isSo, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(clock.Elapsed < Soon.Patience, $"not in {Soon.Patience}: {what}\n{AllSaid}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<bool> LeadsWhole(ServedNode node)
    {
        if (await node.Report() is not { } report)
        {
            return false;
        }

        foreach (JsonElement partition in report.GetProperty("partitions").EnumerateArray())
        {
            JsonElement leader = partition.GetProperty("leader");
            if (string.Equals(partition.GetProperty("slots").GetString(), "0-16383", StringComparison.Ordinal)
                && leader.ValueKind == JsonValueKind.Number)
            {
                return leader.GetUInt32() == report.GetProperty("self").GetUInt32();
            }
        }

        return false;
    }

    public void Dispose()
    {
        Array.ForEach(Nodes, node => node.Dispose());
        Directory.Delete(_folder, recursive: true);
    }
}
