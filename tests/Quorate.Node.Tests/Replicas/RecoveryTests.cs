using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;
using Quorate.Storage;
using Quorate.Storage.Log;

namespace Quorate.Node.Tests.Replicas;

/// <summary>
/// What a replica starts from after each way in which a checkpoint and a log can lie to one another on its disk.
/// </summary>
public sealed class RecoveryTests
{
    private static readonly Membership Three =
        Membership.Of([new ReplicaId(1, 1), new ReplicaId(2, 1), new ReplicaId(3, 1)]);

    private static readonly HardState Voted = new(new Term(3), new ReplicaId(2, 1), new LogIndex(4));

    [Fact]
    public void Without_a_checkpoint_a_whole_log_is_kept()
    {
        Recovery recovery = Recovery.From(null, Log(first: 1, last: 9), Three);

        Assert.Null(recovery.Problem);
        Assert.Null(recovery.Reset);
        Assert.Null(recovery.State!.Checkpoint);
        Assert.Equal(new LogIndex(9), recovery.State.LastIndex);
        Assert.Equal(Voted, recovery.State.HardState);
        Assert.Equal(Three, recovery.State.Bootstrap);
    }

    [Fact]
    public void Without_a_checkpoint_a_log_that_lacks_its_beginning_is_a_problem()
    {
        Recovery recovery = Recovery.From(null, Log(first: 5, last: 9), Three);

        Assert.Null(recovery.State);
        Assert.Equal(
            "The log begins after entry 4, and no checkpoint holds what came before. " + FolderAdvice.Sentence,
            recovery.Problem);
        Assert.Equal(
            "The log begins after entry 4, and no checkpoint holds what came before: a file p1-manifest-<number> is "
                + "missing. " + FolderAdvice.Sentence,
            Recovery.From(null, Log(first: 5, last: 9), Three, "p1-manifest-<number>").Problem);
    }

    [Theory]
    [InlineData(4UL, 2UL)]
    [InlineData(5UL, 2UL)]
    [InlineData(7UL, 3UL)]
    [InlineData(9UL, 3UL)]
    public void A_checkpoint_that_the_log_agrees_with_leaves_the_log_as_it_is(ulong index, ulong term)
    {
        SnapshotMeta checkpoint = Checkpoint(index, term);

        Recovery recovery = Recovery.From(checkpoint, Log(first: 5, last: 9), Three);

        Assert.Null(recovery.Problem);
        Assert.Null(recovery.Reset);
        Assert.Same(checkpoint, recovery.State!.Checkpoint);
        Assert.Equal(new LogIndex(4), recovery.State.LogBase);
        Assert.Equal(new Term(2), recovery.State.LogBaseTerm);
        Assert.Equal(new LogIndex(9), recovery.State.LastIndex);
        Assert.Equal(Voted, recovery.State.HardState);
    }

    [Fact]
    public void A_checkpoint_beyond_the_end_of_the_log_makes_the_log_begin_after_it()
    {
        SnapshotMeta checkpoint = Checkpoint(20, 3);

        Recovery recovery = Recovery.From(checkpoint, Log(first: 5, last: 9), Three);

        CheckRestarted(recovery, checkpoint);
        Assert.Equal(Voted with { Commit = new LogIndex(20) }, recovery.State!.HardState);
    }

    [Fact]
    public void A_checkpoint_of_another_term_than_the_log_has_there_makes_the_log_begin_after_it()
    {
        SnapshotMeta checkpoint = Checkpoint(8, 2);

        Recovery recovery = Recovery.From(checkpoint, Log(first: 5, last: 9), Three);

        CheckRestarted(recovery, checkpoint);
    }

    [Fact]
    public void A_checkpoint_of_a_term_that_the_log_never_heard_of_raises_the_term_and_frees_the_vote()
    {
        SnapshotMeta checkpoint = Checkpoint(20, 8);

        Recovery recovery = Recovery.From(checkpoint, Log(first: 5, last: 9), Three);

        CheckRestarted(recovery, checkpoint);
        Assert.Equal(new HardState(new Term(8), ReplicaId.None, new LogIndex(20)), recovery.State!.HardState);
    }

    [Fact]
    public void A_checkpoint_before_the_beginning_of_the_log_is_a_problem()
    {
        Recovery recovery = Recovery.From(Checkpoint(3, 2), Log(first: 5, last: 9), Three);

        Assert.Null(recovery.State);
        Assert.Null(recovery.Reset);
        Assert.Equal(
            "The log begins after entry 4, and the newest checkpoint ends at 3. " + FolderAdvice.Sentence,
            recovery.Problem);
    }

    private static void CheckRestarted(Recovery recovery, SnapshotMeta checkpoint)
    {
        Assert.Null(recovery.Problem);
        Persist reset = recovery.Reset!;
        Assert.Same(checkpoint, reset.ResetTo);
        Assert.True(reset.MustSync);
        Assert.Equal(1UL, reset.Sequence);
        Assert.Equal(recovery.State!.HardState, reset.HardState);
        Assert.Same(checkpoint, recovery.State.Checkpoint);
        Assert.Equal(checkpoint.Index, recovery.State.LogBase);
        Assert.Equal(checkpoint.Term, recovery.State.LogBaseTerm);
        Assert.Equal(checkpoint.Index, recovery.State.LastIndex);
        Assert.Empty(recovery.State.TermStarts);
    }

    private static SnapshotMeta Checkpoint(ulong index, ulong term) =>
        new(new LogIndex(index), new Term(term), LogIndex.Zero, Three, []);

    /// <summary>A log whose entries are of term 2 up to 6 and of term 3 from 7 on.</summary>
    private static RecoveredLog Log(ulong first, ulong last) => new(
        Voted,
        new LogIndex(first - 1),
        first == 1 ? Term.Zero : new Term(2),
        new LogIndex(last),
        first == 1
            ? [new TermStart(new Term(2), new LogIndex(1)), new TermStart(new Term(3), new LogIndex(7))]
            : [new TermStart(new Term(3), new LogIndex(7))],
        []);
}
