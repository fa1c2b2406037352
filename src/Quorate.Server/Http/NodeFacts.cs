using System.Diagnostics;
using Quorate.Node.Cluster;
using Quorate.Server.Disk;
using Quorate.Server.Http.Entries;
using Quorate.Server.Peers;
using Quorate.Server.Runtime;
using Quorate.Server.Settings;

namespace Quorate.Server.Http;

/// <summary>What the HTTP endpoint shows of a node; nothing here changes it.</summary>
public sealed record NodeFacts
{
    /// <summary>How long the node may take to tell of itself.</summary>
    private static readonly TimeSpan ReportTime = TimeSpan.FromSeconds(2);

    /// <summary>After its start a node waits so long for leaders of all its partitions before it is ready without
    /// them.</summary>
    private static readonly TimeSpan FirstLeadersTime = TimeSpan.FromSeconds(30);

    private readonly Stopwatch _age = Stopwatch.StartNew();
    private volatile bool _wasReady;

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
            return await told.Task.WaitAsync(ReportTime).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Why clients should not be sent here; null when they may.</summary>
    public string? NotReady(ClusterReport? report)
    {
        if (IsStopping)
        {
            return "This node is stopping.";
        }

        if (Host.IsUnjoined)
        {
            return Problem.Unjoined.Detail;
        }

        string? problem = NotReady(Host.IsNode, report, isNew: !_wasReady && _age.Elapsed < FirstLeadersTime);
        _wasReady |= problem is null;
        return problem;
    }

    /// <summary>
    /// Why a node cannot take its share of what clients ask; null when it can. That some partition has no leader at the
    /// moment is no reason: no other node could do anything about it, and a balancer that goes by this would take all
    /// nodes away, with all the partitions that are well. Only a node that knows a leader of none of its partitions is
    /// cut off from the others; and one that has just started waits for all of them.
    /// </summary>
    /// <param name="isNode">It belongs to a cluster and has been started.</param>
    /// <param name="report">Null when it did not tell of itself.</param>
    /// <param name="isNew">It has never been ready, and has not been there for long.</param>
    public static string? NotReady(bool isNode, ClusterReport? report, bool isNew)
    {
        if (!isNode)
        {
            return "This node belongs to no cluster yet.";
        }

        if (report is null)
        {
            return $"This node has not told of itself within {ReportTime.TotalSeconds:F0} s: it is overloaded or "
                + "ending.";
        }

        // The first leader makes the keyspace that plain clients use a moment after the cluster is founded.
        if (report.MetadataVersion == 0 || report.Partitions.Count == 0)
        {
            return "This node does not know the cluster's keyspaces yet.";
        }

        PartitionReport[] here = [.. report.Partitions.Where(partition => partition.IsHere)];
        PartitionReport? headless = here.FirstOrDefault(partition => partition.Leader is null);
        if (headless is null || (!isNew && here.Any(partition => partition.Leader is not null)))
        {
            return null;
        }

        return isNew
            ? $"Partition {headless.Name} has no leader that this node knows, and it has just started."
            : "This node knows a leader of none of its partitions: it is cut off from the others, or most of them are "
                + "down.";
    }
}
