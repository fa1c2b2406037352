using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster.Routing;

/// <summary>
/// Who leads a partition, as far as is known: the replica here, then what others have said, then the voters in turn.
/// </summary>
internal static class LeaderSearch
{
    /// <summary>Null when nobody can be asked now.</summary>
    public static NodeId? Find(ClusterParts parts, PartitionRoute route)
    {
        if (parts.Runtime.Find(route.Group) is { Replica.IsRunning: true } here)
        {
            if (here.IsLeader)
            {
                return parts.Self;
            }

            if (ClusterParts.TryLeader(here.Replica.Group, out NodeId known)
                && known != parts.Self && parts.IsHeard(known))
            {
                return known;
            }
        }

        if (route.LeaderHint is { } hint && hint != parts.Self && parts.IsHeard(hint))
        {
            return hint;
        }

        if (!parts.View.TryFind(route.Group, out PartitionRecord? row))
        {
            return null;
        }

        // Nobody knows: the voters in turn. One that stops may be gone when the request arrives.
        return NextOf(parts, route, row, mayStop: false) ?? NextOf(parts, route, row, mayStop: true);
    }

    private static NodeId? NextOf(ClusterParts parts, PartitionRoute route, PartitionRecord row, bool mayStop)
    {
        for (int i = 0; i < row.Voters.Count; i++)
        {
            NodeId next = ReplicaId.FromPacked(row.Voters[route.NextReplica++ % row.Voters.Count]).NodeId;
            if (next != parts.Self && parts.IsHeard(next) && (mayStop || !parts.IsStopping(next)))
            {
                route.LeaderHint = next;
                return next;
            }
        }

        return null;
    }
}
