using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Checking;

/// <summary>
/// The committed history of these tests: index 1 (term 1) nothing; 2 (1) a=10; 3 (1) b=20; 4 (3) a=11; 5 (3) a
/// deleted; 6 (3) a=12; 7 (3) nothing.
/// </summary>
public sealed class SessionCheckerTests
{
    private const long A = 1;
    private const long B = 2;

    private static readonly SessionOperation WroteA11 = SessionOperation.Write(1, A, 11, Token(3, 4), 0, 1);

    [Fact]
    public void A_session_that_sees_ever_newer_versions_breaks_nothing() => Assert.Empty(Check(
        SessionOperation.Write(1, A, 10, Token(1, 2), 0, 1),
        Read(A, 10, version: 2, token: 3, at: 2),
        Read(B, 20, version: 3, token: 3, at: 4),
        Read(A, 11, version: 4, token: 4, at: 6),
        Read(A, 0, version: 0, token: 5, at: 8),
        SessionOperation.Write(1, A, 12, Token(3, 6), 10, 11),
        Read(A, 12, version: 6, token: 7, at: 12)));

    [Fact]
    public void A_session_reads_its_own_writes()
    {
        BrokenClaim broken = Assert.Single(Check(WroteA11, Read(A, 10, version: 2, token: 7, at: 2)));
        Assert.Equal(
            "read-your-writes: session 1: key 1: Session read -> 10 of version 2, token 7@3 [2, 3]: "
            + "sees the key as it was before the session's own write\n"
            + "  the session held: session 1: key 1: write 11 -> Done, token 4@3 [0, 1]",
            broken.Report());
    }

    [Fact]
    public void A_read_that_was_invoked_before_the_write_returned_owes_it_nothing() => Assert.Empty(Check(
        WroteA11 with { Returned = 2 },
        Read(A, 10, version: 2, token: 3, at: 2)));

    [Fact]
    public void A_read_owes_nothing_to_another_session() =>
        Assert.Empty(Check(WroteA11 with { Session = 2 }, Read(A, 10, version: 2, token: 3, at: 2)));

    [Fact]
    public void What_a_session_sees_of_a_key_never_gets_older() => Assert.Equal(
        [Claims.MonotonicReads],
        Broken(Read(A, 11, version: 4, token: 0, at: 0), Read(A, 10, version: 2, token: 3, at: 2)));

    [Fact]
    public void Linearizable_reads_count_like_session_reads() => Assert.Equal(
        [Claims.MonotonicReads],
        Broken(
            Read(A, 11, version: 4, token: 0, at: 0) with { Level = ReadLevel.Linearizable },
            Read(A, 10, version: 2, token: 3, at: 2) with { Level = ReadLevel.Linearizable }));

    [Fact]
    public void An_absent_key_may_be_seen_only_where_it_was_absent()
    {
        SessionOperation absent = Read(A, 0, version: 0, token: 7, at: 2);
        Assert.Empty(Check(Read(A, 10, version: 2, token: 2, at: 0), absent));
        Assert.Equal([Claims.MonotonicReads], Broken(Read(A, 12, version: 6, token: 6, at: 0), absent));
    }

    [Fact]
    public void An_absent_key_counts_as_its_deletion_seen() => Assert.Equal(
        [Claims.MonotonicReads],
        Broken(
            Read(A, 10, version: 2, token: 0, at: 0),
            Read(A, 0, version: 0, token: 0, at: 2),
            Read(A, 11, version: 4, token: 0, at: 4)));

    [Fact]
    public void A_token_got_from_one_key_is_owed_by_all() => Assert.Equal(
        [Claims.TokenCovered],
        Broken(Read(B, 20, version: 3, token: 4, at: 0), Read(A, 10, version: 2, token: 4, at: 2)));

    [Fact]
    public void A_token_covers_what_its_read_saw() =>
        Assert.Equal([Claims.TokenCovered], Broken(Read(A, 11, version: 4, token: 3, at: 0)));

    [Fact]
    public void A_token_of_an_entry_that_was_never_committed_covers_nothing() => Assert.Equal(
        [Claims.TokenCovered],
        Broken(Read(A, 11, version: 4, token: 0, at: 0) with { Token = Token(2, 4) }));

    [Fact]
    public void Session_lost_is_false_while_every_entry_is_committed() => Assert.Equal(
        [Claims.FalseSessionLost],
        Broken(WroteA11, SessionOperation.Lost(1, A, 2, 3)));

    [Fact]
    public void Session_lost_is_true_when_another_entry_took_the_index() => Assert.Empty(Check(
        WroteA11 with { Token = Token(2, 4) },
        SessionOperation.Lost(1, A, 2, 3)));

    [Fact]
    public void Session_lost_is_true_when_the_log_ended_before_the_entry() => Assert.Empty(Check(
        WroteA11 with { Token = Token(3, 8) },
        SessionOperation.Lost(1, A, 2, 3)));

    [Fact]
    public void A_lost_write_is_not_hidden_behind_an_older_value() => Assert.Equal(
        [Claims.LostWriteHidden],
        Broken(WroteA11 with { Token = Token(3, 8) }, Read(A, 12, version: 6, token: 7, at: 2)));

    [Fact]
    public void A_linearizable_read_need_not_tell_of_a_lost_write() => Assert.Empty(Check(
        WroteA11 with { Token = Token(3, 8) },
        Read(A, 12, version: 6, token: 7, at: 2) with { Level = ReadLevel.Linearizable }));

    [Fact]
    public void A_lost_write_is_owed_nothing_once_the_session_holds_a_later_terms_token() => Assert.Empty(Check(
        SessionOperation.Write(1, A, 99, Token(1, 6), 0, 1),
        Read(B, 20, version: 3, token: 4, at: 2) with { Level = ReadLevel.Eventual },
        Read(A, 11, version: 4, token: 4, at: 4)));

    [Fact]
    public void A_key_that_an_entry_deletes_and_writes_again_is_never_seen_absent()
    {
        var committed = new CommittedHistory();
        committed.Append(new Term(1));
        committed.Write(A, 10);
        committed.Append(new Term(1));
        committed.Write(A, 0);
        committed.Write(A, 11);
        BrokenClaim broken = Assert.Single(new SessionChecker(committed).Check(
            [Read(A, 10, version: 1, token: 1, at: 0), Read(A, 0, version: 0, token: 2, at: 2)]));
        Assert.Equal(Claims.MonotonicReads, broken.Claim);
    }

    [Fact]
    public void Two_writes_of_a_session_do_not_share_an_entry_unless_they_overlap()
    {
        Assert.Equal([Claims.MonotonicWrites], Broken(WroteA11, WroteA11 with { Invoked = 2, Returned = 3 }));
        Assert.Empty(Check(WroteA11, WroteA11 with { Invoked = 1, Returned = 3 }));
    }

    [Fact]
    public void After_session_lost_a_session_starts_afresh() => Assert.Empty(Check(
        Read(A, 12, version: 6, token: 6, at: 0),
        SessionOperation.Write(1, B, 21, Token(3, 8), 2, 3),
        SessionOperation.Lost(1, A, 4, 5),
        Read(A, 10, version: 2, token: 2, at: 6)));

    [Fact]
    public void Writes_of_a_session_keep_their_order_in_the_log() => Assert.Equal(
        [Claims.MonotonicWrites],
        Broken(WroteA11, SessionOperation.Write(1, B, 20, Token(1, 3), 2, 3)));

    [Fact]
    public void A_write_comes_after_what_its_session_has_read() => Assert.Equal(
        [Claims.WritesFollowReads],
        Broken(Read(A, 11, version: 4, token: 4, at: 0), SessionOperation.Write(1, B, 20, Token(1, 3), 2, 3)));

    [Fact]
    public void The_entry_that_a_writes_token_names_holds_the_write() =>
        Assert.Equal([Claims.ValueNeverWritten], Broken(WroteA11 with { Value = 99 }));

    [Fact]
    public void An_eventual_read_may_be_old() => Assert.Empty(Check(
        WroteA11,
        Read(A, 10, version: 2, token: 0, at: 2) with { Level = ReadLevel.Eventual },
        Read(A, 0, version: 0, token: 0, at: 4) with { Level = ReadLevel.Eventual }));

    [Fact]
    public void An_eventual_read_may_not_make_values_up()
    {
        SessionOperation read = Read(A, 13, version: 2, token: 0, at: 2) with { Level = ReadLevel.Eventual };
        Assert.Equal([Claims.ValueNeverWritten], Broken(read));
        Assert.Equal([Claims.ValueNeverWritten], Broken(read with { Value = 10, Version = new LogIndex(3) }));
        Assert.Equal([Claims.ValueNeverWritten], Broken(read with { Value = 10, Version = LogIndex.Zero }));
    }

    [Fact]
    public void An_eventual_read_is_owed_only_through_its_token()
    {
        SessionOperation eventual = Read(A, 11, version: 4, token: 0, at: 0) with { Level = ReadLevel.Eventual };
        SessionOperation older = Read(A, 10, version: 2, token: 3, at: 2);
        Assert.Empty(Check(eventual, older));
        Assert.Equal([Claims.TokenCovered], Broken(eventual with { Token = Token(3, 4) }, older));
    }

    [Fact]
    public void Claims_come_by_session_and_in_order_of_invocation()
    {
        SessionOperation[] operations =
        [
            Read(A, 11, version: 2, token: 0, at: 6) with { Session = 2 },
            Read(A, 11, version: 3, token: 0, at: 4),
            Read(A, 11, version: 2, token: 0, at: 2),
        ];
        Assert.Collection(
            Check(operations),
            broken => Assert.StartsWith(operations[2].ToString(), broken.Text, StringComparison.Ordinal),
            broken => Assert.StartsWith(operations[1].ToString(), broken.Text, StringComparison.Ordinal),
            broken => Assert.StartsWith(operations[0].ToString(), broken.Text, StringComparison.Ordinal));
    }

    private static ReadToken Token(ulong term, ulong index) => new(new Term(term), new LogIndex(index));

    private static SessionOperation Read(long key, long value, ulong version, ulong token, long at)
    {
        ReadToken replied = token == 0 ? default : Token(token < 4 ? 1UL : 3UL, token);
        return SessionOperation.Read(1, key, ReadLevel.Session, value, new LogIndex(version), replied, at, at + 1);
    }

    private static string[] Broken(params SessionOperation[] operations) =>
        [.. Check(operations).Select(broken => broken.Claim)];

    private static IReadOnlyList<BrokenClaim> Check(params SessionOperation[] operations)
    {
        var committed = new CommittedHistory();
        (ulong Term, long Key, long Value)[] entries =
            [(1, 0, 0), (1, A, 10), (1, B, 20), (3, A, 11), (3, A, 0), (3, A, 12), (3, 0, 0)];
        foreach ((ulong term, long key, long value) in entries)
        {
            committed.Append(new Term(term));
            if (key != 0)
            {
                committed.Write(key, value);
            }
        }

        return new SessionChecker(committed).Check(operations);
    }
}
