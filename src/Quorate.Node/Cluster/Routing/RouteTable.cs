using Quorate.Core.Model;
using Quorate.Storage.Memory;

namespace Quorate.Node.Cluster.Routing;

/// <summary>What is known of the way to each partition that was asked for.</summary>
internal sealed class RouteTable(RoutingSettings settings, MemoryBudget memory)
{
    private readonly SortedDictionary<GroupId, PartitionRoute> _routes = [];

    public PartitionRoute Of(GroupId group)
    {
        if (!_routes.TryGetValue(group, out PartitionRoute? route))
        {
            route = new(group, settings, memory);
            _routes.Add(group, route);
        }

        return route;
    }

    /// <summary>Null when nobody has asked for it.</summary>
    public PartitionRoute? Find(GroupId group) => _routes.GetValueOrDefault(group);

    /// <summary>
    /// A peer stops and hands its leaderships over: whoever was last known to lead there is looked for anew, since it
    /// may be gone when the next request arrives.
    /// </summary>
    public void BeginsToStop(NodeId peer)
    {
        foreach (PartitionRoute route in _routes.Values.Where(route => route.LeaderHint == peer))
        {
            route.LeaderHint = null;
        }
    }
}
