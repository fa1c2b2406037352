using System.Globalization;
using System.Text;

namespace Quorate.EndToEnd.Tests;

/// <summary>Nodes that are taken for others, and what a cluster tells of where it is.</summary>
public sealed class StrangerTests
{
    [Fact]
    public async Task A_node_of_another_cluster_at_a_known_address_is_refused_and_both_sides_say_so()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.UntilSays(cluster.Nodes[0], "+OK", "SET", "a", "1");
        ServedNode gone = cluster.Nodes[2];
        gone.Kill();
        string peer = Address(gone.PeerPort);
        using var stranger = new ServedNode(
            Path.Combine(cluster.Folder, "stranger"), [gone.RespPort, gone.HttpPort, gone.PeerPort],
            "--seeds", peer, "--expect", "1");
        stranger.Start();
        await cluster.UntilReady(stranger);
        await UntilTells(cluster, cluster.Nodes[0], $"The node at {peer} belongs to another cluster");
        await UntilTells(cluster, stranger, "A node of another cluster");
        await cluster.UntilSays(cluster.Nodes[0], "+OK", "SET", "a", "2");
        Assert.Equal(RespSession.Absent, stranger.Ask("GET", "a"));
        Assert.Equal("+OK", stranger.Ask("SET", "a", "of the stranger"));
        await cluster.UntilSays(cluster.Nodes[1], "2", "GET", "a");

        // Where it is gone and the right one comes back, all is as before.
        stranger.Kill();
        gone.Start();
        await cluster.UntilReady();
        await cluster.UntilSays(gone, "2", "GET", "a");
    }

    [Fact]
    public async Task A_new_node_that_is_pointed_at_the_wrong_cluster_says_which_it_joined()
    {
        using var cluster = new ServedCluster(1, "--expect", "1");
        cluster.Start();
        await cluster.UntilReady();
        string seed = Address(cluster.Nodes[0].PeerPort);
        int[] ports = TestPorts.Take(3);
        using var lost = new ServedNode(
            Path.Combine(cluster.Folder, "lost"), ports, "--seeds", $"{seed},{Address(ports[2])}");
        lost.Start();
        await cluster.Until(
            async () => await lost.Report() is { } report
                && report.GetProperty("nodes").GetArrayLength() == 2,
            "it has joined what is there, and founds none beside it");
        string joined = (await lost.Reported()).GetProperty("cluster").GetString()!;
        Assert.Equal((await cluster.Nodes[0].Reported()).GetProperty("cluster").GetString(), joined);
        await UntilTells(cluster, lost, "This is n2 of cluster");
    }

    /// <summary>What other nodes and clients are told is where they reach a node, never where it listens.</summary>
    [Fact]
    public async Task Only_advertised_addresses_leave_a_node()
    {
        int[] ports = TestPorts.Take(9);
        using var folder = new TemporaryFolder();
        string seeds = string.Join(',', Enumerable.Range(0, 3).Select(i => $"localhost:{ports[(3 * i) + 2]}"));
        ServedNode[] nodes = [.. Enumerable.Range(0, 3).Select(i => new ServedNode(
            Path.Combine(folder.Path, $"n{i}"), ports[(3 * i)..((3 * i) + 3)], "--seeds", seeds,
            "--advertise-resp", $"localhost:{ports[3 * i]}", "--advertise-http", $"localhost:{ports[(3 * i) + 1]}",
            "--advertise-peer", $"localhost:{ports[(3 * i) + 2]}"))];
        try
        {
            Array.ForEach(nodes, node => node.Start());
            foreach (ServedNode node in nodes)
            {
                await node.UntilReady();
            }

            Assert.Equal("+OK", await nodes[0].Do("SET", "a", "1"));
            Assert.Equal("1", await nodes[2].Do("GET", "a"));
            foreach (ServedNode node in nodes)
            {
                var told = new StringBuilder();
                foreach (string path in (string[])["/status", "/events", "/metrics", "/health/ready"])
                {
                    told.Append((await node.Page(path)).Text);
                }

                foreach (string[] words in (string[][])
                    [["HELLO", "2"], ["INFO", "everything"], ["CLUSTER", "NODES"], ["CONFIG", "GET", "*"], ["ROLE"]])
                {
                    told.Append(node.Ask(words));
                }

                string all = told.ToString();
                Assert.All(ports, port => Assert.DoesNotContain(Address(port), all, StringComparison.Ordinal));
                string status = (await node.Page("/status")).Text;
                foreach (int port in ports)
                {
                    Assert.Contains(
                        string.Create(CultureInfo.InvariantCulture, $"localhost:{port}"), status,
                        StringComparison.Ordinal);
                }
            }
        }
        finally
        {
            Array.ForEach(nodes, node => node.Dispose());
        }
    }

    private static Task UntilTells(ServedCluster cluster, ServedNode node, string sentence) => cluster.Until(
        async () => (await node.Get("/events"))?.Text.Contains(sentence, StringComparison.Ordinal) == true
            || node.Said.Contains(sentence, StringComparison.Ordinal),
        $"it is told: {sentence}");

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("quorate-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
