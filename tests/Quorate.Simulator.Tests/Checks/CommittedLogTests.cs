using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;
using static Quorate.Simulator.Tests.Checks.ForgedGroup;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>Forged commits and states break the claims that they should.</summary>
public sealed class CommittedLogTests
{
    private readonly ForgedGroup _group = new();

    private CommittedLog Committed => _group.Checks.Committed;

    [Fact]
    public void Different_entries_at_one_index_break_state_machine_safety()
    {
        Committed.Add(One, EntryOf(_group.Write(5), 1, 1), new Term(1));
        Attempt other = _group.Write(6);

        Breaks(RunClaims.StateMachineSafety, () => Committed.Add(Two, EntryOf(other, 1, 1), new Term(1)));
    }

    [Fact]
    public void The_same_entry_committed_by_two_replicas_breaks_nothing()
    {
        Attempt write = _group.Write(5);
        Committed.Add(One, EntryOf(write, 1, 1), new Term(1));
        Committed.Add(Two, EntryOf(write, 1, 1), new Term(1));

        Assert.Equal(1UL, Committed.Last);
        Assert.Equal(new LogIndex(1), write.CommittedAt);
    }

    [Fact]
    public void A_gap_between_committed_entries_breaks_state_machine_safety() =>
        Breaks(RunClaims.StateMachineSafety, () => Committed.Add(One, Barrier(2, 1), new Term(1)));

    [Fact]
    public void Terms_of_committed_entries_that_fall_break_state_machine_safety()
    {
        Committed.Add(One, Barrier(1, 3), new Term(3));

        Breaks(RunClaims.StateMachineSafety, () => Committed.Add(One, Barrier(2, 2), new Term(3)));
    }

    [Fact]
    public void A_state_that_nobody_committed_breaks_state_machine_safety()
    {
        Committed.Add(One, Barrier(1, 1), new Term(1));

        Breaks(RunClaims.StateMachineSafety, () => Committed.CheckState(Two, Token(2, 1), stateHash: 0));
        Breaks(RunClaims.StateMachineSafety, () => Committed.CheckState(Two, Token(1, 2), stateHash: 0));
    }

    [Fact]
    public void A_state_other_than_the_entries_give_breaks_state_hash()
    {
        Entry entry = EntryOf(_group.Write(5), 1, 1);
        Committed.Add(One, entry, new Term(1));
        var store = new RegisterStore();
        store.Apply(entry, resultWanted: false);
        Committed.CheckState(Two, Token(1, 1), store.StateHash);

        Breaks(RunClaims.StateHash, () => Committed.CheckState(Two, Token(1, 1), store.StateHash + 1));
        Breaks(RunClaims.StateHash, () => Committed.CheckState(Three, Token(0, 0), stateHash: 1));
    }

    [Fact]
    public void An_attempt_committed_twice_breaks_executed_twice()
    {
        Attempt write = _group.Write(5);
        Committed.Add(One, EntryOf(write, 1, 1), new Term(1));

        Breaks(RunClaims.ExecutedTwice, () => Committed.Add(One, EntryOf(write, 2, 1), new Term(1)));
    }

    [Fact]
    public void A_refused_attempt_that_is_committed_later_breaks_refused_executed()
    {
        Attempt write = _group.Write(5);
        _group.Refuse(write);

        Breaks(RunClaims.RefusedExecuted, () => Committed.Add(One, EntryOf(write, 1, 1), new Term(1)));
    }

    [Fact]
    public void A_committed_membership_whose_quorums_miss_the_former_ones_breaks_quorums_meet()
    {
        byte[] elsewhere = Membership.Of([new ReplicaId(4, 1), new ReplicaId(5, 1)]).Encode();
        var entry = new Entry(new LogIndex(1), new Term(1), EntryKind.Membership, elsewhere);

        Breaks(RunClaims.QuorumsMeet, () => Committed.Add(One, entry, new Term(1)));
    }

    [Fact]
    public void Memberships_that_differ_by_one_voter_or_are_joint_break_nothing()
    {
        ReplicaId four = new(4, 1);
        ReplicaId five = new(5, 1);
        Membership target = Membership.Of([One, four, five]);
        Membership[] steps =
            [Membership.Of([One, Two, Three, four]), Voters, Voters.StepTowards(target), target];
        for (int i = 0; i < steps.Length; i++)
        {
            var index = new LogIndex((ulong)i + 1);
            Committed.Add(One, new Entry(index, new Term(1), EntryKind.Membership, steps[i].Encode()), new Term(1));
        }

        Assert.Equal(target, Committed.Membership);
    }
}
