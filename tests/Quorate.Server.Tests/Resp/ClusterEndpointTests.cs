using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Tests.Resp;

/// <summary>
/// The cluster endpoint of node 1 of three, whose keyspace has 16 partitions of 1,024 slots: who is sent where.
/// </summary>
public sealed class ClusterEndpointTests
{
    /// <summary>Slot 12182, in the twelfth partition.</summary>
    private const string Key = "foo";

    private readonly LeaderBoard _leaders = new();

    [Fact]
    public async Task Commands_are_sent_to_the_leader_and_served_where_it_is()
    {
        await using RespHost host = await Start();
        using RawClient client = host.ConnectToCluster();
        Lead(host, Key, 2);
        Assert.Equal("-MOVED 12182 10.0.0.2:7701\r\n", client.Run($"SET {Key} 1"));
        Assert.Equal("-MOVED 12182 10.0.0.2:7701\r\n", client.Run($"GET {Key}"));
        Lead(host, Key, 3);
        Assert.Equal("-MOVED 12182 10.0.0.3:7701\r\n", client.Run($"WATCH {Key}"));
        Lead(host, Key, 1);
        Assert.Equal("+OK\r\n", client.Run($"SET {Key} 1"));

        // Between two leaders it waits here; and whoever has no such endpoint is nobody to be sent to.
        Lead(host, Key, null);
        Assert.Equal("$1\r\n1\r\n", client.Run($"GET {Key}"));
        Lead(host, Key, 77);
        Assert.Equal("$1\r\n1\r\n", client.Run($"GET {Key}"));

        // The plain endpoint sends nobody away and knows nothing of clusters.
        Lead(host, Key, 2);
        using RawClient plain = host.Connect();
        Assert.Equal("$1\r\n1\r\n", plain.Run($"GET {Key}"));
        Assert.Equal("-ERR This instance has cluster support disabled\r\n", plain.Run("CLUSTER SLOTS"));
        Assert.Equal("-ERR This instance has cluster support disabled\r\n", plain.Run("READONLY"));
        Assert.Contains("standalone", plain.Run("HELLO 2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_of_several_slots_are_refused_and_transactions_are_sent_away_whole()
    {
        await using RespHost host = await Start();
        using RawClient client = host.ConnectToCluster();
        LeadAll(host, 1);
        Assert.StartsWith("-CROSSSLOT ", client.Run("MGET a b"), StringComparison.Ordinal);
        Assert.Equal("*2\r\n$-1\r\n$-1\r\n", client.Run("MGET {t}a {t}b"));
        Lead(host, Key, 2);
        string[] replies = client.RunAll("MULTI", $"SET {Key} 1", "EXEC");
        Assert.Equal("-MOVED 12182 10.0.0.2:7701\r\n", replies[1]);
        Assert.StartsWith("-EXECABORT", replies[2], StringComparison.Ordinal);
        Assert.Equal("-ERR SELECT is not allowed in cluster mode\r\n", client.Run("SELECT 1"));
        Assert.Equal("+OK\r\n", client.Run("SELECT 0"));
        Assert.StartsWith("-ERR the cluster endpoint serves", client.Run("KEYSPACE USE x"), StringComparison.Ordinal);
        Assert.Contains("cluster", client.Run("HELLO 2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readers_that_ask_for_it_read_the_replica_that_is_here()
    {
        var levels = new List<ReadLevel>();
        var gateway = new FakeGateway
        {
            Instead = call =>
            {
                levels.Add(call.ReadLevel);
                return null;
            },
        };
        await using RespHost host = await Start(gateway);
        using RawClient client = host.ConnectToCluster();
        Lead(host, Key, 2);
        Assert.Equal("+OK\r\n", client.Run("READONLY"));
        Assert.Equal("$-1\r\n", client.Run($"GET {Key}"));
        Assert.StartsWith("-MOVED", client.Run($"SET {Key} 1"), StringComparison.Ordinal);
        Lead(host, Key, 1);
        Assert.Equal("$-1\r\n", client.Run($"GET {Key}"));
        Assert.Equal([ReadLevel.Eventual, ReadLevel.Linearizable], levels);
        Lead(host, Key, 2);
        Assert.Equal("+OK\r\n", client.Run("READWRITE"));
        Assert.StartsWith("-MOVED", client.Run($"GET {Key}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_slots_are_told_in_every_form_that_Redis_has()
    {
        await using RespHost host = await Start();
        using RawClient client = host.ConnectToCluster();
        LeadAll(host, 1);
        Lead(host, Key, 2);
        const string one = "0000000000000000000000000000000700000001";
        const string two = "0000000000000000000000000000000700000002";
        string slots = client.Run("CLUSTER SLOTS");
        Assert.StartsWith(
            $"*3\r\n*5\r\n:0\r\n:11263\r\n*4\r\n$8\r\n10.0.0.1\r\n:7701\r\n$40\r\n{one}\r\n*0\r\n",
            slots,
            StringComparison.Ordinal);
        Assert.Contains(
            $":11264\r\n:12287\r\n*4\r\n$8\r\n10.0.0.2\r\n:7701\r\n$40\r\n{two}\r\n*0\r\n",
            slots,
            StringComparison.Ordinal);
        _leaders.SetHeard(new(2), isHeard: true);
        string nodes = client.Run("CLUSTER NODES");
        Assert.Contains(
            $"{one} 10.0.0.1:7701@7701 myself,master - 0 0 ", nodes, StringComparison.Ordinal);
        Assert.Contains(" connected 0-11263 12288-16383\n", nodes, StringComparison.Ordinal);
        Assert.Contains($"{two} 10.0.0.2:7701@7701 master - 0 0 ", nodes, StringComparison.Ordinal);
        Assert.Contains(" connected 11264-12287\n", nodes, StringComparison.Ordinal);

        // Nobody hears node 3.
        Assert.Contains("10.0.0.3:7701@7701 master,fail - 0 0 ", nodes, StringComparison.Ordinal);
        Assert.EndsWith(" disconnected\n\r\n", nodes, StringComparison.Ordinal);
        Assert.Single(client.Run("CLUSTER SHARDS").Split("$4\r\nfail\r\n")[1..]);
        Assert.Contains("cluster_size:2\r\n", client.Run("CLUSTER INFO"), StringComparison.Ordinal);
        Assert.StartsWith("*3\r\n*4\r\n$5\r\nslots\r\n*4\r\n", client.Run("CLUSTER SHARDS"), StringComparison.Ordinal);
        Assert.Equal($"$40\r\n{one}\r\n", client.Run("CLUSTER MYID"));
        Assert.Equal(":12182\r\n", client.Run("CLUSTER KEYSLOT foo"));
        Assert.Equal(client.Run("CLUSTER KEYSLOT user1000"), client.Run("CLUSTER KEYSLOT {user1000}.following"));
        Assert.StartsWith("-ERR unknown subcommand", client.Run("CLUSTER FAILOVER"), StringComparison.Ordinal);
        Assert.Equal("+OK\r\n", client.Run("ASKING"));
    }

    /// <summary>As in Redis Cluster, whoever asks all nodes sees every key once.</summary>
    [Fact]
    public async Task Commands_without_keys_concern_the_slots_of_the_node()
    {
        await using RespHost host = await Start();
        using RawClient client = host.ConnectToCluster();
        LeadAll(host, 1);
        for (int i = 0; i < 100; i++)
        {
            client.Run(string.Create(CultureInfo.InvariantCulture, $"SET key{i} 1"));
            client.Run(string.Create(CultureInfo.InvariantCulture, $"SET {{foo}}{i} 1"));
        }

        Assert.Equal(":100\r\n", client.Run("CLUSTER COUNTKEYSINSLOT 12182"));
        Assert.Equal(":0\r\n", client.Run("CLUSTER COUNTKEYSINSLOT 12181"));
        Assert.Equal("-ERR Invalid slot\r\n", client.Run("CLUSTER COUNTKEYSINSLOT 16384"));
        Assert.StartsWith("*7\r\n$", client.Run("CLUSTER GETKEYSINSLOT 12182 7"), StringComparison.Ordinal);
        Assert.Equal(":200\r\n", client.Run("DBSIZE"));
        Assert.Equal(200, CountScanned(client));
        Lead(host, Key, 2);
        int rest = 200 - CountScanned(client);
        Assert.InRange(rest, 100, 130);
        Assert.Equal($":{200 - rest}\r\n", client.Run("DBSIZE"));
        LeadAll(host, 2);
        Assert.Equal(0, CountScanned(client));
        Assert.Equal(":0\r\n", client.Run("DBSIZE"));
        Assert.Equal("*0\r\n", client.Run("KEYS *"));
        Assert.Equal("$-1\r\n", client.Run("RANDOMKEY"));
        Assert.Equal("+OK\r\n", client.Run("FLUSHALL"));
        LeadAll(host, 1);
        Assert.Equal(":200\r\n", client.Run("DBSIZE"));
    }

    [Fact]
    public async Task A_keyspace_that_is_not_there_is_named()
    {
        await using RespHost host = await Start(keyspace: "shop");
        using RawClient client = host.ConnectToCluster();
        Assert.StartsWith(
            "-CLUSTERDOWN there is no keyspace 'shop'", client.Run("CLUSTER SLOTS"), StringComparison.Ordinal);
        Assert.StartsWith("-ERR there is no keyspace 'shop'", client.Run("GET a"), StringComparison.Ordinal);
        using RawClient plain = host.Connect();
        plain.Run("KEYSPACE CREATE shop PARTITIONS 1");
        Assert.Equal("$-1\r\n", client.Run("GET a"));
    }

    private static int CountScanned(RawClient client)
    {
        int count = 0;
        string cursor = "0";
        do
        {
            string[] lines = client.Run($"SCAN {cursor} COUNT 50").Split("\r\n");
            cursor = lines[2];
            count += int.Parse(lines[3].AsSpan(1), CultureInfo.InvariantCulture);
        }
        while (cursor != "0");
        return count;
    }

    private Task<RespHost> Start(FakeGateway? gateway = null, string keyspace = "default") => RespHost.StartAsync(
        gateway, cluster: new() { Keyspace = keyspace, Address = "10.0.0.1:7701", Leaders = _leaders });

    private void Lead(RespHost host, string key, uint? node)
    {
        host.Gateway.View.TryFind("default", out KeyspaceView? keyspace);
        PartitionRecord partition = keyspace!.PartitionOf(KeyHash.SlotOf(System.Text.Encoding.ASCII.GetBytes(key)));
        _leaders.Set(new(partition.Group), node is { } id ? new NodeId(id) : null);
    }

    private void LeadAll(RespHost host, uint node)
    {
        host.Gateway.View.TryFind("default", out KeyspaceView? keyspace);
        foreach (PartitionRecord partition in keyspace!.Partitions)
        {
            _leaders.Set(new(partition.Group), new NodeId(node));
        }
    }
}
