using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>Majorities: ⌊n/2⌋+1 of n voters, and of each half of a joint membership.</summary>
internal static class Quorum
{
    public static int Majority(int voters) => (voters / 2) + 1;

    /// <summary>The largest value that a quorum has reached, given each voter's value.</summary>
    public static ulong Reached<TMeasure>(Membership membership, in TMeasure measure)
        where TMeasure : struct, IMeasure
    {
        if (membership.IsJoint && !Guards.JointNeedsBothMajorities)
        {
            return Half(new SortedSet<ReplicaId>([.. membership.Voters, .. membership.Outgoing]).ToArray(), measure);
        }

        ulong incoming = Half(membership.Voters, measure);
        return membership.IsJoint ? Math.Min(incoming, Half(membership.Outgoing, measure)) : incoming;
    }

    private static ulong Half<TMeasure>(ReadOnlySpan<ReplicaId> voters, in TMeasure measure)
        where TMeasure : struct, IMeasure
    {
        if (voters.Length == 0)
        {
            return 0;
        }

        Span<ulong> values = voters.Length <= 32 ? stackalloc ulong[voters.Length] : new ulong[voters.Length];
        for (int i = 0; i < voters.Length; i++)
        {
            // Insertion sort, descending: there are few voters.
            ulong value = measure.Of(voters[i]);
            int at = i;
            while (at > 0 && values[at - 1] < value)
            {
                values[at] = values[at - 1];
                at--;
            }

            values[at] = value;
        }

        return values[Majority(voters.Length) - 1];
    }

    /// <summary>Something that each voter has reached, as a number; zero for a voter that is not known.</summary>
    internal interface IMeasure
    {
        ulong Of(ReplicaId voter);
    }
}
