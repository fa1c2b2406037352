using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>Looks at rows of the map.</summary>
internal static class MapRows
{
    /// <summary>The replica that a node has, or is to have; null when none.</summary>
    public static ReplicaId? ReplicaOn(this PartitionRecord row, NodeId node)
    {
        foreach (ulong packed in row.Voters.Concat(row.Learners).Concat(row.TargetVoters).Concat(row.TargetLearners))
        {
            ReplicaId replica = ReplicaId.FromPacked(packed);
            if (replica.NodeId == node)
            {
                return replica;
            }
        }

        return null;
    }

    public static SlotRange Slots(this PartitionRecord row) =>
        new(new((ushort)row.FirstSlot), new((ushort)row.LastSlot));

    /// <summary>The first membership of a group, as its row shows it until the group has changed it.</summary>
    /// <param name="row">Of the map.</param>
    /// <param name="replica">Who is opened: one that comes later is told the membership by its leader.</param>
    public static Membership? FirstMembership(this PartitionRecord row, ReplicaId replica) =>
        row.MembershipIndex != 0 || !(row.Voters.Contains(replica.Packed) || row.Learners.Contains(replica.Packed))
            ? null
            : Membership.Of(
                row.Voters.Select(ReplicaId.FromPacked),
                row.Learners.Select(id => new Learner(ReplicaId.FromPacked(id), LearnerKind.Standing)));
}
