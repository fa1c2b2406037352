using System.Net;

namespace Quorate.EndToEnd.Tests;

/// <summary>What the cluster endpoint says of nodes that are gone.</summary>
public sealed class ClusterNodesTests
{
    [Fact]
    public async Task A_node_that_is_gone_is_shown_as_failed_until_it_is_back()
    {
        using var cluster = new ServedCluster(3, port => ["--cluster-port", $"{port}"]);
        cluster.Start();
        await cluster.UntilReady();
        using var session = new RespSession(new IPEndPoint(IPAddress.Loopback, cluster.ClusterPorts[0]));
        string gone = $":{cluster.ClusterPorts[2]}@";
        await cluster.Until(() => Task.FromResult(!session.Call("CLUSTER", "NODES").Contains("fail")), "all are alive");

        cluster.Nodes[2].Kill();
        await cluster.Until(
            () => Task.FromResult(session.Call("CLUSTER", "NODES").Split('\n')
                .Any(line => line.Contains(gone) && line.Contains(" master,fail ") && line.Contains(" disconnected"))),
            "the dead one has failed");
        Assert.Contains("fail", session.Call("CLUSTER", "SHARDS"), StringComparison.Ordinal);

        cluster.Nodes[2].Start();
        await cluster.Until(() => Task.FromResult(!session.Call("CLUSTER", "NODES").Contains("fail")), "it is back");
    }
}
