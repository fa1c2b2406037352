using Quorate.Core.Model;
using Quorate.Storage.Memory;

namespace Quorate.Node.Cluster.Routing;

/// <summary>What is known of the way to each partition that was asked for.</summary>
internal sealed class RouteTable(RoutingSettings settings, MemoryBudget memory)
{
    private readonly SortedDictionary<GroupId, PartitionRoute> _routes = [];

    public int Count => _routes.Count;

    public PartitionRoute Of(GroupId group, ClusterView view)
    {
        if (!_routes.TryGetValue(group, out PartitionRoute? route))
        {
            ForgetDropped(view);
            route = new(group, settings, memory);
            _routes.Add(group, route);
        }

        return route;
    }

    /// <summary>
    /// Routes to partitions that are no more go once nothing waits there or is out: keyspaces come and go for ever.
    /// </summary>
    private void ForgetDropped(ClusterView view)
    {
        if (_routes.Count < view.State.Partitions.Count)
        {
            return;
        }

        foreach (PartitionRoute route in _routes.Values.ToArray())
        {
            if (route is { Out: 0, IsPaused: false, Waiting.Count: 0 } && !view.TryFind(route.Group, out _))
            {
                _routes.Remove(route.Group);
            }
        }
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
