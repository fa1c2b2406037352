using System.Buffers;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Simulator.Workload;
using Quorate.Storage.Rows;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>The replay of typed values breaks the claim that a forged run breaks, and no other run.</summary>
public sealed class ValueReplayTests
{
    private const long Time = 5000;
    private const int TermStartsMax = 3;

    private readonly ValueReplay _replay = new(PlainEntries.Instance, new(null, () => 0), TermStartsMax);
    private readonly CommittedHistory _history = new();
    private ulong _attempts;
    private ulong _index;

    [Fact]
    public void Acknowledged_writes_and_reads_that_the_log_explains_break_nothing()
    {
        Attempt set = Write(null, "SET", "a", "5");
        Commit(Time, [set], Text("a"));
        Assert.Null(Differs(set, "+OK\r\n"));

        _replay.CheckRead(Read("$1\r\n5\r\n", 1, "GET", "a"));
        Assert.Equal(new LogIndex(1), _replay.VersionAt("a", new LogIndex(1)));
    }

    [Fact]
    public void A_write_that_is_answered_otherwise_than_at_its_place_is_told()
    {
        Attempt first = Write(null, "INCRBY", "a", "5");
        Attempt second = Write(null, "INCRBY", "a", "5");
        Commit(Time, [second, first], Text("a"), Text("a"));

        Assert.NotNull(Differs(first, ":5\r\n"));
        Assert.Null(Differs(second, ":5\r\n"));
    }

    [Fact]
    public void A_read_that_misses_what_its_token_covers_breaks_wrong_read()
    {
        Commit(Time, [Write(null, "SET", "a", "5")], Text("a"));
        Commit(Time + 1, [Write(null, "SET", "a", "6")], Text("a"));

        _replay.CheckRead(Read("$1\r\n5\r\n", 1, "GET", "a"));
        ForgedGroup.Breaks(RunClaims.WrongRead, () => _replay.CheckRead(Read("$1\r\n5\r\n", 2, "GET", "a")));
        ForgedGroup.Breaks(RunClaims.WrongRead, () => _replay.CheckRead(Read("$1\r\n6\r\n", 3, "GET", "a")));
    }

    [Fact]
    public void What_has_expired_by_the_logged_time_does_not_come_back()
    {
        Commit(Time, [Write(null, "SET", "a", "5", "PX", "10")], Text("a"));
        Commit(Time + 10, []);

        _replay.CheckRead(Read("_\r\n", 2, "GET", "a"));
        ForgedGroup.Breaks(RunClaims.WrongRead, () => _replay.CheckRead(Read("$1\r\n5\r\n", 2, "GET", "a")));
    }

    [Fact]
    public void A_numbered_request_that_is_executed_twice_breaks_executed_twice()
    {
        var number = new SessionRequest(7, 1, 0);
        Commit(Time, [Write(number, "INCRBY", "a", "5")], Text("a"));

        ForgedGroup.Breaks(
            RunClaims.ExecutedTwice, () => Commit(Time + 1, [Write(number, "INCRBY", "a", "5")], Text("a")));
    }

    [Fact]
    public void A_repeated_request_is_answered_as_the_first_one_was()
    {
        var number = new SessionRequest(7, 1, 0);
        Attempt first = Write(number, "INCRBY", "a", "5");
        Commit(Time, [first], Text("a"));
        Attempt again = Write(number, "INCRBY", "a", "5");

        Assert.Equal(first, _replay.ExecutedFor(again));
        Assert.Null(Differs(again, ":5\r\n"));
        Assert.NotNull(Differs(again, ":10\r\n"));
    }

    [Fact]
    public void A_refused_request_that_is_executed_breaks_refused_executed()
    {
        Attempt refused = Write(null, "SET", "a", "5");
        refused.Answer = new Answer(Outcome.Refused, DropReason.NotLeader, ReplicaId.None, default, default, 1);

        ForgedGroup.Breaks(RunClaims.RefusedExecuted, () => Commit(Time, [refused], Text("a")));
    }

    [Fact]
    public void A_write_that_the_entry_does_not_hold_breaks_wrong_result() =>
        ForgedGroup.Breaks(RunClaims.WrongResult, () => Commit(Time, [Write(null, "SET", "a", "5")], Text("b")));

    [Fact]
    public void The_right_version_is_refused_only_where_its_term_may_be_forgotten()
    {
        const string forgotten = "-VERSION 0-1-0\r\n";
        Commit(Time, [Write(null, "SET", "a", "5")], Text("a"));
        Attempt early = Write(null, "CAS", "a", "1-1-0", "6");
        ForgedGroup.Breaks(RunClaims.WrongResult, () => CommitIn(TermStartsMax, early, forgotten));

        Attempt late = Write(null, "CAS", "a", "1-1-0", "6");
        CommitIn(1 + TermStartsMax, late, forgotten);
        Assert.True(late.WasForgotten);
        Assert.Null(Differs(late, forgotten));
        _replay.CheckRead(Read("*2\r\n$1\r\n5\r\n$5\r\n0-1-0\r\n", 2, "GETV", "a"));
    }

    [Fact]
    public void A_version_with_another_term_than_its_own_breaks_wrong_read()
    {
        Commit(Time, [Write(null, "SET", "a", "5")], Text("a"));

        _replay.CheckRead(Read("*2\r\n$1\r\n5\r\n$5\r\n1-1-0\r\n", 1, "GETV", "a"));
        ForgedGroup.Breaks(
            RunClaims.WrongRead,
            () => _replay.CheckRead(Read("*2\r\n$1\r\n5\r\n$5\r\n2-1-0\r\n", 1, "GETV", "a")));
    }

    [Fact]
    public void Time_that_stands_still_breaks_logged_time()
    {
        Commit(Time, []);

        ForgedGroup.Breaks(RunClaims.LoggedTime, () => Commit(Time, []));
    }

    [Fact]
    public void Half_of_a_pair_breaks_batch_atomicity()
    {
        Commit(Time, [Write(null, "SET", "p", "1")], Text("p"));
        Attempt read = Read("*2\r\n$1\r\n1\r\n_\r\n", 1, "MGET", "p", "q");

        ForgedGroup.Breaks(RunClaims.BatchAtomicity, () => _replay.CheckRead(read));
    }

    [Fact]
    public void What_a_cache_lets_go_is_gone_and_nothing_else_is()
    {
        ValueReplay replay = Cache(EvictionPolicy.AllKeysLru);
        Commit(replay, Time, [Write(null, "MSET", "a", "1", "b", "2")], Text("a"), Text("b"));
        Evict(replay, Time + 1, "a");

        replay.CheckRead(Read("_\r\n", 2, "GET", "a"));
        replay.CheckRead(Read("$1\r\n2\r\n", 2, "GET", "b"));
        ForgedGroup.Breaks(RunClaims.WrongRead, () => replay.CheckRead(Read("$1\r\n1\r\n", 2, "GET", "a")));
        ForgedGroup.Breaks(RunClaims.WrongRead, () => replay.CheckRead(Read("_\r\n", 2, "GET", "b")));
    }

    [Fact]
    public void A_register_that_is_let_go_is_written_absent()
    {
        string register = ValueKeys.Of(2, KeyUse.Register);
        ValueReplay replay = Cache(EvictionPolicy.AllKeysRandom);
        Commit(replay, Time, [Write(null, "SET", register, "1")], Text(register));
        Evict(replay, Time + 1, register);

        Operation gone = Assert.Single(replay.Evictions.Operations);
        Assert.Equal((4, OperationKind.Write, 0), (gone.Key, gone.Kind, gone.Argument));
    }

    [Fact]
    public void A_cache_that_lets_go_of_what_its_policy_keeps_breaks_wrong_eviction()
    {
        EvictionPolicy?[] policies = [null, EvictionPolicy.NoEviction, EvictionPolicy.VolatileLru];
        foreach (EvictionPolicy? policy in policies)
        {
            _index = 0;
            ValueReplay replay = Cache(policy);
            Commit(replay, Time, [Write(null, "SET", "a", "1")], Text("a"));

            ForgedGroup.Breaks(RunClaims.WrongEviction, () => Evict(replay, Time + 1, "a"));
        }
    }

    [Fact]
    public void Keys_that_expire_may_go_where_only_they_may()
    {
        ValueReplay replay = Cache(EvictionPolicy.VolatileTtl);
        Commit(replay, Time, [Write(null, "SET", "a", "1", "PX", "100")], Text("a"));
        Evict(replay, Time + 1, "a");

        replay.CheckRead(Read("_\r\n", 2, "GET", "a"));
    }

    [Fact]
    public void A_cache_is_full_only_when_it_may_let_nothing_go()
    {
        const string full = "-OOM command not allowed\r\n";
        Cache(EvictionPolicy.NoEviction).Evictions.CheckFull(Write(null, "SET", "a", "1"));
        ValueReplay replay = Cache(EvictionPolicy.AllKeysLru);
        Attempt set = Write(null, "SET", "a", "1");
        replay.Evaluated(set, new(new Term(1), new LogIndex(1)), isExecuted: true, ValueRequest.Bytes(full));

        ForgedGroup.Breaks(RunClaims.WrongEviction, () => Commit(replay, Time, []));
        ForgedGroup.Breaks(
            RunClaims.WrongEviction,
            () => Cache(EvictionPolicy.NoEviction).Evictions.CheckFull(Write(null, "DEL", "a")));
    }

    [Fact]
    public void A_request_that_found_the_cache_full_may_be_executed_later()
    {
        const string full = "-OOM command not allowed\r\n";
        ValueReplay replay = Cache(EvictionPolicy.NoEviction);
        var number = new SessionRequest(7, 1, 0);
        Attempt first = Write(number, "SET", "a", "1");
        replay.Evaluated(first, new(new Term(1), new LogIndex(1)), isExecuted: true, ValueRequest.Bytes(full));
        Commit(replay, Time, []);
        Commit(replay, Time + 1, [Write(number, "SET", "a", "1")], Text("a"));

        Assert.True(first.WasFull);
        replay.CheckRead(Read("_\r\n", 1, "GET", "a"));
        replay.CheckRead(Read("$1\r\n1\r\n", 2, "GET", "a"));
    }

    [Fact]
    public void An_iteration_that_misses_a_key_that_stayed_breaks_scan_complete()
    {
        Commit(Time, [Write(null, "MSET", "a", "1", "b", "2")], Text("a"), Text("b"));
        Commit(Time + 1, [Write(null, "DEL", "b")]);
        Commit(Time + 2, [Write(null, "SET", "c", "1")], Text("c"));

        var round = new ScanRound();
        Assert.False(round.Take(Scan("*2\r\n$1\r\n7\r\n*1\r\n$1\r\na\r\n", 1, "0"), _replay));
        Assert.Equal("7", round.Cursor);
        Assert.True(round.Take(Scan("*2\r\n$1\r\n0\r\n*0\r\n", 3, "7"), _replay));

        var worse = new ScanRound();
        Assert.False(worse.Take(Scan("*2\r\n$1\r\n7\r\n*0\r\n", 3, "0"), _replay));
        ForgedGroup.Breaks(
            RunClaims.ScanComplete,
            () => worse.Take(Scan("*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n", 1, "7"), _replay));
    }

    [Fact]
    public void An_iteration_that_shows_what_is_not_there_breaks_wrong_read()
    {
        Commit(Time, [Write(null, "SET", "a", "1")], Text("a"));

        _replay.CheckRead(Scan("*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n", 1, "0"));
        foreach (string wrong in new[] { "*1\r\n$1\r\nb\r\n", "*2\r\n$1\r\na\r\n$1\r\na\r\n", "_\r\n" })
        {
            ForgedGroup.Breaks(
                RunClaims.WrongRead, () => _replay.CheckRead(Scan($"*2\r\n$1\r\n0\r\n{wrong}", 1, "0")));
        }
    }

    private static byte[] Text(string key) => RowKey.Of(ValueRequest.Bytes(key));

    private string? Differs(Attempt attempt, string reply)
    {
        attempt.Answer = new Answer(
            Outcome.Done, default, ReplicaId.None, default, ValueRequest.Bytes(reply), 1);
        return _replay.ResultDiffers(attempt, _replay.ExecutedFor(attempt)!);
    }

    private static ValueReplay Cache(EvictionPolicy? policy) =>
        new(PlainEntries.Instance, new(policy, () => 0), TermStartsMax);

    private Attempt Scan(string reply, ulong index, string cursor)
    {
        Attempt piece = Make(false, null, ["SCAN", cursor], isScan: true);
        var token = new ReadToken(new Term(1), new LogIndex(index));
        piece.Answer = new Answer(Outcome.Done, default, ReplicaId.None, token, ValueRequest.Bytes(reply), 1);
        return piece;
    }

    /// <summary>An entry that begins with the deletion of a key, of which nobody asked.</summary>
    private void Evict(ValueReplay replay, long time, string key)
    {
        var changes = new ArrayBufferWriter<byte>();
        RowChanges.Write(changes, new RowChange(Text(key), RowType.Tombstone, 0, []));
        replay.Evictions.Proposed(new(new Term(1), new LogIndex(_index + 1)), 1);
        Commit(replay, time, [], changes.WrittenSpan);
    }

    private void Commit(long time, Attempt[] requests, params byte[][] written) =>
        Commit(_replay, time, requests, written);

    private void Commit(ValueReplay replay, long time, Attempt[] requests, params byte[][] written)
    {
        var changes = new ArrayBufferWriter<byte>();
        foreach (byte[] rowKey in written)
        {
            RowChanges.Write(changes, new RowChange(rowKey, RowType.Text, 0, [1]));
        }

        Commit(replay, time, requests, changes.WrittenSpan);
    }

    private void Commit(ValueReplay replay, long time, Attempt[] requests, ReadOnlySpan<byte> changes)
    {
        var token = new ReadToken(new Term(1), new LogIndex(++_index));
        foreach (Attempt request in requests)
        {
            replay.Evaluated(request, token, isExecuted: true, default);
        }

        byte[] batch = EntryBatch.Encode(HybridTime.FromMilliseconds(time), changes);
        _history.Append(token.Term);
        replay.Apply(new Entry(token.Index, token.Term, EntryKind.Data, batch), _history);
    }

    /// <summary>An entry of a later term with one request, of which the leader said what it would answer.</summary>
    private void CommitIn(int term, Attempt request, string reply)
    {
        var place = new ReadToken(new Term((ulong)term), new LogIndex(_index + 1));
        _replay.Evaluated(request, place, isExecuted: true, ValueRequest.Bytes(reply));
        byte[] batch = EntryBatch.Encode(HybridTime.FromMilliseconds(Time + term), []);
        _replay.Apply(new Entry(place.Index, place.Term, EntryKind.Data, batch), _history);
        _index++;
    }

    private Attempt Write(SessionRequest? number, params string[] words) => Make(true, number, words);

    private Attempt Read(string reply, ulong index, params string[] words)
    {
        Attempt read = Make(false, null, words);
        var token = new ReadToken(new Term(1), new LogIndex(index));
        read.Answer = new Answer(Outcome.Done, default, ReplicaId.None, token, ValueRequest.Bytes(reply), 1);
        return read;
    }

    private Attempt Make(bool isWrite, SessionRequest? number, string[] words, bool isScan = false) => new()
    {
        Id = ++_attempts,
        Client = 0,
        Group = 0,
        Session = 0,
        IsWrite = isWrite,
        Commands = [],
        Batch = [],
        Values = new ValueRequest([words], false, isWrite)
        {
            ReadsPair = words[0] == "MGET",
            IsScan = isScan,
        },
        Numbered = number,
        Invoked = 0,
        Deadline = 1,
        Node = 0,
    };
}
