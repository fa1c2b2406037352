using System.Collections.Concurrent;
using Quorate.Core.Model;

namespace Quorate.Server.Resp.ClusterMode;

/// <summary>Who leads the partitions of this node, and which other nodes it hears, as it was last told. Any thread may
/// look.</summary>
public sealed class LeaderBoard
{
    private readonly ConcurrentDictionary<GroupId, NodeId> _leaders = new();
    private readonly ConcurrentDictionary<NodeId, bool> _heard = new();

    /// <summary>Heartbeats of this other node arrive.</summary>
    public bool Hears(NodeId node) => _heard.ContainsKey(node);

    public void SetHeard(NodeId node, bool isHeard)
    {
        if (isHeard)
        {
            _heard[node] = true;
        }
        else
        {
            _heard.TryRemove(node, out _);
        }
    }

    /// <summary>Null when no leader is known.</summary>
    public NodeId? Of(GroupId group) => _leaders.TryGetValue(group, out NodeId leader) ? leader : null;

    /// <param name="leader">Null: none is known any more.</param>
    public void Set(GroupId group, NodeId? leader)
    {
        if (leader is { } known)
        {
            _leaders[group] = known;
        }
        else
        {
            _leaders.TryRemove(group, out _);
        }
    }
}
