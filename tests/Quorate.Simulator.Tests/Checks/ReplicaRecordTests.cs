using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Storage.Log;
using static Quorate.Simulator.Tests.Checks.ForgedGroup;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>Forged votes, logs and recoveries break the claims that they should.</summary>
public sealed class ReplicaRecordTests
{
    private readonly ForgedGroup _group = new();
    private readonly ReplicaRecord _record;

    public ReplicaRecordTests() => _record = _group.Checks.RecordOf(One);

    [Fact]
    public void A_term_that_falls_breaks_vote_safety()
    {
        Vote(3, One);

        Breaks(RunClaims.VoteSafety, () => Vote(2, One));
    }

    [Fact]
    public void A_second_vote_in_a_term_breaks_vote_safety()
    {
        Vote(3, ReplicaId.None);
        Vote(3, One);
        Vote(3, One);

        Breaks(RunClaims.VoteSafety, () => Vote(3, Two));
    }

    [Fact]
    public void A_vote_taken_back_breaks_vote_safety()
    {
        Vote(3, One);

        Breaks(RunClaims.VoteSafety, () => Vote(3, ReplicaId.None));
    }

    [Fact]
    public void A_vote_forgotten_in_a_restart_breaks_log_recovery()
    {
        Vote(3, One);
        _record.Durable(1);

        Breaks(RunClaims.LogRecovery, () => _record.Opened(Found(last: 0, default)));
    }

    [Fact]
    public void Different_entries_of_one_index_and_term_break_log_matching()
    {
        Entry mine = EntryOf(_group.Write(5), 1, 1);
        Entry other = EntryOf(_group.Write(6), 1, 1);
        _group.Append(One, durable: false, mine);

        Breaks(RunClaims.LogMatching, () => _group.Append(Two, durable: false, other));
    }

    [Fact]
    public void One_entry_after_entries_of_different_terms_breaks_log_matching()
    {
        _group.Append(One, durable: false, Barrier(1, 1), Barrier(2, 3));
        _group.Append(Three, durable: false, Barrier(1, 1), Barrier(2, 3));

        Breaks(RunClaims.LogMatching, () => _group.Append(Two, durable: false, Barrier(1, 2), Barrier(2, 3)));
    }

    [Fact]
    public void A_durable_entry_that_a_restart_does_not_find_breaks_log_recovery()
    {
        _group.Append(One, durable: true, Barrier(1, 1), Barrier(2, 1));

        Breaks(
            RunClaims.LogRecovery,
            () => _record.Opened(Found(last: 1, default, new TermStart(new Term(1), new LogIndex(1)))));
    }

    [Fact]
    public void An_entry_of_another_term_than_was_durable_breaks_log_recovery()
    {
        _group.Append(One, durable: true, Barrier(1, 1));

        Breaks(
            RunClaims.LogRecovery,
            () => _record.Opened(Found(last: 1, default, new TermStart(new Term(2), new LogIndex(1)))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_restart_may_find_some_of_what_was_under_way(int found)
    {
        _group.Append(One, durable: true, Barrier(1, 1));
        _group.Append(One, durable: false, Barrier(2, 1));

        _record.Opened(Found((ulong)found, default, new TermStart(new Term(1), new LogIndex(1))));

        Assert.Equal((ulong)found, _record.Written.Last);
        Assert.Equal((ulong)found, _record.DurableLog.Last);
    }

    [Fact]
    public void A_write_is_durable_only_with_all_before_it()
    {
        _group.Append(One, durable: false, Barrier(1, 1));
        _group.Append(One, durable: true, Barrier(2, 1));
        Assert.Equal(0UL, _record.DurableLog.Last);

        _record.Durable(1);
        Assert.Equal(1UL, _record.DurableLog.Last);
        _record.Durable(2);

        Assert.Equal(2UL, _record.DurableLog.Last);
    }

    private void Vote(ulong term, ReplicaId vote) => _record.Writing(new Persist
    {
        Sequence = 1,
        HardState = new HardState(new Term(term), vote, LogIndex.Zero),
        MustSync = true,
    });

    private static RecoveredLog Found(ulong last, HardState hardState, params TermStart[] terms) =>
        new(hardState, LogIndex.Zero, Term.Zero, new LogIndex(last), terms, []);
}
