using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>What /metrics says of leaders, lags and batches, of real processes.</summary>
public sealed class MetricsTests
{
    /// <summary>Nobody has fallen silent where there is nobody else.</summary>
    [Fact]
    public async Task A_node_that_starts_again_alone_calls_nobody_silent()
    {
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        await cluster.UntilSays(node, "+OK", "SET", "a", "1");
        string first = await MetricsOf(node);
        Assert.True(Value(first, "quorate_elections_total{cause=\"first\"}") >= 17, first);
        Assert.True(Value(first, "quorate_log_batch_bytes_count") > 0, first);
        Assert.Contains("quorate_partition_leader{keyspace=\"default\",partition=\"", first, StringComparison.Ordinal);
        node.Kill();
        node.Start();
        await cluster.UntilReady();
        string again = await MetricsOf(node);
        Assert.Equal(0, Value(again, "quorate_elections_total{cause=\"silence\"}"));
        Assert.True(Value(again, "quorate_elections_total{cause=\"start\"}") >= 17, again);
    }

    /// <summary>The follower is held; what is written meanwhile grows old, and is not lacking any more after
    /// it.</summary>
    [Fact]
    public async Task A_follower_that_is_held_up_lags_in_time_and_catches_up()
    {
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        await cluster.CreateWhole("whole");
        ServedNode leader = await cluster.LeaderOfWhole();
        await cluster.UntilSaysOf("whole", leader, "+OK", "SET", "a", "1");
        ServedNode held = cluster.Nodes.First(node => node != leader);
        held.Signal("STOP");
        try
        {
            await cluster.UntilSaysOf("whole", leader, "+OK", "SET", "a", "2");
            await cluster.Until(
                async () =>
                {
                    // Whoever leads now: on a busy machine that changes.
                    double[] lags = [.. await Task.WhenAll(cluster.Nodes.Except([held]).Select(MostLag))];
                    return lags.Max() > 1;
                },
                "the held follower is a second behind");
        }
        finally
        {
            held.Signal("CONT");
        }

        // Another node may lead now; whoever does is behind nobody in the end.
        await cluster.Until(
            async () =>
            {
                double[] lags = [.. await Task.WhenAll(cluster.Nodes.Select(MostLag))];
                return lags.Max() == 0;
            },
            "nobody is behind");
    }

    /// <summary>Of the keyspace of one partition; minus one where the node leads nothing of it.</summary>
    private static async Task<double> MostLag(ServedNode node)
    {
        string metrics = await MetricsOf(node);
        return metrics.Split('\n')
            .Where(line => line.StartsWith("quorate_replica_lag_seconds{keyspace=\"whole\"", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture))
            .DefaultIfEmpty(-1)
            .Max();
    }

    private static async Task<string> MetricsOf(ServedNode node) => (await node.Page("/metrics")).Text;

    private static double Value(string metrics, string sample)
    {
        string? line = metrics.Split('\n')
            .FirstOrDefault(line => line.StartsWith(sample + " ", StringComparison.Ordinal));
        Assert.True(line is not null, $"there is no {sample} in {metrics}");
        return double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture);
    }
}
