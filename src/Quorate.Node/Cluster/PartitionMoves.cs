using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// Brings the partitions that this node leads to where the map wants them: asks the group for the membership, and shows
/// the map what the group has decided. So far learners alone come and go: the voters stay who they are.
/// <para>Invariant: one thing at a time, each decided anew from the map and the group, so that another leader may go on
/// with what this one began.</para>
/// </summary>
internal sealed class PartitionMoves(ClusterParts parts, LocalCalls local, MetadataCalls calls)
{
    private bool _isBusy;
    private bool _isThrough;

    /// <summary>What was asked for has come about: the next may follow at once.</summary>
    public void GoOn()
    {
        if (_isThrough)
        {
            Look();
        }
    }

    public void Look()
    {
        _isThrough = false;
        if (_isBusy || parts.HasEnded)
        {
            return;
        }

        foreach (PartitionRecord row in parts.View.State.Partitions)
        {
            if (row.TargetVoters.Count > 0
                && row.TargetVoters.Order().SequenceEqual(row.Voters.Order())
                && parts.Runtime.Find(new(row.Group)) is { IsLeader: true } partition)
            {
                GoOn(row, partition.Replica.Group!);
                if (_isBusy)
                {
                    return;
                }
            }
        }
    }

    private void GoOn(PartitionRecord row, RaftGroup raft)
    {
        Membership target = TargetOf(row);
        if (!raft.Membership.Equals(target))
        {
            if (!raft.Membership.IsJoint)
            {
                _isBusy = true;
                local.ChangeMembership(
                    new(row.Group),
                    target,
                    parts.Now + parts.Settings.DutyDeadline,
                    reply => Ended(reply.Outcome == Outcome.Done));
            }

            return;
        }

        // As far as it is applied here it is committed.
        SnapshotMeta applied = raft.CheckpointMeta();
        if (applied.Membership.Equals(target))
        {
            Show(row, applied);
        }
    }

    private Membership TargetOf(PartitionRecord row)
    {
        SortedSet<uint> replicas =
            [.. parts.View.State.Nodes.Where(node => node.ReadReplica).Select(node => node.Id)];
        return Membership.Of(
            row.TargetVoters.Select(ReplicaId.FromPacked),
            row.TargetLearners.Select(ReplicaId.FromPacked).Select(id => new Learner(
                id, replicas.Contains(id.Node) ? LearnerKind.ReadOnly : LearnerKind.Standing)));
    }

    private void Show(PartitionRecord row, SnapshotMeta applied)
    {
        var moved = new PartitionMoved { Group = row.Group, MembershipIndex = applied.MembershipIndex.Value };
        moved.Voters.AddRange(row.TargetVoters);
        moved.Learners.AddRange(row.TargetLearners);
        _isBusy = true;
        calls.Submit(
            new MetadataCommand { PartitionMoved = moved }, parts.Now + parts.Settings.DutyDeadline,
            (outcome, result) => Ended(outcome == Outcome.Done && result!.Refusal.Length == 0));
    }

    /// <summary>What was refused is asked for again at the next look, not at once: nothing may have changed.</summary>
    private void Ended(bool isDone)
    {
        _isBusy = false;
        _isThrough = isDone;
    }
}
