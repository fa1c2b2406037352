using Quorate.Core.Model;

namespace Quorate.Node.Cluster;

/// <summary>The node as its edges see it. Any thread may call it.</summary>
public interface INodeGateway
{
    /// <summary>The node's monotonic clock, now.</summary>
    Instant Now { get; }

    /// <summary>The newest view of the cluster.</summary>
    ClusterView View { get; }

    /// <summary>
    /// Hands calls over, in their order. Each is completed once, perhaps before this returns, perhaps on another
    /// thread. Writes of one partition are executed in the order in which they were handed over. A read sees every
    /// write that had ended before it was handed over; one that has not may be overtaken, so whoever must not overtake
    /// its own writes waits for them (pitfall R34).
    /// </summary>
    void Submit(ReadOnlySpan<ClientCall> calls);

    /// <summary>Asks the metadata group.</summary>
    void Submit(MetadataCall call);

    /// <summary>Looks at the node, or tells it something, on the thread that drives it, soon.</summary>
    void Post(Action<ClusterNode> action);
}
