using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;
using static Quorate.Simulator.Tests.Checks.ForgedGroup;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>Forged elections, commits and answers break the claims that they should.</summary>
public sealed class GroupChecksTests
{
    private readonly ForgedGroup _group = new();

    private GroupChecks Checks => _group.Checks;

    [Fact]
    public void Two_leaders_of_one_term_break_election_safety()
    {
        _group.Elect(One, 2);
        _group.Lead(One, 2);
        _group.Elect(Two, 3);

        Breaks(RunClaims.ElectionSafety, () => _group.Lead(Three, 3, life: 1));
    }

    [Fact]
    public void A_leader_that_leads_its_term_on_after_a_restart_breaks_election_safety()
    {
        _group.Elect(One, 2);

        Breaks(RunClaims.ElectionSafety, () => _group.Lead(One, 2, life: 2));
    }

    [Fact]
    public void A_leader_without_a_committed_entry_breaks_leader_completeness()
    {
        _group.Append(One, durable: true, Barrier(1, 1));
        _group.Append(Three, durable: true, Barrier(1, 1));
        _group.CommitBy(One, 1, 1);

        Breaks(RunClaims.LeaderCompleteness, () => _group.Lead(Two, 2, life: 1));
    }

    [Fact]
    public void A_leader_with_another_entry_than_the_committed_one_breaks_leader_completeness()
    {
        _group.Append(One, durable: true, Barrier(1, 2));
        _group.Append(Three, durable: true, Barrier(1, 2));
        _group.Append(Two, durable: true, Barrier(1, 1));
        _group.CommitBy(One, 2, 1);

        Breaks(RunClaims.LeaderCompleteness, () => _group.Lead(Two, 3, life: 1));
    }

    [Fact]
    public void A_leader_with_all_committed_entries_breaks_nothing()
    {
        _group.Commit(Barrier(1, 1));
        _group.Append(One, durable: true, Barrier(2, 1));

        _group.Elect(Two, 2);
        Assert.Equal(new Term(2), Checks.LastElected);
    }

    [Fact]
    public void A_commit_beyond_the_leaders_log_breaks_state_machine_safety()
    {
        _group.Append(One, durable: true, Barrier(1, 1));

        Breaks(
            RunClaims.StateMachineSafety, () => _group.CommitBy(One, 1, 2));
    }

    [Fact]
    public void A_write_refused_after_its_commit_breaks_refused_executed()
    {
        Attempt write = _group.Write(5);
        _group.Commit(EntryOf(write, 1, 1));

        Breaks(RunClaims.RefusedExecuted, () => _group.Refuse(write));
    }

    [Fact]
    public void A_write_acknowledged_where_nothing_is_committed_breaks_acknowledged_durability()
    {
        Attempt write = _group.Write(5);
        _group.Append(One, durable: true, EntryOf(write, 1, 1));

        Breaks(RunClaims.AcknowledgedDurability, () => _group.Done(write, Token(1, 1), new CommandResult(0, 1)));
    }

    [Fact]
    public void A_write_acknowledged_at_anothers_place_breaks_acknowledged_durability()
    {
        Attempt first = _group.Write(5);
        Attempt second = _group.Write(6);
        _group.Commit(EntryOf(first, 1, 1));
        _group.Commit(EntryOf(second, 2, 1));

        Breaks(RunClaims.AcknowledgedDurability, () => _group.Done(second, Token(1, 1), new CommandResult(0, 1)));
    }

    [Fact]
    public void A_write_answered_with_another_result_than_it_had_breaks_wrong_result()
    {
        Attempt write = _group.Write(5);
        _group.Commit(EntryOf(write, 1, 1));

        Breaks(RunClaims.WrongResult, () => _group.Done(write, Token(1, 1), new CommandResult(0, 9)));
    }

    [Fact]
    public void A_write_durable_on_one_of_three_disks_breaks_durable_before_acknowledged()
    {
        Attempt write = _group.Write(5);
        AppendTo(write, durable: [One], written: [Two, Three]);

        Breaks(RunClaims.DurableBeforeAcknowledged, () => _group.Done(write, Token(1, 1), new CommandResult(0, 1)));
    }

    [Fact]
    public void A_write_durable_on_two_of_three_disks_may_be_acknowledged_at_majority()
    {
        Attempt write = _group.Write(5);
        AppendTo(write, durable: [One, Two], written: [Three]);

        _group.Done(write, Token(1, 1), new CommandResult(0, 1));
        Assert.Equal(new LogIndex(1), write.CommittedAt);
    }

    [Fact]
    public void A_write_on_fewer_disks_than_its_level_counts_breaks_durable_before_acknowledged()
    {
        Attempt write = _group.Write(5, WriteLevel.Count(3));
        AppendTo(write, durable: [One, Two], written: [Three]);

        Breaks(RunClaims.DurableBeforeAcknowledged, () => _group.Done(write, Token(1, 1), new CommandResult(0, 1)));
    }

    [Fact]
    public void A_write_at_level_all_that_one_voter_lacks_breaks_durable_before_acknowledged()
    {
        Attempt write = _group.Write(5, WriteLevel.All);
        AppendTo(write, durable: [One, Three], written: [Two]);

        Breaks(RunClaims.DurableBeforeAcknowledged, () => _group.Done(write, Token(1, 1), new CommandResult(0, 1)));
    }

    [Fact]
    public void A_write_at_level_leader_that_the_leaders_disk_lacks_breaks_durable_before_acknowledged()
    {
        Attempt write = _group.Write(5, WriteLevel.Leader);
        _group.Append(One, durable: false, EntryOf(write, 1, 1));
        _group.Append(Two, durable: true, EntryOf(write, 1, 1));

        Breaks(RunClaims.DurableBeforeAcknowledged, () => _group.Done(write, Token(1, 1)));
    }

    /// <summary>The write lies on these disks, is under way to the others, and is said to be committed.</summary>
    private void AppendTo(Attempt write, ReplicaId[] durable, ReplicaId[] written)
    {
        foreach (ReplicaId replica in durable)
        {
            _group.Append(replica, durable: true, EntryOf(write, 1, 1));
        }

        foreach (ReplicaId replica in written)
        {
            _group.Append(replica, durable: false, EntryOf(write, 1, 1));
        }

        Checks.Committed.Add(One, EntryOf(write, 1, 1), new Term(1));
    }
}
