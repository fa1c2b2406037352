using System.Collections.Concurrent;
using Quorate.Core.Model;

namespace Quorate.Server.Resp.ClusterMode;

/// <summary>Who leads the partitions of this node, as it was last told. Any thread may look.</summary>
public sealed class LeaderBoard
{
    private readonly ConcurrentDictionary<GroupId, NodeId> _leaders = new();

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
