using System.Diagnostics;
using Quorate.Node.Cluster;
using Quorate.Server.Http;
using Quorate.Server.Peers;

namespace Quorate.Server.Runtime;

/// <summary>
/// Lets a node that was started without a cluster (`--replica`) be told which one to follow, while it runs. Any thread
/// may ask.
/// </summary>
public sealed class Joining(NodeFacts facts)
{
    /// <summary>How long whoever asks waits for the rows that there are.</summary>
    private static readonly TimeSpan WaitTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>The node belongs to no cluster, and has not been told which to join.</summary>
    public bool IsUnjoined => facts.Host.IsUnjoined;

    /// <summary>
    /// Joins the cluster of a node, by its peer address, and waits until all rows that were there have come. Null then,
    /// else an error of the Redis protocol. Harmless for a node that follows that cluster already.
    /// </summary>
    public async Task<string?> Join(string address)
    {
        if (!PeerSockets.TryParse(address, out _, out _))
        {
            return $"ERR '{address}' is no address of the form host:port";
        }

        if (facts.Host.TryJoin(address) is { } refusal)
        {
            return "ERR " + refusal;
        }

        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < WaitTime)
        {
            if (await facts.Report().ConfigureAwait(false) is { } report)
            {
                if (facts.Host.IsForeign(report, address))
                {
                    return $"ERR this node follows another cluster than that of {address}; one folder follows one";
                }

                if (HasAll(report))
                {
                    return null;
                }
            }

            await Task.Delay(LookAgain).ConfigureAwait(false);
        }

        return $"TRYAGAIN not all rows have come from the cluster at {address} within {WaitTime.TotalSeconds:F0} s; "
            + "this node goes on, and /events says how far it is";
    }

    /// <summary>It knows every partition's leader, and has applied what that had committed when it was heard.</summary>
    private static bool HasAll(ClusterReport report) =>
        report.MetadataVersion > 0
        && report.Partitions.Count > 0
        && report.Partitions.All(partition => partition is { IsHere: true, Leader: not null }
            && partition.Commit.Value > 0 && partition.Applied >= partition.Commit);
}
