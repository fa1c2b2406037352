using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>Three nodes as processes.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task Three_nodes_form_one_cluster_and_any_of_them_serves()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.UntilSays(cluster.Nodes[0], "+OK", "SET", "greeting", "hello");
        foreach (ServedNode node in cluster.Nodes)
        {
            await cluster.UntilSays(node, "hello", "GET", "greeting");
        }

        HashSet<string> clusters = [];
        HashSet<uint> nodes = [];
        foreach (ServedNode node in cluster.Nodes)
        {
            using JsonDocument status = JsonDocument.Parse((await node.Page("/status")).Text);
            JsonElement report = status.RootElement.GetProperty("report");
            clusters.Add(report.GetProperty("cluster").GetString()!);
            nodes.Add(report.GetProperty("self").GetUInt32());
            Assert.Equal(3, report.GetProperty("nodes").GetArrayLength());
            string metrics = (await node.Page("/metrics")).Text;
            Assert.Contains("quorate_log_sync_seconds_count", metrics, StringComparison.Ordinal);
            Assert.Contains("\"kind\":\"formed\"", (await node.Page("/events")).Text, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await node.Page("/health/live")).Code);
        }

        Assert.Single(clusters);
        Assert.Equal(3, nodes.Count);
    }

    /// <summary>
    /// Keys of every partition. What the leader alone has synced is proven on the node that the client is connected to,
    /// by a read in whichever slot the write was.
    /// </summary>
    [Theory]
    [InlineData("WAIT", "1", "10000")]
    [InlineData("WAITAOF", "0", "1", "10000")]
    public async Task Whoever_waits_for_replicas_behind_writes_at_level_leader_is_told(params string[] wait)
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        foreach (ServedNode node in cluster.Nodes)
        {
            await cluster.UntilSays(node, "+OK", "SET", "before", "1");
            using var session = new RespSession(node.Resp);
            Assert.Equal("+OK", session.Call("CONSISTENCY", "WRITE", "leader"));
            for (int i = 0; i < 60; i++)
            {
                await cluster.Until(
                    () =>
                    {
                        session.Call("SET", $"key-{i}", "1");
                        return Task.FromResult(session.Call(wait) is ":1" or ":2" or "[:1, :1]" or "[:1, :2]");
                    },
                    $"a replica has key-{i}");
            }
        }
    }

    [Fact]
    public async Task A_killed_node_is_done_without_and_catches_up()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        for (int round = 0; round < 3; round++)
        {
            ServedNode killed = cluster.Nodes[round];
            ServedNode other = cluster.Nodes[(round + 1) % 3];
            killed.Kill();
            for (int i = 0; i < 20; i++)
            {
                string key = $"{Key(round)}-{i}";
                await cluster.UntilSays(other, "+OK", "SET", key, key);
            }

            killed.Start();
            await cluster.UntilReady(killed);
        }

        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                string key = $"{Key(round)}-{i}";
                await cluster.UntilSays(cluster.Nodes[round], key, "GET", key);
            }
        }
    }

    [Fact]
    public async Task A_node_alone_refuses_in_time_and_serves_again_when_the_others_go_on()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.UntilSays(cluster.Nodes[0], "+OK", "SET", "a", "1");
        cluster.Nodes[1].Signal("STOP");
        cluster.Nodes[2].Signal("STOP");
        string? answer = cluster.Nodes[0].Ask("SET", "a", "2");
        Assert.True(answer is ['-', ..], $"'{answer}' is an error");
        cluster.Nodes[1].Signal("CONT");
        cluster.Nodes[2].Signal("CONT");
        await cluster.UntilSays(cluster.Nodes[0], "+OK", "SET", "a", "3");
        await cluster.UntilSays(cluster.Nodes[2], "3", "GET", "a");
    }

    private static string Key(int i) => string.Create(CultureInfo.InvariantCulture, $"key-{i}");
}
