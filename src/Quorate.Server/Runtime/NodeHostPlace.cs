using Quorate.Node.Cluster;
using Quorate.Node.Cluster.Forming;
using Quorate.Server.Disk;
using Quorate.Server.Reading;

namespace Quorate.Server.Runtime;

/// <summary>What a <see cref="NodeHost"/> is made of.</summary>
public sealed record NodeHostPlace
{
    public required NodeLoop Loop { get; init; }

    public required RealDisk Disk { get; init; }

    public required DataFolder Folder { get; init; }

    public required EventHistory Events { get; init; }

    /// <summary>Learns which partitions are here.</summary>
    public required LocalReads Reads { get; init; }

    public required FormationPlace Formation { get; init; }

    /// <summary>Counts what other threads hold of the node's memory; null where nobody does.</summary>
    public Action? Count { get; init; }

    /// <summary>The node belongs to no cluster, and begins to when it is told which to join.</summary>
    public bool WaitsForJoin { get; init; }

    /// <summary>Makes the node when it is known who it is.</summary>
    public required Func<ClusterIdentity, ulong, IClusterHost, ClusterNode> Create { get; init; }
}
