using System.Net;
using System.Net.Sockets;

namespace Quorate.EndToEnd.Tests;

/// <summary>One node as a process: what it refuses, how it ends, and with which code.</summary>
public sealed class ServeTests : IDisposable
{
    private const int Usage = 64;
    private const int Data = 65;
    private const int Unavailable = 69;
    private const int InputOutput = 74;

    private readonly string _folder = Directory.CreateTempSubdirectory("quorate-").FullName;

    private string NodeFolder => Path.Combine(_folder, "node");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Without_seeds_and_data_it_refuses_and_says_what_to_type()
    {
        using ServedNode node = Node();
        Assert.Contains("quorate serve --data FOLDER --seeds", EndsWith(node, Usage), StringComparison.Ordinal);
        Assert.False(Directory.EnumerateFiles(NodeFolder, "identity").Any());
    }

    [Fact]
    public void Other_machines_are_not_let_in_unasked()
    {
        using ServedNode node = Node("--bind", "0.0.0.0");
        Assert.Contains("--insecure", EndsWith(node, Usage), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "--resp-port")]
    [InlineData(1, "--http-port")]
    [InlineData(2, "--peer-port")]
    public void A_taken_port_is_named(int which, string flag)
    {
        int[] ports = TestPorts.Take(3);
        using var taken = new TcpListener(IPAddress.Loopback, ports[which]);
        taken.Start();
        using var node = new ServedNode(NodeFolder, ports, "--seeds", $"127.0.0.1:{ports[2]}");
        Assert.Contains($"{flag} {ports[which]}", EndsWith(node, Unavailable), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_has_one_process_at_a_time_and_a_lone_node_keeps_its_data()
    {
        using var cluster = new ServedCluster(1);
        cluster.Start();
        await cluster.UntilReady();
        ServedNode node = cluster.Nodes[0];
        Assert.Equal("+OK", node.Ask("SET", "greeting", "hello"));

        node.Signal("TERM");
        Assert.Equal(0, node.WaitForEnd());
        node.Start();
        await cluster.UntilReady();
        Assert.Equal("hello", node.Ask("GET", "greeting"));
        node.Kill();
        node.Start();
        await cluster.UntilReady();
        Assert.Equal("hello", node.Ask("GET", "greeting"));
    }

    [Fact]
    public async Task A_folder_in_use_is_refused()
    {
        int[] ports = TestPorts.Take(6);
        string seeds = $"127.0.0.1:{ports[2]},127.0.0.1:{ports[5]}";
        using var first = new ServedNode(NodeFolder, ports[..3], "--seeds", seeds);
        first.Start();
        string pid = Path.Combine(NodeFolder, "pid");
        await Soon.Is(() => File.Exists(pid) && File.ReadAllText(pid).EndsWith('\n'), "its process id is written");
        Assert.Equal($"{first.ProcessId}\n", File.ReadAllText(pid));
        using var second = new ServedNode(NodeFolder, ports[3..], "--seeds", $"127.0.0.1:{ports[2]}");
        string said = EndsWith(second, Unavailable);
        Assert.Contains($"in use by process {first.ProcessId}", said, StringComparison.Ordinal);
        Assert.True(File.Exists(pid));
    }

    [Fact]
    public void A_damaged_identity_is_refused()
    {
        Directory.CreateDirectory(NodeFolder);
        File.WriteAllText(Path.Combine(NodeFolder, "identity"), "quorate node\nformat 1\n");
        using ServedNode node = Node("--seeds", "127.0.0.1:1");
        Assert.Contains("identity", EndsWith(node, Data), StringComparison.Ordinal);
    }

    [Fact]
    public void A_disk_that_takes_no_identity_ends_it()
    {
        Directory.CreateDirectory(NodeFolder);
        Directory.CreateDirectory(Path.Combine(NodeFolder, "identity.new"));
        using ServedNode node = Node("--seeds", "127.0.0.1:1");
        Assert.Contains("identity", EndsWith(node, InputOutput), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_ends_it_as_data_that_cannot_be_used_and_no_key_is_told()
    {
        const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        string key = Path.Combine(_folder, "key");
        File.WriteAllText(key, Key);
        int[] ports = TestPorts.Take(3);
        using var node = new ServedNode(
            NodeFolder, ports, "--seeds", $"127.0.0.1:{ports[2]}", "--master-key-file", key);
        node.Start();
        await node.UntilReady();
        Assert.Equal("+OK", node.Ask("KEYSPACE", "CREATE", "secret", "ENCRYPT", "on", "REPLICAS", "1")![..3]);
        (HttpStatusCode _, string status) = await node.Page("/status");
        (HttpStatusCode _, string metrics) = await node.Page("/metrics");
        node.Signal("TERM");
        Assert.Equal(0, node.WaitForEnd());
        string all = node.Said + status + metrics;
        Assert.DoesNotContain(Key, all, StringComparison.OrdinalIgnoreCase);

        string map = Path.Combine(NodeFolder, "files", "cluster-map");
        byte[] bytes = File.ReadAllBytes(map);
        bytes[^1] ^= 1;
        File.WriteAllBytes(map, bytes);
        node.Start();
        Assert.Equal(Data, node.WaitForEnd());
        Assert.Contains("cluster-map", node.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_master_key_that_is_none_is_refused()
    {
        string key = Path.Combine(_folder, "key");
        File.WriteAllText(key, "short");
        using ServedNode node = Node("--seeds", "127.0.0.1:1", "--master-key-file", key);
        Assert.Contains("openssl rand -hex 32", EndsWith(node, Usage), StringComparison.Ordinal);
    }

    private static string EndsWith(ServedNode node, int code)
    {
        node.Start();
        Assert.Equal(code, node.WaitForEnd());
        Assert.StartsWith("quorate: ", node.Said, StringComparison.Ordinal);
        return node.Said;
    }

    private ServedNode Node(params string[] more) => new(NodeFolder, TestPorts.Take(3), more);
}
