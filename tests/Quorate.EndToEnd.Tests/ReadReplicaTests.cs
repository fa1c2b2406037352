using System.Globalization;
using System.Text.Json;

namespace Quorate.EndToEnd.Tests;

/// <summary>`quorate serve --join`: a node that follows a cluster, as real processes.</summary>
public sealed class ReadReplicaTests
{
    private const int Keys = 300;

    [Fact]
    public async Task A_node_joins_under_load_follows_and_answers_while_the_others_are_gone()
    {
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode first = cluster.Nodes[0];
        using RespSession writer = first.Connect();
        Write(writer, 0, Keys);
        using ServedNode replica = Replica(cluster, "replica", first.PeerPort);
        replica.Start();
        Write(writer, Keys, 2 * Keys);
        await UntilHolds(cluster, replica, 2 * Keys);

        // It hands on what it may not decide, and sees its own writes.
        using (RespSession session = replica.Connect())
        {
            Assert.Equal("+OK", session.Call("CONSISTENCY", "READ", "session"));
            Assert.Equal("+OK", session.Call("SET", "k0", "changed"));
            Assert.Equal("changed", session.Call("GET", "k0"));
        }

        Assert.Equal("changed", writer.Call("GET", "k0"));
        await cluster.Until(async () => await LagAt(first) == 0, "nothing is behind");
        Assert.Contains("read_replica:1", replica.Ask("INFO", "replication"), StringComparison.Ordinal);

        // It is started again with the same words, and is the same node.
        replica.Signal("TERM");
        Assert.Equal(0, replica.WaitForEnd());
        Write(writer, 2 * Keys, 3 * Keys);
        replica.Start();

        // Before its own copy is open it hands reads on, and what it answers says nothing of what it holds.
        await cluster.Until(async () => await LagAt(first) == 0, "nothing is behind");
        await UntilHolds(cluster, replica, 3 * Keys);
        JsonElement report = await first.Reported();
        Assert.Equal(2, report.GetProperty("nodes").GetArrayLength());

        first.Kill();
        using RespSession alone = replica.Connect();
        Assert.Equal("+OK", alone.Call("CONSISTENCY", "READ", "eventual"));
        for (int i = 1; i < 3 * Keys; i += 7)
        {
            Assert.Equal(Text(i), alone.Call("GET", $"k{i}"));
        }
    }

    [Fact]
    public async Task A_folder_of_another_cluster_does_not_start()
    {
        using var one = new ServedCluster(1);
        using var other = new ServedCluster(1);
        one.Start();
        other.Start();
        await one.UntilReady();
        await other.UntilReady();
        using (ServedNode replica = Replica(one, "replica", one.Nodes[0].PeerPort))
        {
            replica.Start();
            await one.Until(() => Task.FromResult(
                replica.Ask("INFO", "replication")?.Contains("read_replica:1", StringComparison.Ordinal) == true),
                "it has joined");
            replica.Signal("TERM");
            Assert.Equal(0, replica.WaitForEnd());
        }

        using ServedNode astray = Replica(one, "replica", other.Nodes[0].PeerPort);
        astray.Start();
        Assert.Equal(64, astray.WaitForEnd());
        Assert.Contains("This data folder belongs to cluster", astray.Said, StringComparison.Ordinal);
    }

    private static ServedNode Replica(ServedCluster cluster, string name, int peerPort) => new(
        Path.Combine(cluster.Folder, name), TestPorts.Take(3), "--join", $"127.0.0.1:{Text(peerPort)}");

    private static void Write(RespSession session, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            Assert.Equal("+OK", session.Call("SET", $"k{i}", Text(i)));
        }
    }

    /// <summary>It answers of itself, whatever the others would say.</summary>
    private static Task UntilHolds(ServedCluster cluster, ServedNode replica, int keys) => cluster.Until(
        () =>
        {
            if (replica.Ask("INFO", "replication")?.Contains("read_replica:1", StringComparison.Ordinal) != true)
            {
                return Task.FromResult(false);
            }

            using RespSession session = replica.Connect();
            return Task.FromResult(session.TryCall("CONSISTENCY", "READ", "eventual") == "+OK"
                && Enumerable.Range(1, keys - 1).All(key => session.TryCall("GET", $"k{key}") == Text(key)));
        },
        $"the replica holds {keys} keys");

    /// <summary>How far the replica of any partition is behind, in entries, as its leader knows.</summary>
    private static async Task<ulong?> LagAt(ServedNode leader)
    {
        if (await leader.Report() is not { } report)
        {
            return null;
        }

        ulong most = 0;
        foreach (JsonElement partition in report.GetProperty("partitions").EnumerateArray())
        {
            foreach (JsonElement replica in partition.GetProperty("replicas").EnumerateArray())
            {
                most = replica.GetProperty("lag") is { ValueKind: JsonValueKind.Number } lag
                    ? Math.Max(most, lag.GetUInt64())
                    : ulong.MaxValue;
            }
        }

        return most;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
