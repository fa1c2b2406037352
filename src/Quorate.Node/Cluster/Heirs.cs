using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Partitions;

namespace Quorate.Node.Cluster;

/// <summary>
/// Hands over whatever a node leads that is to lead nothing: it stops, or its disk is full.
/// <para>Invariants: one transfer at a time for each group; nothing goes to a node that is not heard, or that says that
/// it would have to hand it on again.</para>
/// </summary>
internal sealed class Heirs(ClusterParts parts, LocalCalls local)
{
    private readonly SortedSet<GroupId> _leaving = [];

    /// <summary>Leaderships given to each node so far: they are spread over all that may have them.</summary>
    private readonly SortedDictionary<NodeId, int> _given = [];
    private bool _metadataLeaves;

    /// <summary>How many leaderships have gone to others so far.</summary>
    public int HandedOver { get; private set; }

    /// <summary>Begins to hand over whatever this node leads; how many leaderships somebody else could have.</summary>
    public int HandOverAll()
    {
        int left = HandOver(parts.Metadata.IsLeader ? parts.Metadata.Raft : null) ? 1 : 0;
        foreach (GroupId group in parts.Runtime.Partitions)
        {
            Partition partition = parts.Runtime.Find(group)!;
            left += partition.IsLeader && HandOver(group, partition) ? 1 : 0;
        }

        return left;
    }

    /// <summary>False when nobody can take it.</summary>
    private bool HandOver(GroupId group, Partition partition)
    {
        if (_leaving.Contains(group))
        {
            return true;
        }

        if (HeirOf(partition.Replica.Group!) is not { } heir)
        {
            return false;
        }

        _leaving.Add(group);
        _given[heir.NodeId] = _given.GetValueOrDefault(heir.NodeId) + 1;
        local.Transfer(group, heir, reply =>
        {
            _leaving.Remove(group);
            HandedOver += reply.Outcome == Outcome.Done ? 1 : 0;
        });
        return true;
    }

    private bool HandOver(RaftGroup? metadata)
    {
        if (metadata is null || HeirOf(metadata) is not { } heir)
        {
            return false;
        }

        if (!_metadataLeaves)
        {
            _metadataLeaves = true;
            parts.Metadata.Transfer(heir, reply =>
            {
                _metadataLeaves = false;
                HandedOver += reply.Outcome == Outcome.Done ? 1 : 0;
            });
        }

        return true;
    }

    /// <summary>
    /// The voter that is heard, does not stop itself, and has all that is committed; of these the one that was given
    /// least. Where none has, the one that has most. Null when there is none.
    /// </summary>
    private ReplicaId? HeirOf(RaftGroup raft)
    {
        ReplicaId? best = null;
        (bool IsComplete, int Given, LogIndex Match) of = default;
        foreach (ReplicaId voter in raft.Membership.Voters)
        {
            if (voter == raft.Id || !parts.IsHeard(voter.NodeId) || parts.IsStopping(voter.NodeId))
            {
                continue;
            }

            LogIndex match = raft.MatchOf(voter);
            var now = (match >= raft.CommitIndex, _given.GetValueOrDefault(voter.NodeId), match);
            if (best is null || IsBetter(now, of))
            {
                (best, of) = (voter, now);
            }
        }

        return best;
    }

    private static bool IsBetter(
        in (bool IsComplete, int Given, LogIndex Match) one, in (bool IsComplete, int Given, LogIndex Match) other) =>
        one.IsComplete != other.IsComplete ? one.IsComplete
        : one.IsComplete && one.Given != other.Given ? one.Given < other.Given
        : one.Match > other.Match;
}
