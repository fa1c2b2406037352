using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>What an operator asks of a cluster by one command each, for people and as JSON.</summary>
public sealed class OperatorTests
{
    [Fact]
    public async Task A_key_keyspaces_and_events_are_found_by_one_command_each()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        string hosts = $"127.0.0.1:{TestPorts.TakeOne()},127.0.0.1:{cluster.Nodes[1].RespPort}";
        Keyspaces(hosts);
        await cluster.UntilSaysOf("made", cluster.Nodes[1], "+OK", "SET", "a key", "1234", "PX", "600000");
        Where(hosts);
        await Events(cluster);
    }

    [Fact]
    public void Nobody_who_answers_is_69()
    {
        string nobody = $"127.0.0.1:{TestPorts.TakeOne()}";
        foreach (string[] command in (string[][])[["where", "a"], ["keyspace", "list"], ["keyspace", "drop", "a"]])
        {
            (int code, string output, string error) = Tools.Run(
                [ServedNode.Program, .. command, "--hosts", nobody]);
            Assert.Equal((69, ""), (code, output));
            Assert.Contains($"No node can be reached at {nobody}", error, StringComparison.Ordinal);
        }

        Assert.Equal(69, Tools.Run(ServedNode.Program, "events", "--http", nobody).Code);
        Assert.Equal(64, Tools.Run(ServedNode.Program, "events", "--since", "yesterday").Code);
    }

    private static void Keyspaces(string hosts)
    {
        string[] create = ["create", "made", "PARTITIONS", "4", "WRITE", "all", "--hosts", hosts];
        Assert.Equal((0, "OK\n", ""), Tools.RunUntilDone([ServedNode.Program, "keyspace", .. create]));
        (int code, string _, string error) = Tools.RunUntilDone([ServedNode.Program, "keyspace", .. create]);
        Assert.Equal(1, code);
        Assert.Contains("There is a keyspace 'made' already", error, StringComparison.Ordinal);
        (code, string lines, _) = Tools.Run(ServedNode.Program, "keyspace", "list", "--json", "--hosts", hosts);
        Assert.Equal(0, code);
        using JsonDocument made = JsonDocument.Parse(lines.Split('\n')[1]);
        Assert.Equal("made", made.RootElement.GetProperty("name").GetString());
        Assert.Equal(4, made.RootElement.GetProperty("partitions").GetInt32());
        Assert.Equal("all", made.RootElement.GetProperty("write").GetString());
        string table = Tools.Do(ServedNode.Program, "keyspace", "list", "--hosts", hosts);
        Assert.Matches(@"made +4 +3 +3 +all", table);
        (code, _, error) = Tools.Run(ServedNode.Program, "keyspace", "drop", "made", "--hosts", hosts);
        Assert.Equal(64, code);
        Assert.Contains("say --yes", error, StringComparison.Ordinal);
        Assert.Equal(
            0, Tools.RunUntilDone(ServedNode.Program, "keyspace", "create", "gone", "--hosts", hosts).Code);
        string dropped = Tools.RunUntilDone(
            ServedNode.Program, "keyspace", "drop", "gone", "--yes", "--json", "--hosts", hosts).Output;
        Assert.Equal("{\"done\":\"drop\",\"keyspace\":\"gone\",\"warning\":null}\n", dropped);
        Assert.Equal(1, Tools.Run(ServedNode.Program, "keyspace", "info", "gone", "--hosts", hosts).Code);
    }

    private static void Where(string hosts)
    {
        string[] words = ["where", "a key", "--keyspace", "made", "--hosts", hosts];
        string told = Tools.RunUntilDone([ServedNode.Program, .. words, "--json"]).Output;
        using (JsonDocument json = JsonDocument.Parse(told))
        {
            JsonElement where = json.RootElement;
            int slot = where.GetProperty("slot").GetInt32();
            Assert.Equal($"made/{slot / 4096}", where.GetProperty("partition").GetString());
            Assert.InRange(where.GetProperty("leader").GetInt32(), 1, 3);
            Assert.Equal(3, where.GetProperty("replicas").GetArrayLength());
            Assert.True(where.GetProperty("exists").GetBoolean());
            Assert.Equal("string", where.GetProperty("type").GetString());
            Assert.Equal(4, where.GetProperty("size").GetInt32());
            Assert.InRange(where.GetProperty("ttlMilliseconds").GetInt64(), 1, 600_000);
            Assert.NotEmpty(where.GetProperty("valueVersion").GetString()!);
        }

        string table = Tools.RunUntilDone([ServedNode.Program, .. words]).Output;
        Assert.Contains("made/", table, StringComparison.Ordinal);
        (int code, string text, string _) = Tools.RunUntilDone(ServedNode.Program, "where", "none", "--hosts", hosts);
        Assert.Equal(1, code);
        Assert.Contains("there is no such key", text, StringComparison.Ordinal);
        (code, _, string error) = Tools.Run(
            ServedNode.Program, "where", "none", "--keyspace", "nowhere", "--hosts", hosts);
        Assert.Equal(1, code);
        Assert.Contains("there is no keyspace 'nowhere'", error, StringComparison.Ordinal);
    }

    private static async Task Events(ServedCluster cluster)
    {
        string http = $"127.0.0.1:{cluster.Nodes[1].HttpPort}";
        string lines = Tools.DoAtLast(ServedNode.Program, "events", "--http", http, "--since", "1h", "--json");
        string[] times = [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            using JsonDocument json = JsonDocument.Parse(line);
            Assert.InRange(json.RootElement.GetProperty("node").GetInt32(), 1, 3);
            return json.RootElement.GetProperty("time").GetString()!;
        })];
        Assert.Equal(times.Order(StringComparer.Ordinal), times);
        Assert.Equal(3, lines.Split("\"kind\":\"formed\"").Length - 1);
        string elections = Tools.DoAtLast(ServedNode.Program, "events", "--http", http, "--kind", "election");
        Assert.Contains("leads partition made/", elections, StringComparison.Ordinal);
        Assert.All(elections.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Matches(@"^\S+Z node \d election: ", line));

        string changes = Tools.DoAtLast(ServedNode.Program, "events", "--http", http, "--kind", "keyspace,start");
        Assert.Equal(3, changes.Split("This node was started.\n").Length - 1);
        Assert.Equal(3, changes.Split("Keyspace 'made' was made: 4 partitions, 3 replicas.").Length - 1);
        Assert.Equal(3, changes.Split("Keyspace 'gone' was dropped.").Length - 1);

        // A node that is gone is named, and the others' events are shown.
        cluster.Nodes[0].Kill();
        await cluster.Until(
            () => Task.FromResult(Tools.Run(ServedNode.Program, "events", "--http", http, "--kind", "silent")
                is (1, var silent, var missing)
                && silent.Contains("is silent", StringComparison.Ordinal)
                && missing.Contains("does not answer", StringComparison.Ordinal)),
            "the others tell that it is silent");
        cluster.Nodes[0].Start();
        await cluster.Until(
            () => Task.FromResult(Tools.Run(ServedNode.Program, "events", "--http", http, "--kind", "start").Output
                .Contains("its process before was not stopped in order", StringComparison.Ordinal)),
            "it tells how its process before has ended");
    }
}
