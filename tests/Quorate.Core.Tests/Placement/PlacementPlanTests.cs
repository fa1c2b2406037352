using Quorate.Core.Model;
using Quorate.Core.Placement;

namespace Quorate.Core.Tests.Placement;

/// <summary>Which nodes hold which partitions, and how little moves when nodes come and go.</summary>
public sealed class PlacementPlanTests
{
    private static readonly PlacementSettings Settings = new();

    [Fact]
    public void Each_partition_gets_distinct_nodes_in_distinct_zones()
    {
        PlacementNode[] nodes = [.. Nodes(9, zones: 3)];
        NodeId[][] plan = Plan(nodes, partitions: 256, replicas: 3);
        foreach (NodeId[] replicas in plan)
        {
            Assert.Equal(3, replicas.Distinct().Count());
            Assert.Equal(3, replicas.Select(id => nodes.Single(node => node.Id == id).Zone).Distinct().Count());
        }
    }

    [Fact]
    public void Too_few_zones_are_shared_as_evenly_as_can_be()
    {
        PlacementNode[] nodes = [.. Nodes(6, zones: 2)];
        foreach (NodeId[] replicas in Plan(nodes, partitions: 64, replicas: 5))
        {
            Assert.Equal(5, replicas.Distinct().Count());
            int[] inZone = [.. replicas.GroupBy(id => nodes.Single(node => node.Id == id).Zone).Select(g => g.Count())];
            Assert.True(inZone.Max() <= 3, "three of five, not four");
        }
    }

    [Fact]
    public void Fewer_nodes_than_replicas_give_what_there_is() =>
        Assert.All(
            Plan([.. Nodes(2, zones: 2)], partitions: 16, replicas: 3), replicas => Assert.Equal(2, replicas.Length));

    [Fact]
    public void No_nodes_give_no_replicas() =>
        Assert.All(Plan([], partitions: 4, replicas: 3), Assert.Empty);

    [Theory]
    [InlineData(3, 16)]
    [InlineData(5, 64)]
    [InlineData(10, 256)]
    [InlineData(40, 1024)]
    public void No_node_exceeds_its_bound(int count, int partitions)
    {
        PlacementNode[] nodes = [.. Nodes(count, zones: count)];
        NodeId[][] plan = Plan(nodes, partitions, replicas: 3);
        double fair = 3.0 * partitions / count;
        foreach (PlacementNode node in nodes)
        {
            int load = plan.Count(replicas => replicas.Contains(node.Id));
            Assert.True(load <= Math.Ceiling(fair * 1.25), $"node {node.Id} has {load} of {fair} fair ones");
        }
    }

    [Fact]
    public void A_stronger_node_takes_more()
    {
        PlacementNode[] nodes = [.. Nodes(6, zones: 6)];
        nodes[2] = nodes[2] with { Weight = 300 };
        NodeId[][] plan = Plan(nodes, partitions: 512, replicas: 1);
        int strong = plan.Count(replicas => replicas.Contains(nodes[2].Id));
        double others = plan.Count(replicas => !replicas.Contains(nodes[2].Id)) / 5.0;
        Assert.InRange(strong / others, 2.0, 4.0);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(30)]
    public void A_new_node_moves_about_its_share_and_little_else(int count)
    {
        PlacementNode[] nodes = [.. Nodes(count + 1, zones: count + 1)];
        NodeId[][] before = Plan(nodes[..count], partitions: 512, replicas: 3);
        NodeId[][] after = Plan(nodes, partitions: 512, replicas: 3);
        int moved = Moved(before, after);
        int taken = after.Count(replicas => replicas.Contains(nodes[count].Id));
        double share = 512 * 3.0 / (count + 1);
        Assert.True(taken > share * 0.6, $"the new node takes {taken} of {share}");
        Assert.True(moved <= share * 2, $"{moved} replicas move for a share of {share}");
    }

    [Fact]
    public void A_node_that_leaves_moves_what_it_held_and_little_else()
    {
        PlacementNode[] nodes = [.. Nodes(10, zones: 5)];
        NodeId[][] before = Plan(nodes, partitions: 512, replicas: 3);
        NodeId[][] after = Plan([.. nodes.Where((_, i) => i != 4)], partitions: 512, replicas: 3);
        int held = before.Count(replicas => replicas.Contains(nodes[4].Id));
        Assert.True(Moved(before, after) <= held * 2, $"{Moved(before, after)} replicas move for {held}");
    }

    [Fact]
    public void The_plan_does_not_hang_on_the_order_of_the_nodes()
    {
        PlacementNode[] nodes = [.. Nodes(7, zones: 3)];
        NodeId[][] one = Plan(nodes, partitions: 64, replicas: 3);
        NodeId[][] other = Plan([.. nodes.Reverse()], partitions: 64, replicas: 3);
        Assert.Equal(one, other);
    }

    private static int Moved(NodeId[][] before, NodeId[][] after) =>
        before.Zip(after).Sum(pair => pair.Second.Except(pair.First).Count());

    private static IEnumerable<PlacementNode> Nodes(int count, int zones) =>
        Enumerable.Range(1, count).Select(n => new PlacementNode(new NodeId((uint)n), 100, $"z{n % zones}"));

    private static NodeId[][] Plan(PlacementNode[] nodes, int partitions, int replicas)
    {
        Span<byte> name = stackalloc byte[8];
        List<PlacementPartition> all = [];
        for (int partition = 0; partition < partitions; partition++)
        {
            BitConverter.TryWriteBytes(name, (long)partition);
            all.Add(new PlacementPartition(KeyHash.Of(name), replicas));
        }

        return PlacementPlan.Make(nodes, all, Settings);
    }
}
