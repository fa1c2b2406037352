using Quorate.Core.Checking;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Workload;
using static Quorate.Simulator.Tests.Checks.ForgedGroup;

namespace Quorate.Simulator.Tests.Checks;

/// <summary>Forged histories of clients break the claims that they should when the run is over.</summary>
public sealed class HistoryChecksTests
{
    private readonly ForgedGroup _group = new();

    [Fact]
    public void A_history_that_some_order_explains_is_counted_and_breaks_nothing()
    {
        WriteAndCommit(5, index: 1);
        _group.Done(_group.Read(ReadLevel.Linearizable, invoked: 20), Token(1, 1), new CommandResult(5, 1), at: 30);

        Assert.Equal(new HistoryFigures(Keys: 1, Undecided: 0, Operations: 2), Check());
    }

    [Fact]
    public void A_linearizable_read_that_misses_an_acknowledged_write_breaks_linearizability()
    {
        WriteAndCommit(5, index: 1);
        _group.Done(_group.Read(ReadLevel.Linearizable, invoked: 20), Token(1, 1), new CommandResult(0, 0), at: 30);

        Breaks(Claims.Linearizability, () => Check());
    }

    [Fact]
    public void A_read_that_sees_a_refused_write_breaks_refused_write_seen()
    {
        _group.Refuse(_group.Write(7));
        _group.Done(_group.Read(ReadLevel.Linearizable, invoked: 20), default, new CommandResult(7, 1), at: 30);

        Breaks(Claims.RefusedWriteSeen, () => Check());
    }

    [Fact]
    public void A_session_read_that_misses_the_sessions_own_write_breaks_read_your_writes()
    {
        WriteAndCommit(5, index: 1);
        _group.Done(_group.Read(ReadLevel.Session, invoked: 20), Token(1, 1), new CommandResult(0, 0), at: 30);

        Breaks(Claims.ReadYourWrites, () => Check());
    }

    [Fact]
    public void A_read_of_a_value_that_nobody_wrote_breaks_value_never_written()
    {
        WriteAndCommit(5, index: 1);
        _group.Done(_group.Read(ReadLevel.Eventual, invoked: 20), Token(1, 1), new CommandResult(6, 1), at: 30);

        Breaks(Claims.ValueNeverWritten, () => Check());
    }

    [Fact]
    public void A_session_read_served_after_the_sessions_write_was_lost_breaks_lost_write_hidden()
    {
        LoseWrite();
        _group.Done(_group.Read(ReadLevel.Session, invoked: 20), Token(1, 2), new CommandResult(0, 0), at: 30);

        Breaks(Claims.LostWriteHidden, () => Check());
    }

    [Fact]
    public void A_write_at_level_leader_lost_with_its_leader_breaks_nothing()
    {
        LoseWrite();

        Assert.Equal(0, Check().Undecided);
    }

    [Fact]
    public void A_write_at_level_leader_lost_without_a_new_leader_breaks_acknowledged_durability()
    {
        Attempt write = _group.Write(5, WriteLevel.Leader);
        _group.Append(One, durable: true, EntryOf(write, 1, 1));
        _group.Done(write, Token(1, 1));

        Breaks(RunClaims.AcknowledgedDurability, () => Check());
    }

    private HistoryFigures Check() => HistoryChecks.Check(_group.Attempts, [_group.Checks]);

    private void WriteAndCommit(long value, ulong index)
    {
        Attempt write = _group.Write(value);
        _group.Commit(EntryOf(write, index, 1));
        _group.Done(write, Token(index, 1), new CommandResult(0, index));
    }

    /// <summary>A write is acknowledged by the leader of term 1 alone; the leader of term 2 takes its place.</summary>
    private void LoseWrite()
    {
        Attempt write = _group.Write(5, WriteLevel.Leader);
        _group.Append(One, durable: true, EntryOf(write, 1, 1));
        _group.Done(write, Token(1, 1));
        _group.Elect(Two, 2);
        _group.Append(Two, durable: true, Barrier(1, 2));
        _group.Append(Three, durable: true, Barrier(1, 2));
        _group.CommitBy(Two, 2, 1);
    }
}
