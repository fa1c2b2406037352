using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Raft;

/// <summary>What counts as durable when writes complete late, out of order or overtaken.</summary>
public sealed class DurabilityTests
{
    private static readonly HardState Hard = new(new(1), ReplicaId.None, LogIndex.Zero);

    [Fact]
    public void Completions_out_of_order_count_once_all_before_them_are_in()
    {
        var durability = new Durability(LogIndex.Zero);
        Write(durability, 1);
        Write(durability, 2);
        durability.Completed(2);
        Assert.Equal(LogIndex.Zero, durability.Index);
        durability.Completed(1);
        Assert.Equal(new LogIndex(2), durability.Index);
    }

    [Fact]
    public void A_late_completion_says_nothing_of_entries_that_took_the_place_of_others()
    {
        var durability = new Durability(LogIndex.Zero);
        Write(durability, 1);
        Write(durability, 2);
        durability.TruncateFrom(new(2));
        Write(durability, 2);
        durability.Completed(1);
        durability.Completed(2);
        Assert.Equal(new LogIndex(1), durability.Index);
        durability.Completed(3);
        Assert.Equal(new LogIndex(2), durability.Index);
    }

    [Fact]
    public void A_message_that_waits_for_nothing_leaves_at_once_and_others_leave_with_their_write()
    {
        var durability = new Durability(LogIndex.Zero);
        var output = new RaftOutput();
        durability.SendWhenDurable(new() { Kind = MessageKind.AppendResponse });
        durability.Flush(Hard, LogIndex.Zero, output);
        Assert.Single(output.SendNow);
        Assert.Empty(output.Persists);

        Write(durability, 1);
        output.Clear();
        durability.SendWhenDurable(new() { Kind = MessageKind.AppendResponse });
        durability.Flush(Hard, new(1), output);
        Assert.Empty(output.SendNow);
        Persist barrier = Assert.Single(output.Persists);
        Assert.Single(barrier.SendAfter);
        Assert.False(barrier.MustSync);
    }

    /// <summary>
    /// Seed 9970248 of the simulator: a log that waits for space on a full disk kept an answer for each candidate that
    /// asked, for as long as it waited.
    /// </summary>
    [Theory]
    [InlineData(MessageKind.PreVoteRequest, 5)]
    [InlineData(MessageKind.PreVoteRequest, 3)]
    [InlineData(MessageKind.VoteRequest, 3)]
    [InlineData(MessageKind.VoteRequest, 5)]
    [InlineData(MessageKind.VoteRequest, 6)]
    [InlineData(MessageKind.Heartbeat, 3)]
    [InlineData(MessageKind.Heartbeat, 5)]
    [InlineData(MessageKind.Commit, 3)]
    [InlineData(MessageKind.AppendRequest, 3)]
    [InlineData(MessageKind.SnapshotChunk, 3)]
    public void Answers_that_wait_for_a_log_which_stands_are_bounded(MessageKind kind, ulong term)
    {
        var settings = new RaftSettings { PersistsInFlightMax = 4 };
        RaftGroup group = new TestCluster(3, settings)[2];
        Instant now = Instant.Zero + Duration.FromSeconds(20);
        var message = new RaftMessage
        {
            Kind = MessageKind.VoteRequest, From = new(1, 1), To = new(2, 1), Term = new(5),
        };
        int writes = 0;
        for (ulong i = 0; i < 100; i++)
        {
            var output = new RaftOutput();
            group.Step(RaftInput.FromPeer(now, message), output);
            writes += output.Persists.Count;
            message = message with { Kind = kind, Term = new(term + (term > 5 ? i : 0)) };
            now += Duration.FromMilliseconds(10);
        }

        Assert.InRange(writes, 1, settings.PersistsInFlightMax);
        Assert.Equal(writes, group.PersistsInFlight);
    }

    [Fact]
    public void Term_and_vote_are_durable_only_when_their_own_write_is()
    {
        var durability = new Durability(LogIndex.Zero);
        Write(durability, 1);
        durability.HardStateChanged();
        Assert.False(durability.HardStateIsDurable);
        durability.Flush(Hard, new(1), new());
        durability.Completed(1);
        Assert.False(durability.HardStateIsDurable);
        durability.Completed(2);
        Assert.True(durability.HardStateIsDurable);
    }

    private static void Write(Durability durability, ulong index)
    {
        durability.Append(new(new(index), new(1), EntryKind.Data, default));
        durability.Flush(Hard, new(index), new());
    }
}
