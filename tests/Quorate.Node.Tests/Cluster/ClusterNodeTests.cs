namespace Quorate.Node.Tests.Cluster;

/// <summary>Nodes that find each other form a cluster that serves.</summary>
public sealed class ClusterNodeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Nodes_form_a_cluster_and_any_of_them_serves(int machines)
    {
        TestWorld world = new TestWorld(machines).Formed();
        for (int i = 0; i < 20; i++)
        {
            Machine at = world.Machines[i % machines];
            Assert.Equal("+OK", world.Do(at, $"SET k{i} v{i}"));
        }

        foreach (Machine machine in world.Machines)
        {
            for (int i = 0; i < 20; i++)
            {
                Assert.Equal($"v{i}", world.Do(machine, $"GET k{i}").Split('\n')[^1]);
            }
        }
    }
}
