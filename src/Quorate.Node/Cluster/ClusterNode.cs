using Quorate.Core.Model;

namespace Quorate.Node.Cluster;

/// <summary>
/// A node of a cluster: its partitions, its copy of the metadata, and the way of each request to whoever may answer it.
/// It is fed inputs and tells its host what follows; it has no thread, clock or socket of its own.
/// </summary>
public sealed class ClusterNode(NodeId id, IClusterHost host)
{
    public NodeId Id { get; } = id;

    /// <summary>The world around it.</summary>
    internal IClusterHost Host { get; } = host;
}
