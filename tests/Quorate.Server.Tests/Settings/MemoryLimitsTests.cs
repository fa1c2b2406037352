using Quorate.Node.Cluster;
using Quorate.Server.Peers;
using Quorate.Server.Resp;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;
using Quorate.Storage.Rows;

namespace Quorate.Server.Tests.Settings;

/// <summary>A node with little memory lets less in; one with much has the defaults.</summary>
public sealed class MemoryLimitsTests
{
    private const long MiB = 1024 * 1024;

    [Theory]
    [InlineData(256)]
    [InlineData(512)]
    [InlineData(1024)]
    public void No_limit_is_more_than_a_share_of_the_heap_and_a_largest_value_fits_all(long totalMebibytes)
    {
        var plan = MemoryPlan.For(totalMebibytes * MiB);
        RespSettings resp = plan.Limits.Of(new RespSettings());
        PeerSettings peers = plan.Limits.Of(new PeerSettings());
        ClusterSettings cluster = plan.Limits.Of(new ClusterSettings());
        NodeLoopSettings loop = plan.Limits.Of(new NodeLoopSettings());
        long shared = resp.LargeCommandBytesMax + peers.PartialBytesMax + loop.MessageBytesMax
            + cluster.Partition.RequestBytesOpenMax + cluster.Routing.ForwardedBytesMax
            + cluster.Routing.WaitingBytesMax
            + (2 * (peers.LogBytesMax + peers.RequestBytesMax + peers.BulkBytesMax));
        Assert.InRange(shared, 1, plan.ManagedBytes);
        Assert.InRange(cluster.Partition.Limits.ReplyBytesMax, 1, plan.ManagedBytes / 4);
        Assert.InRange(resp.GatheredBytesMax, 1, plan.ManagedBytes / 4);

        long value = plan.Limits.ValueBytesMax;
        Assert.Equal(value, resp.Limits.WordBytesMax);
        Assert.InRange(resp.Limits.CommandBytesMax, value + 1, resp.LargeCommandBytesMax);
        Assert.InRange(cluster.Partition.Limits.ChangeBytesMax, value + 1, plan.ManagedBytes);
        Assert.InRange(resp.TransactionBytesMax, value, plan.ManagedBytes);
        Assert.InRange(cluster.BlockCacheBytes, MiB, plan.ManagedBytes / 8);
        Assert.InRange(cluster.Partition.Limits.ComposedBytesMax, MiB, plan.ManagedBytes / 32);
    }

    /// <summary>The runtime takes about as much whatever the total is, and that is not for rows.</summary>
    [Theory]
    [InlineData(256, 64)]
    [InlineData(1024, 448)]
    [InlineData(8192, 4032)]
    public void What_the_runtime_takes_is_no_part_of_the_budget(long totalMebibytes, long budgetMebibytes) =>
        Assert.Equal(budgetMebibytes * MiB, MemoryPlan.For(totalMebibytes * MiB).BudgetBytes);

    [Fact]
    public void Where_values_are_limited_the_plan_says_so()
    {
        Assert.Contains("values up to 16 MiB", MemoryPlan.For(256 * MiB).ToString(), StringComparison.Ordinal);
        Assert.Contains("APPEND and its kin 4 MiB", MemoryPlan.For(256 * MiB).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("values", MemoryPlan.For(2048 * MiB).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("APPEND", MemoryPlan.For(4096 * MiB).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void With_much_memory_all_are_the_defaults()
    {
        MemoryLimits limits = MemoryPlan.For(64 * 1024 * MiB).Limits;
        Assert.Equal(RowLimits.ValueBytesMax, limits.ValueBytesMax);
        Assert.Equal(new RespSettings(), limits.Of(new RespSettings()));
        Assert.Equal(new PeerSettings(), limits.Of(new PeerSettings()));
        Assert.Equal(new NodeLoopSettings(), limits.Of(new NodeLoopSettings()));
        Assert.Equal(new ClusterSettings().Routing, limits.Of(new ClusterSettings()).Routing);
        Assert.Equal(new ClusterSettings().Partition.Limits, limits.Of(new ClusterSettings()).Partition.Limits);
    }
}
