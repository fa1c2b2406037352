using System.Numerics;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Holds committed memberships against each other by brute force over subsets: no two disjoint sets of replicas may
/// be a quorum of one membership and of the next (Raft, section 6). Shares no code with the core's counting.
/// </summary>
internal static class MembershipChecks
{
    /// <summary>More voters in two memberships together than this are not tried: 2^16 subsets a change.</summary>
    private const int VotersMax = 16;

    public static void Follows(int group, MembershipAt before, MembershipAt after)
    {
        var voters = new SortedSet<ReplicaId>();
        Add(voters, before.Membership);
        Add(voters, after.Membership);
        if (voters.Count > VotersMax)
        {
            return;
        }

        List<ReplicaId> order = [.. voters];
        (uint First, uint Second) old = Masks(order, before.Membership);
        (uint First, uint Second) next = Masks(order, after.Membership);
        uint all = (1u << order.Count) - 1;
        for (uint set = 0; set <= all; set++)
        {
            if (IsQuorum(set, old) && IsQuorum(all & ~set, next))
            {
                RunClaims.Break(
                    RunClaims.QuorumsMeet,
                    $"group {group + 1}: membership {before.Membership} at {before.Index} and its successor "
                        + $"{after.Membership} "
                        + $"at {after.Index} have quorums that do not meet");
            }
        }
    }

    /// <summary>True when these replicas are a majority of each half.</summary>
    public static bool IsQuorum(Membership membership, Func<ReplicaId, bool> has) =>
        IsMajority(membership.Voters, has) && (!membership.IsJoint || IsMajority(membership.Outgoing, has));

    private static bool IsMajority(ReadOnlySpan<ReplicaId> half, Func<ReplicaId, bool> has)
    {
        int count = 0;
        foreach (ReplicaId id in half)
        {
            count += has(id) ? 1 : 0;
        }

        return count > half.Length / 2;
    }

    private static bool IsQuorum(uint set, (uint First, uint Second) halves) =>
        IsMajority(set, halves.First) && (halves.Second == 0 || IsMajority(set, halves.Second));

    private static bool IsMajority(uint set, uint half) =>
        BitOperations.PopCount(set & half) > BitOperations.PopCount(half) / 2;

    private static void Add(SortedSet<ReplicaId> all, Membership membership)
    {
        foreach (ReplicaId id in membership.Voters)
        {
            all.Add(id);
        }

        foreach (ReplicaId id in membership.Outgoing)
        {
            all.Add(id);
        }
    }

    private static (uint First, uint Second) Masks(List<ReplicaId> order, Membership membership) =>
        (Mask(order, membership.Voters), Mask(order, membership.Outgoing));

    private static uint Mask(List<ReplicaId> order, ReadOnlySpan<ReplicaId> ids)
    {
        uint mask = 0;
        foreach (ReplicaId id in ids)
        {
            mask |= 1u << order.IndexOf(id);
        }

        return mask;
    }
}
