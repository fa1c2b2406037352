using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// The whole cluster ends, well or not, and starts again: it is the same one, and has all of its data.
/// </summary>
public sealed class RestartTests
{
    private const int Writes = 50;

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task All_end_and_all_start_again_as_the_same_cluster(string signal)
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        string id = await ClusterOf(cluster.Nodes[0]);
        for (int round = 0; round < 2; round++)
        {
            await Write(cluster, round);
            Array.ForEach(cluster.Nodes, node => node.Signal(signal));
            foreach (ServedNode node in cluster.Nodes)
            {
                int code = node.WaitForEnd();
                Assert.True(code == 0 || signal != "TERM", $"it ends with {code}: {node.Said}");
            }

            cluster.Start();
            await cluster.UntilReady();
            foreach (ServedNode node in cluster.Nodes)
            {
                Assert.Equal(id, await ClusterOf(node));
            }

            await ReadAll(cluster, round);
        }
    }

    /// <summary>
    /// Stopped in order, a node has checkpointed what it had applied. Killed, it has its log, but nobody tells it how
    /// much of that was committed: what it shows may then be older, never an error.
    /// </summary>
    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task A_node_that_starts_alone_answers_what_it_may(string signal)
    {
        using var cluster = new ServedCluster(3, "--request-deadline-ms", "2000");
        cluster.Start();
        await cluster.UntilReady();
        string id = await ClusterOf(cluster.Nodes[0]);
        await cluster.UntilSays(cluster.Nodes[0], "+OK", "SET", "greeting", "hello");
        ServedNode alone = cluster.Nodes[1];
        await cluster.Until(() => Task.FromResult(Eventual(alone) == "hello"), "the write is everywhere");
        Array.ForEach(cluster.Nodes, node => node.Signal(signal));
        Array.ForEach(cluster.Nodes, node => node.WaitForEnd());
        alone.Start();
        await cluster.Until(async () => await alone.Report() is not null, "the node is there alone");
        Assert.Equal(id, await ClusterOf(alone));
        string? shown = null;
        await cluster.Until(
            () =>
            {
                shown = Eventual(alone);
                return Task.FromResult(shown is not (null or ['-', ..]));
            },
            "it shows what it has");
        Assert.True(shown == "hello" || (shown == RespSession.Absent && signal == "KILL"), shown);
        using (RespSession session = alone.Connect())
        {
            Assert.StartsWith("-", session.Call("GET", "greeting"), StringComparison.Ordinal);
            string write = session.Call("SET", "greeting", "other");
            Assert.True(write[0] == '-' && !write.StartsWith("-UNKNOWN", StringComparison.Ordinal), write);
        }

        cluster.Nodes[0].Start();
        await cluster.UntilSays(alone, "hello", "GET", "greeting");
    }

    private static string? Eventual(ServedNode node)
    {
        using RespSession session = node.Connect();
        session.TryCall("CONSISTENCY", "READ", "eventual");
        return session.TryCall("GET", "greeting");
    }

    private static async Task<string> ClusterOf(ServedNode node) =>
        (await node.Reported()).GetProperty("cluster").GetString()!;

    private static async Task Write(ServedCluster cluster, int round)
    {
        for (int i = 0; i < Writes; i++)
        {
            await cluster.UntilSays(cluster.Nodes[i % 3], "+OK", "SET", Key(round, i), Key(round, i));
        }
    }

    private static async Task ReadAll(ServedCluster cluster, int rounds)
    {
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < Writes; i++)
            {
                await cluster.UntilSays(cluster.Nodes[(i + 1) % 3], Key(round, i), "GET", Key(round, i));
            }
        }
    }

    private static string Key(int round, int i) => string.Create(CultureInfo.InvariantCulture, $"key-{round}-{i}");
}
