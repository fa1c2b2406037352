using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Partitions;

namespace Quorate.Node.Cluster;

/// <summary>
/// A node that stops well: its leaderships go to others that are heard, so that nobody waits for an election, and
/// checkpoints are begun, so that the next start reads little.
/// </summary>
internal sealed class Stopping(ClusterParts parts, LocalCalls local)
{
    private readonly SortedSet<GroupId> _leaving = [];

    /// <summary>What a checkpoint should hold before the end: under load, rows go on being written.</summary>
    private readonly SortedDictionary<GroupId, LogIndex> _appliedAtBegin = [];
    private bool _metadataLeaves;
    private Instant _handOverFrom = Instant.Never;
    private Instant _until = Instant.Never;
    private Instant _throughSince = Instant.Never;
    private Instant _ledSince = Instant.Never;

    public bool HasBegun { get; private set; }

    public bool IsReady { get; private set; }

    public void Begin()
    {
        if (HasBegun)
        {
            return;
        }

        HasBegun = true;
        _until = parts.Now + parts.Settings.StopAfter;

        // Until then others have told whether they stop, too: leaderships are not handed round among those that go.
        _handOverFrom = parts.Now + (parts.Settings.Node.Heartbeats.Interval * 2);
        parts.Metadata.WantCheckpoint();
        foreach (GroupId group in parts.Runtime.Partitions)
        {
            Partition partition = parts.Runtime.Find(group)!;
            _appliedAtBegin[group] = partition.Replica.AppliedAt.Index;
            partition.WantCheckpoint();
        }
    }

    /// <summary>True once, when nothing more is to be waited for.</summary>
    public bool Look()
    {
        if (!HasBegun || IsReady)
        {
            return false;
        }

        if (parts.Now < _handOverFrom)
        {
            return false;
        }

        bool isThrough = HandOver(parts.Metadata.IsLeader ? parts.Metadata.Raft : null);
        foreach (GroupId group in parts.Runtime.Partitions)
        {
            Partition partition = parts.Runtime.Find(group)!;
            isThrough &= !partition.IsLeader || HandOver(group, partition);
            isThrough &= partition.Rows.DirtyBytes == 0
                || partition.Replica.CheckpointAt >= _appliedAtBegin.GetValueOrDefault(group);
        }

        IsReady = (isThrough && IsQuiet()) || _until <= parts.Now;
        return IsReady;
    }

    /// <summary>Nothing is left to hand over: the others have noticed, or have had the time to.</summary>
    private bool IsQuiet()
    {
        Instant now = parts.Now;
        _throughSince = Instant.Min(_throughSince, now);
        _ledSince = AreHeirsLeading() ? Instant.Min(_ledSince, now) : Instant.Never;
        Instant last = Instant.Max(_ledSince, local.LastReceived);
        return (local.OfOthers == 0 && last + parts.Settings.StopQuiet <= now)
            || _throughSince + parts.Settings.StopQuietMax <= now;
    }

    /// <summary>Until an heir is heard of, the others still take this node for the leader.</summary>
    private bool AreHeirsLeading()
    {
        foreach (GroupId group in parts.Runtime.Partitions)
        {
            if (parts.Runtime.Find(group)!.Replica.Group is { Leader.IsNone: true, Membership.Voters.Length: > 1 })
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True when nobody can take it.</summary>
    private bool HandOver(GroupId group, Partition partition)
    {
        if (_leaving.Contains(group))
        {
            return false;
        }

        if (HeirOf(partition.Replica.Group!) is not { } heir)
        {
            return true;
        }

        _leaving.Add(group);
        local.Transfer(group, heir, _ => _leaving.Remove(group));
        return false;
    }

    private bool HandOver(RaftGroup? metadata)
    {
        if (metadata is null || HeirOf(metadata) is not { } heir)
        {
            return true;
        }

        if (!_metadataLeaves)
        {
            _metadataLeaves = true;
            parts.Metadata.Transfer(heir, _ => _metadataLeaves = false);
        }

        return false;
    }

    /// <summary>The voter that is heard, does not stop itself, and has most; null when there is none.</summary>
    private ReplicaId? HeirOf(RaftGroup raft)
    {
        ReplicaId? best = null;
        foreach (ReplicaId voter in raft.Membership.Voters)
        {
            if (voter != raft.Id && parts.IsHeard(voter.NodeId) && !parts.IsStopping(voter.NodeId)
                && (best is null || raft.MatchOf(voter) > raft.MatchOf(best.Value)))
            {
                best = voter;
            }
        }

        return best;
    }
}
