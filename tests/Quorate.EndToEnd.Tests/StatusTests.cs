using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>What `quorate status` and a node's own pages tell programs and people.</summary>
public sealed class StatusTests
{
    private const char Escape = '\x1b';

    [Fact]
    public async Task Status_is_text_for_people_and_JSON_of_one_rule_for_programs()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        string http = $"127.0.0.1:{cluster.Nodes[0].HttpPort}";
        (int Code, string Output, string Error) json = (-1, "", "");
        await cluster.Until(
            () =>
            {
                json = Tools.Run(ServedNode.Program, "status", "--http", http, "--json");
                return Task.FromResult(json.Code == 0);
            },
            "all is well");
        using (JsonDocument status = JsonDocument.Parse(json.Output))
        {
            Check(status.RootElement);
        }

        // Whatever the environment says of colours.
        (int code, string text, string _) = Tools.Run(
            "env", "GITHUB_ACTIONS=true", "TERM=xterm-256color", ServedNode.Program, "status", "--http", http);
        Assert.InRange(code, 0, 1);
        Assert.DoesNotContain(Escape, text);
        Assert.Contains("default/15", text, StringComparison.Ordinal);
        Watch(http);
    }

    [Fact]
    public async Task All_is_well_where_partitions_are_on_fewer_nodes_than_there_are()
    {
        using var cluster = new ServedCluster(5, "--expect", "5", "--memory", "256MiB");
        cluster.Start();
        await cluster.UntilReady();
        Assert.StartsWith(
            "+OK", await cluster.Nodes[0].Do("KEYSPACE", "CREATE", "lone", "REPLICAS", "1", "PARTITIONS", "4"),
            StringComparison.Ordinal);
        string http = $"127.0.0.1:{cluster.Nodes[0].HttpPort}";
        await cluster.Until(
            () => Task.FromResult(Tools.Run(ServedNode.Program, "status", "--http", http).Code == 0), "all is well");
    }

    [Fact]
    public async Task A_node_that_stood_still_says_so_itself()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[1];
        node.Signal("STOP");
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        node.Signal("CONT");
        string events = "";
        await cluster.Until(
            async () =>
            {
                events = (await node.Get("/events"))?.Text ?? "";
                return events.Split('\n').Any(line => line.Contains("\"stall\"", StringComparison.Ordinal)
                    && Milliseconds(line) >= 500);
            },
            "it says that it stood still");
        string metrics = (await node.Page("/metrics")).Text;
        Assert.Matches("quorate_node_stalls_total [1-9]", metrics);
    }

    private static int Milliseconds(string line)
    {
        const string Words = "stood still for ";
        int from = line.IndexOf(Words, StringComparison.Ordinal) + Words.Length;
        return int.Parse(line.AsSpan(from).ToString().Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private static bool AllAreLed(JsonElement status) =>
        status.GetProperty("metadataLeader").ValueKind == JsonValueKind.Number
        && status.GetProperty("partitions").EnumerateArray().All(
            partition => partition.GetProperty("leader").ValueKind == JsonValueKind.Number);

    private static void Check(JsonElement status)
    {
        Assert.Matches("^[0-9a-f]{32}$", status.GetProperty("cluster").GetString());
        Assert.InRange(status.GetProperty("metadataLeader").GetInt32(), 1, 3);
        Assert.All(status.GetProperty("nodes").EnumerateArray(), node =>
            Assert.InRange(node.GetProperty("id").GetInt32(), 1, 3));
        Assert.All(status.GetProperty("keyspaces").EnumerateArray(), keyspace =>
            Assert.True(keyspace.GetProperty("id").GetInt32() > 0));
        JsonElement[] partitions = [.. status.GetProperty("partitions").EnumerateArray()];
        Assert.Equal(16, partitions.Length);
        Assert.Equal("default/0", partitions[0].GetProperty("partition").GetString());
        Assert.All(partitions, partition =>
        {
            Assert.InRange(partition.GetProperty("leader").GetInt32(), 1, 3);
            Assert.True(partition.GetProperty("group").GetInt32() > 0);
            Assert.All(partition.GetProperty("replicas").EnumerateArray(), replica =>
            {
                Assert.InRange(replica.GetProperty("node").GetInt32(), 1, 3);
                Assert.Equal(1, replica.GetProperty("incarnation").GetInt32());
                Assert.True(replica.GetProperty("isVoter").GetBoolean());
            });
        });
    }

    private static void Watch(string http)
    {
        using var watching = Process.Start(new ProcessStartInfo(
            ServedNode.Program, ["status", "--http", http, "--watch", "--json"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        int seen = 0;
        Soon.IsHere(
            () =>
            {
                string line = watching.StandardOutput.ReadLine()!;
                Assert.DoesNotContain(Escape, line);
                using JsonDocument each = JsonDocument.Parse(line);
                if (AllAreLed(each.RootElement))
                {
                    Check(each.RootElement);
                    seen++;
                }

                return seen == 2;
            },
            "two reports in which every partition has a leader, as it is most of the time");

        watching.Kill();
        watching.WaitForExit();
    }
}
