using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.World;

/// <summary>
/// How many disks a group can lose and still be able to answer: a majority of its voters stays intact.
/// </summary>
internal static class DiskBudget
{
    /// <summary>
    /// True when the intact replicas are a majority, whichever joining learners have become voters by then.
    /// </summary>
    public static bool Suffices(Membership membership, Func<ReplicaId, bool> isIntact)
    {
        List<ReplicaId> voters = [.. membership.Voters];
        List<ReplicaId> joining = Joining(membership);
        bool IsMajority(List<ReplicaId> ids) => ids.Count(isIntact) > ids.Count / 2;
        return IsMajority(voters)
            && IsMajority([.. voters, .. joining])
            && joining.TrueForAll(learner => IsMajority([.. voters, learner]));
    }

    /// <summary>The learners that may become voters at any time.</summary>
    public static List<ReplicaId> Joining(Membership membership)
    {
        List<ReplicaId> joining = [];
        foreach (Learner learner in membership.Learners)
        {
            if (learner.Kind == LearnerKind.Joining)
            {
                joining.Add(learner.Id);
            }
        }

        return joining;
    }
}
