using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;

namespace Quorate.Node.Cluster;

/// <summary>
/// Hands leaderships to where they belong, so that they are spread evenly and return after a failover.
/// <para>Invariant: where a leader belongs follows from the map alone, so all nodes agree on it; one leadership is
/// handed over at a time, to a voter that is heard and has all that is committed.</para>
/// </summary>
internal sealed class LeaderBalance(ClusterParts parts, LocalCalls local)
{
    private SortedDictionary<GroupId, ReplicaId> _preferred = [];
    private ulong _version = ulong.MaxValue;
    private Instant _next;
    private bool _isBusy;

    public NodeId? PreferredOf(GroupId group)
    {
        Plan();
        return _preferred.TryGetValue(group, out ReplicaId replica) ? replica.NodeId : null;
    }

    /// <summary>
    /// Each partition in the map's order gets the voter that was preferred least so far; of those the first in its row.
    /// </summary>
    public static SortedDictionary<GroupId, ReplicaId> Plan(MetadataState state)
    {
        SortedDictionary<uint, int> counts = [];
        SortedDictionary<GroupId, ReplicaId> preferred = [];
        foreach (PartitionRecord row in state.Partitions.OrderBy(row => row.Keyspace).ThenBy(row => row.FirstSlot))
        {
            ReplicaId best = ReplicaId.None;
            foreach (ReplicaId voter in row.Voters.Select(ReplicaId.FromPacked))
            {
                if (best.IsNone || counts.GetValueOrDefault(voter.Node) < counts.GetValueOrDefault(best.Node))
                {
                    best = voter;
                }
            }

            counts[best.Node] = counts.GetValueOrDefault(best.Node) + 1;
            preferred[new(row.Group)] = best;
        }

        return preferred;
    }

    public void Look()
    {
        Instant now = parts.Now;
        if (_isBusy || now < _next)
        {
            return;
        }

        Plan();
        foreach ((GroupId group, ReplicaId preferred) in _preferred)
        {
            if (preferred.NodeId != parts.Self
                && parts.Runtime.Find(group) is { IsLeader: true } partition
                && MayTake(partition, preferred))
            {
                _isBusy = true;
                _next = now + parts.Settings.BalanceInterval;
                local.Transfer(group, preferred, _ => _isBusy = false);
                return;
            }
        }
    }

    private bool MayTake(Partition partition, ReplicaId heir)
    {
        RaftGroup raft = partition.Replica.Group!;
        return parts.IsHeardFor(heir.NodeId, parts.Settings.BalanceAfter)
            && !parts.IsStopping(heir.NodeId)
            && raft.Membership.IsIncomingVoter(heir)
            && raft.MatchOf(heir) >= raft.CommitIndex;
    }

    private void Plan()
    {
        if (_version != parts.View.Version)
        {
            _version = parts.View.Version;
            _preferred = Plan(parts.View.State);
        }
    }
}
