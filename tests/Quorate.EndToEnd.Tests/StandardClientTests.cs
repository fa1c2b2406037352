using System.Globalization;

namespace Quorate.EndToEnd.Tests;

/// <summary>Programs and libraries that were written for Redis.</summary>
public sealed class StandardClientTests
{
    [Fact]
    public async Task Redis_cli_and_redis_benchmark_find_a_redis()
    {
        Tools.SkipWithout("redis-cli", "redis-benchmark");

        // Alone: these give up at the first error, and on a busy machine three nodes may be between two leaders.
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        string port = Text(cluster.Nodes[0].RespPort);
        string[] cli = ["redis-cli", "-p", port];
        Assert.Equal("OK\n", Tools.Do([.. cli, "SET", "greeting", "hello"]));
        Assert.Equal("hello\n", Tools.Do([.. cli, "GET", "greeting"]));
        Assert.Equal("2\n", Tools.Do([.. cli, "-3", "HSET", "book", "title", "Emma", "year", "1815"]));
        Assert.Equal("Emma\n1815\n", Tools.Do([.. cli, "HMGET", "book", "title", "year"]));
        Assert.Equal("greeting\n", Tools.Do([.. cli, "--scan", "--pattern", "gree*"]));
        Assert.Contains("role:master", Tools.Do([.. cli, "INFO"]), StringComparison.Ordinal);
        Assert.Contains("ERR unknown command", Tools.Do([.. cli, "NOSUCH"]), StringComparison.Ordinal);
        string figures = Tools.Do(
            "redis-benchmark", "-p", port, "-n", "3000", "-c", "20", "-P", "4", "-r", "1000", "--csv",
            "-t", "ping,set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,lrange_100,mset");
        TestContext.Current.TestOutputHelper!.WriteLine(figures);
        foreach (string test in (string[])["\"SET\"", "\"GET\"", "\"INCR\"", "\"ZADD\"", "\"MSET (10 keys)\""])
        {
            Assert.Contains(test, figures, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// A cluster of three; what surely did nothing is tried again, as anybody must. The script prints a line for each
    /// thing that it has seen work, then waits for a word; between the two the node that it is connected to is killed
    /// and started again.
    /// </summary>
    [Theory]
    [InlineData("node-redis.mjs")]
    [InlineData("ioredis.mjs")]
    public async Task A_library_for_node_js_does_its_daily_work_and_connects_again(string script)
    {
        Tools.SkipWithout("node");
        string folder = FindScripts();
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules")),
            "The libraries are not installed: run `npm ci` in tests/clients.");
        using var cluster = new ServedCluster(3);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[2];
        using var client = new Dialogue(["node", Path.Combine(folder, script), Text(node.RespPort)]);
        client.Expect("ready to be cut");
        node.Kill();
        client.Expect("connection lost");
        node.Start();
        await cluster.UntilReady(node);
        client.Expect("connected again");
        Assert.Equal(0, client.WaitForEnd());
        await cluster.UntilSays(node, "written again", "GET", "after");
    }

    /// <summary>
    /// Three nodes with cluster endpoints. A node is killed while the library writes, and comes back later; every write
    /// that was acknowledged is there at the end.
    /// </summary>
    [Theory]
    [InlineData("ioredis-cluster.mjs")]
    [InlineData("node-redis-cluster.mjs")]
    public async Task A_library_that_knows_clusters_outlives_a_node(string script)
    {
        Tools.SkipWithout("node");
        string folder = FindScripts();
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(folder, "node_modules")),
            "The libraries are not installed: run `npm ci` in tests/clients.");
        using var cluster = new ServedCluster(3, clusterPort => ["--cluster-port", Text(clusterPort)]);
        cluster.Start();
        await cluster.UntilReady();
        using (var one = new RespSession(new(System.Net.IPAddress.Loopback, cluster.ClusterPorts[0])))
        {
            // Each node has told the others where its endpoint is, and each leads a part.
            await cluster.Until(
                () => Task.FromResult(one.Call("CLUSTER", "INFO").Contains("cluster_size:3", StringComparison.Ordinal)),
                "all nodes serve slots");
        }

        using var client = new Dialogue(
            ["node", Path.Combine(folder, script), .. cluster.ClusterPorts.Select(Text)]);
        client.Expect("ready to be cut");
        cluster.Nodes[2].Kill();
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        cluster.Nodes[2].Start();
        await cluster.UntilReady();
        client.Say("go on");
        client.Expect("all is there");
        Assert.Equal(0, client.WaitForEnd());
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join('\n', client.Heard));
    }

    private static string FindScripts()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Quorate.slnx")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder!.FullName, "tests", "clients");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
