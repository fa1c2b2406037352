using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Raft;

/// <summary>Memberships, the quorums they decide by and the way from one to the next.</summary>
public sealed class MembershipTests
{
    [Fact]
    public void A_membership_is_read_back_as_it_was_written()
    {
        var random = new SeededRandom(1);
        for (int round = 0; round < 500; round++)
        {
            Membership membership = Any(random);
            Membership? read = Membership.TryDecode(membership.Encode());
            Assert.Equal(membership, read);
            Assert.Equal(membership.ToString(), read!.ToString());
        }
    }

    [Fact]
    public void Bytes_that_are_no_membership_are_refused()
    {
        byte[] bytes = Any(new SeededRandom(2)).Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(Membership.TryDecode(bytes.AsSpan(0, length)));
        }

        Assert.Null(Membership.TryDecode([.. bytes, 0]));
        bytes[0] = 9;
        Assert.Null(Membership.TryDecode(bytes));
    }

    [Fact]
    public void Every_two_quorums_on_the_way_of_a_change_meet_section_6()
    {
        // Exhaustive over sets of up to five voters: whatever StepTowards appends, a quorum of the membership before
        // and one of the membership after it share a voter.
        ReplicaId[] all = [.. Enumerable.Range(1, 5).Select(n => new ReplicaId((uint)n, 1))];
        for (int from = 1; from < 32; from++)
        {
            for (int to = 1; to < 32; to++)
            {
                Membership before = Membership.Of(Subset(all, from));
                Membership step = before.StepTowards(Membership.Of(Subset(all, to)));
                AssertQuorumsMeet(all, before, step);
                if (step.IsJoint)
                {
                    AssertQuorumsMeet(all, step, step.Leave());
                }
            }
        }
    }

    [Fact]
    public void A_replica_cannot_vote_and_learn_at_once_and_a_group_needs_a_voter()
    {
        ReplicaId one = new(1, 1);
        Assert.NotNull(Membership.Of([]).Problem(32));
        Assert.NotNull(Membership.Of([one], [new(one, LearnerKind.Joining)]).Problem(32));
        Assert.NotNull(Membership.Of([one, new(1, 2)]).Problem(32));
        Assert.NotNull(Membership.Of([one, new(2, 1)]).Problem(1));
        Assert.Null(Membership.Of([one], [new(new(2, 1), LearnerKind.Standing)]).Problem(32));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(5, 3)]
    [InlineData(6, 4)]
    [InlineData(7, 4)]
    public void A_majority_is_more_than_half(int voters, int majority) =>
        Assert.Equal(majority, Quorum.Majority(voters));

    [Fact]
    public void What_a_quorum_has_reached_is_what_enough_voters_have_reached()
    {
        var random = new SeededRandom(3);
        for (int round = 0; round < 2_000; round++)
        {
            Membership membership = Any(random);
            var values = new SortedDictionary<ReplicaId, ulong>();
            foreach (ReplicaId id in membership.AllReplicas)
            {
                values[id] = (ulong)random.Next(6);
            }

            ulong reached = Quorum.Reached(membership, new Table(values));
            Assert.True(Enough(membership, values, reached));
            Assert.False(Enough(membership, values, reached + 1));
        }
    }

    [Fact]
    public void An_election_is_won_by_a_majority_of_each_half_and_lost_when_none_is_left()
    {
        var random = new SeededRandom(4);
        for (int round = 0; round < 2_000; round++)
        {
            Membership membership = Any(random);
            var tally = new VoteTally();
            var granted = new SortedDictionary<ReplicaId, ulong>();
            var possible = new SortedDictionary<ReplicaId, ulong>();
            foreach (ReplicaId id in membership.AllReplicas)
            {
                long vote = random.Next(3);
                granted[id] = vote == 0 ? 1UL : 0UL;
                possible[id] = vote == 1 ? 0UL : 1UL;
                if (vote < 2)
                {
                    tally.Record(id, granted: vote == 0);
                    tally.Record(id, granted: vote != 0);
                }
            }

            ElectionResult expected = Enough(membership, granted, 1) ? ElectionResult.Won
                : Enough(membership, possible, 1) ? ElectionResult.Pending : ElectionResult.Lost;
            Assert.Equal(expected, tally.Result(membership));
        }
    }

    private static Membership Any(SeededRandom random)
    {
        ReplicaId[] ids = [.. Enumerable.Range(1, 9).Select(n => new ReplicaId((uint)n, (uint)random.Between(1, 3)))];
        Membership from = Membership.Of(Subset(ids, (int)random.Between(1, 127)));
        Learner[] learners = [new(ids[7], LearnerKind.Standing), new(ids[8], LearnerKind.Joining)];
        Membership to = Membership.Of(Subset(ids, (int)random.Between(1, 127)), learners);
        return random.Next(2) == 0 ? to : from.StepTowards(to);
    }

    private static IEnumerable<ReplicaId> Subset(ReplicaId[] ids, int mask) => ids.Where((_, i) =>
        ((mask >> i) & 1) == 1);

    private static bool Enough(Membership membership, SortedDictionary<ReplicaId, ulong> values, ulong value)
    {
        bool Half(ReadOnlySpan<ReplicaId> voters)
        {
            int count = 0;
            foreach (ReplicaId voter in voters)
            {
                count += values[voter] >= value ? 1 : 0;
            }

            return 2 * count > voters.Length;
        }

        return Half(membership.Voters) && (!membership.IsJoint || Half(membership.Outgoing));
    }

    private static void AssertQuorumsMeet(ReplicaId[] all, Membership one, Membership other)
    {
        for (int a = 0; a < 32; a++)
        {
            for (int b = 0; b < 32; b++)
            {
                if ((a & b) == 0)
                {
                    Assert.False(IsQuorum(all, a, one) && IsQuorum(all, b, other), $"{one} and {other} decide apart");
                }
            }
        }
    }

    private static bool IsQuorum(ReplicaId[] all, int mask, Membership membership)
    {
        var values = new SortedDictionary<ReplicaId, ulong>();
        for (int i = 0; i < all.Length; i++)
        {
            values[all[i]] = (ulong)((mask >> i) & 1);
        }

        return Quorum.Reached(membership, new Table(values)) == 1;
    }

    private readonly struct Table(SortedDictionary<ReplicaId, ulong> values) : Quorum.IMeasure
    {
        public ulong Of(ReplicaId voter) => values[voter];
    }
}
