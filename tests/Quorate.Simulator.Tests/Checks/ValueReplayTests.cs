using System.Buffers;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;
using Quorate.Storage.Rows;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>The replay of typed values breaks the claim that a forged run breaks, and no other run.</summary>
public sealed class ValueReplayTests
{
    private const long Time = 5000;

    private readonly ValueReplay _replay = new(PlainEntries.Instance);
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

    private static byte[] Text(string key) => RowKey.Of(ValueRequest.Bytes(key));

    private string? Differs(Attempt attempt, string reply)
    {
        attempt.Answer = new Answer(
            Outcome.Done, default, ReplicaId.None, default, ValueRequest.Bytes(reply), 1);
        return _replay.ResultDiffers(attempt, _replay.ExecutedFor(attempt)!);
    }

    private void Commit(long time, Attempt[] requests, params byte[][] written)
    {
        var changes = new ArrayBufferWriter<byte>();
        foreach (byte[] rowKey in written)
        {
            RowChanges.Write(changes, new RowChange(rowKey, RowType.Text, 0, [1]));
        }

        var token = new ReadToken(new Term(1), new LogIndex(++_index));
        foreach (Attempt request in requests)
        {
            _replay.Evaluated(request, token, isExecuted: true, default);
        }

        byte[] batch = EntryBatch.Encode(HybridTime.FromMilliseconds(time), changes.WrittenSpan);
        _history.Append(token.Term);
        _replay.Apply(new Entry(token.Index, token.Term, EntryKind.Data, batch), _history);
    }

    private Attempt Write(SessionRequest? number, params string[] words) => Make(true, number, words);

    private Attempt Read(string reply, ulong index, params string[] words)
    {
        Attempt read = Make(false, null, words);
        var token = new ReadToken(new Term(1), new LogIndex(index));
        read.Answer = new Answer(Outcome.Done, default, ReplicaId.None, token, ValueRequest.Bytes(reply), 1);
        return read;
    }

    private Attempt Make(bool isWrite, SessionRequest? number, string[] words) => new()
    {
        Id = ++_attempts,
        Client = 0,
        Group = 0,
        Session = 0,
        IsWrite = isWrite,
        Commands = [],
        Batch = [],
        Values = new ValueRequest([words], false, isWrite) { ReadsPair = words[0] == "MGET" },
        Numbered = number,
        Invoked = 0,
        Deadline = 1,
        Node = 0,
    };
}
