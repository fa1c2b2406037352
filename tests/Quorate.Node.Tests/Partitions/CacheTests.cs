using System.Globalization;
using Quorate.Node.Partitions;

namespace Quorate.Node.Tests.Partitions;

/// <summary>A partition that is a cache stays in its bounds, at all replicas alike.</summary>
public sealed class CacheTests
{
    private const string Full = "-OOM command not allowed when used memory > 'maxmemory'.";
    private const int BytesMax = 20_000;

    private static readonly string Value = new('v', 100);

    [Theory]
    [InlineData(EvictionPolicy.AllKeysLru, false)]
    [InlineData(EvictionPolicy.AllKeysLru, true)]
    [InlineData(EvictionPolicy.AllKeysRandom, true)]
    public void Keys_go_when_the_bound_is_exceeded_and_all_replicas_agree(EvictionPolicy policy, bool hasRealStores)
    {
        TestCluster cluster = Cluster(policy, hasRealStores);

        Fill(cluster, 0, 500, "");

        cluster.AssertSameState();
        foreach (TestNode node in cluster.Nodes)
        {
            Assert.InRange(node.Partition!.Rows.LiveBytes, BytesMax / 2, BytesMax + 400);
        }

        Assert.Equal("+OK", cluster.Do("SET last " + Value));
        Assert.StartsWith("$100", cluster.Do("GET last"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_read_all_the_time_outlives_what_is_not(bool hasRealStores)
    {
        TestCluster cluster = Cluster(EvictionPolicy.AllKeysLru, hasRealStores);
        cluster.Do("SET hot " + Value);

        for (int i = 0; i < 400; i++)
        {
            Assert.NotEqual("_", cluster.Do("GET hot"));
            cluster.Do(Set(i, ""));
        }

        int early = Enumerable.Range(0, 200).Count(i => cluster.Do(Get(i)) != "_");
        int late = Enumerable.Range(300, 100).Count(i => cluster.Do(Get(i)) != "_");
        Assert.True(late > 3 * early, $"{late} of the last hundred are there, and {early} of the first two hundred");
    }

    [Fact]
    public void A_bound_that_is_set_or_lifted_while_it_runs_counts_at_once()
    {
        var cluster = new TestCluster(3);
        Fill(cluster, 0, 500, "");
        Assert.True(cluster.Leader.Partition!.Rows.LiveBytes > 2 * BytesMax);

        Change(new() { BytesMax = BytesMax, Policy = EvictionPolicy.AllKeysLru });
        Fill(cluster, 500, 100, "");
        Assert.InRange(cluster.Leader.Partition!.Rows.LiveBytes, BytesMax / 2, BytesMax + 400);

        Change(null);
        Fill(cluster, 1000, 500, "");
        Assert.True(cluster.Leader.Partition!.Rows.LiveBytes > 2 * BytesMax);
        cluster.AssertSameState();

        void Change(CacheSettings? cache)
        {
            foreach (TestNode node in cluster.Nodes)
            {
                node.Partition!.Change(cache, 0);
            }
        }
    }

    [Fact]
    public void Without_a_policy_what_may_grow_is_refused_and_the_rest_goes_on()
    {
        TestCluster cluster = Cluster(EvictionPolicy.NoEviction, hasRealStores: true);
        int taken = 0;
        while (taken < 1000 && cluster.Do(Set(taken, "")) == "+OK")
        {
            taken++;
        }

        Assert.InRange(taken, 50, 400);
        Assert.Equal(Full, cluster.Do("SET other 1"));
        Assert.Equal(Full, cluster.Do("INCR count"));
        Assert.NotEqual("_", cluster.Do(Get(0)));
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(":1", cluster.Do(string.Create(CultureInfo.InvariantCulture, $"DEL key{i}")));
        }

        Assert.Equal("+OK", cluster.Do("SET other 1"));
        cluster.AssertSameState();
    }

    [Theory]
    [InlineData(EvictionPolicy.VolatileLru)]
    [InlineData(EvictionPolicy.VolatileTtl)]
    public void Only_keys_that_expire_go_and_then_it_is_full(EvictionPolicy policy)
    {
        TestCluster cluster = Cluster(policy, hasRealStores: true);
        Fill(cluster, 0, 40, "");
        Fill(cluster, 1000, 400, " EX 1000");

        Assert.All(Enumerable.Range(0, 40), i => Assert.NotEqual("_", cluster.Do(Get(i))));
        Assert.InRange(cluster.Leader.Partition!.Rows.LiveBytes, BytesMax / 2, BytesMax + 400);

        int taken = 0;
        while (taken < 1000 && cluster.Do(Set(2000 + taken, "")) == "+OK")
        {
            taken++;
        }

        Assert.InRange(taken, 50, 400);
        Assert.Equal(Full, cluster.Do("SET other 1"));
        Assert.All(Enumerable.Range(0, 40), i => Assert.NotEqual("_", cluster.Do(Get(i))));
        Assert.All(Enumerable.Range(1000, 400), i => Assert.Equal("_", cluster.Do(Get(i))));
    }

    [Fact]
    public void What_expires_soonest_goes_first()
    {
        TestCluster cluster = Cluster(EvictionPolicy.VolatileTtl, hasRealStores: false);
        for (int i = 0; i < 400; i++)
        {
            cluster.Do(Set(i, string.Create(CultureInfo.InvariantCulture, $" EX {10_000 - i}")));
        }

        int longest = Enumerable.Range(0, 50).Count(i => cluster.Do(Get(i)) != "_");
        int middle = Enumerable.Range(250, 50).Count(i => cluster.Do(Get(i)) != "_");
        Assert.True(longest > 2 * middle, $"{longest} that expire last are there, and {middle} that expire earlier");
    }

    [Fact]
    public void Collections_go_whole_and_what_deleted_ones_left_behind_goes_too()
    {
        TestCluster cluster = Cluster(EvictionPolicy.AllKeysLru, hasRealStores: true);
        for (int i = 0; i < 100; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"hash{i}");
            cluster.Do($"HSET {name} a {Value} b {Value} c {Value}");
            if (i % 2 == 0)
            {
                cluster.Do("DEL " + name);
            }
        }

        cluster.AssertSameState();
        Assert.InRange(cluster.Leader.Partition!.Rows.LiveBytes, 1, BytesMax + 1200);
        for (int i = 1; i < 100; i += 2)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"hash{i}");
            Assert.Contains(cluster.Do("HLEN " + name), (string[])[":0", ":3"]);
        }

        Assert.Equal(":3", cluster.Do("HLEN hash99"));
    }

    [Fact]
    public void A_new_leader_goes_on_where_the_old_one_was()
    {
        TestCluster cluster = Cluster(EvictionPolicy.AllKeysLru, hasRealStores: true);
        Fill(cluster, 0, 300, "");
        cluster.Leader.IsCutOff = true;
        cluster.AwaitLeader();

        Fill(cluster, 300, 300, "");

        Array.ForEach(cluster.Nodes, static node => node.IsCutOff = false);
        cluster.Run(3000);
        cluster.AssertSameState();
        Assert.InRange(cluster.Leader.Partition!.Rows.LiveBytes, BytesMax / 2, BytesMax + 400);
    }

    [Fact]
    public void Evictions_under_way_are_not_chosen_twice_over()
    {
        TestCluster cluster = Cluster(EvictionPolicy.AllKeysRandom, hasRealStores: true, nodes: 1);
        Fill(cluster, 0, 300, "");
        TestNode leader = cluster.Leader;
        leader.DiskStands = true;
        var asked = new List<ulong>();
        for (int i = 0; i < 50; i++)
        {
            asked.Add(cluster.Submit(leader, "SET same 1"));
            cluster.Settle();
        }

        leader.DiskStands = false;

        Assert.All(asked, id => Assert.Equal("+OK", TestCluster.Text(cluster.Await(leader, id))));
        Assert.InRange(leader.Partition!.Rows.LiveBytes, BytesMax - 1000, BytesMax + 400);
    }

    private static TestCluster Cluster(EvictionPolicy policy, bool hasRealStores, int nodes = 3) => new(
        nodes,
        new PartitionSettings { Cache = new() { BytesMax = BytesMax, Policy = policy, SamplesMax = 8192 } },
        hasRealStores: hasRealStores);

    private static void Fill(TestCluster cluster, int from, int count, string options)
    {
        for (int i = from; i < from + count; i++)
        {
            Assert.Equal("+OK", cluster.Do(Set(i, options)));
        }
    }

    private static string Set(int key, string options) =>
        string.Create(CultureInfo.InvariantCulture, $"SET key{key} {Value}{options}");

    private static string Get(int key) => string.Create(CultureInfo.InvariantCulture, $"GET key{key}");
}
