using System.Text;
using Quorate.Node.Partitions;
using Quorate.Node.Tests.Partitions;

namespace Quorate.Node.Tests.Runtime;

/// <summary>Nothing of an encrypted keyspace lies in the clear in a data folder, be it in log or tables.</summary>
public sealed class EncryptedNodeTests
{
    private const int Rounds = 40;

    private static readonly string[] Planted =
        ["plantedkey", "plantedvalue", "plantedfield", "plantedmember", "plantedelement", "plantedtext", "plantedjson"];

    [Fact]
    public void No_plaintext_of_an_encrypted_keyspace_is_in_any_file()
    {
        var cluster = NewCluster(isEncrypted: true);
        Write(cluster);
        foreach (TestNode node in cluster.Nodes)
        {
            Assert.Contains(node.Disk.Names, name => name.EndsWith(".sst", StringComparison.Ordinal));
            foreach (string file in node.Disk.Names)
            {
                string content = Encoding.Latin1.GetString(node.Disk.Content(file));
                Assert.All(Planted, text => Assert.False(
                    content.Contains(text, StringComparison.OrdinalIgnoreCase), $"'{text}' lies in {file}"));
            }
        }

        cluster.Restart(cluster.Leader);
        cluster.AwaitLeader();
        Assert.Equal("$14\r\nplantedvalue39", cluster.Do("GET plantedkey39"));
        Assert.Equal("$11\r\nplantedtext", cluster.Do("HGET plantedkeyhash plantedfield"));
    }

    /// <summary>The search itself must be able to find something.</summary>
    [Fact]
    public void Without_encryption_all_of_it_is_found()
    {
        var cluster = NewCluster(isEncrypted: false);
        Write(cluster);
        string all = string.Concat(cluster.Nodes[0].Disk.Names.Select(
            file => Encoding.Latin1.GetString(cluster.Nodes[0].Disk.Content(file))));
        Assert.All(Planted, text => Assert.Contains(text, all, StringComparison.Ordinal));
    }

    private static TestCluster NewCluster(bool isEncrypted) => new(
        3,
        new PartitionSettings { Replica = new() { CheckpointEntries = 8 } },
        hasRealStores: true,
        isEncrypted: isEncrypted);

    private static void Write(TestCluster cluster)
    {
        for (int i = 0; i < Rounds; i++)
        {
            cluster.Do($"SET plantedkey{i} plantedvalue{i}");
        }

        cluster.Do("HSET plantedkeyhash plantedfield plantedtext");
        cluster.Do("SADD plantedkeyset plantedmember");
        cluster.Do("RPUSH plantedkeylist plantedelement");
        cluster.Do("ZADD plantedkeyzset 1 plantedmember");
        cluster.Do("JSON.SET plantedkeyjson . {\"a\":\"plantedjson\"}");
        for (int i = 0; i < Rounds; i++)
        {
            cluster.Do("APPEND plantedkeylog plantedtext");
        }

        cluster.Run(1000);
    }
}
