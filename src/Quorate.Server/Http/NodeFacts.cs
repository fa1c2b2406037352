using Quorate.Node.Cluster;
using Quorate.Server.Disk;
using Quorate.Server.Peers;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;

namespace Quorate.Server.Http;

/// <summary>What the HTTP endpoint shows of a node; nothing here changes it.</summary>
public sealed record NodeFacts
{
    public required NodeLoop Loop { get; init; }

    public required NodeHost Host { get; init; }

    public required RealDisk Disk { get; init; }

    public required PeerNetwork Peers { get; init; }

    public required EventHistory Events { get; init; }

    /// <summary>The data folder.</summary>
    public required string Folder { get; init; }

    public required MemoryPlan Memory { get; init; }

    /// <summary>Further lines of metrics, by those who count for themselves (the RESP endpoint).</summary>
    public IList<Action<MetricsText>> More { get; } = [];

    /// <summary>The node has been told to stop.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Asks the node about itself; null when it is in no cluster yet or does not answer in time.</summary>
    public async Task<ClusterReport?> Report()
    {
        if (!Host.IsNode)
        {
            return null;
        }

        var told = new TaskCompletionSource<ClusterReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            Loop.Post(node => told.TrySetResult(node.Report()));
            return await told.Task.WaitAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Why clients should not be sent here; null when they may.</summary>
    public static string? NotReady(ClusterReport? report)
    {
        if (report is null)
        {
            return "This node belongs to no cluster yet.";
        }

        // The first leader makes the keyspace that plain clients use a moment after the cluster is founded.
        if (report.MetadataVersion == 0 || report.Partitions.Count == 0)
        {
            return "This node does not know the cluster's keyspaces yet.";
        }

        PartitionReport? headless = report.Partitions.FirstOrDefault(
            partition => partition.IsHere && partition.Leader is null);
        return headless is null ? null : $"Partition {headless.Name} has no leader that this node knows.";
    }
}
