using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>Keeps the heartbeats in step with the view: every node that is not removed is greeted.</summary>
internal sealed class PeerWatch(ClusterParts parts)
{
    /// <summary>The view is another one.</summary>
    public void Show(MetadataState state)
    {
        var gone = new SortedSet<NodeId>(Others(parts.View.State));
        parts.View = new(parts.Self, state);
        foreach (NodeId node in Others(state))
        {
            if (!gone.Remove(node))
            {
                parts.Runtime.Watch(node);
            }
        }

        foreach (NodeId node in gone)
        {
            parts.Runtime.Forget(node);
            parts.Heard(node, isHeard: false);
        }
    }

    private IEnumerable<NodeId> Others(MetadataState state) => state.Nodes
        .Where(node => node.State != NodeState.Removed && node.Id != parts.Self.Value)
        .Select(node => new NodeId(node.Id));
}
