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
