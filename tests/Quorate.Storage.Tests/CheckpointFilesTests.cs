using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Tests;

/// <summary>Checkpoints on a disk that tells no lies (pitfalls R17, R18, S8).</summary>
public sealed class CheckpointFilesTests
{
    private readonly MemoryDisk _disk = new();

    [Fact]
    public void Without_a_checkpoint_there_is_nothing_to_open_or_to_send()
    {
        CheckpointOwner owner = Open();
        Assert.Null(owner.Opened);
        owner.Files.Read(1, default, 0, 100);
        Assert.Empty(owner.Pieces);
        _disk.RunAll();
        Assert.Null(Assert.Single(owner.Pieces).Meta);
    }

    [Fact]
    public void The_newest_checkpoint_is_found_with_all_it_stands_for()
    {
        CheckpointOwner owner = Open();
        Save(owner, 10);
        Save(owner, 20);
        owner = Open();
        AssertIs(20, owner.Opened, owner.OpenedState);
        Assert.Single(_disk.Names);
    }

    [Fact]
    public void What_is_sent_arrives_and_is_the_newest_after_a_restart()
    {
        CheckpointOwner owner = Open();
        Save(owner, 5);
        Receive(owner, CheckpointOwner.PiecesOf(50));
        AssertIs(50, owner.Received[0].Meta, owner.Received[0].State);
        owner = Open();
        AssertIs(50, owner.Opened, owner.OpenedState);
        Assert.Single(_disk.Names);
    }

    [Fact]
    public void Snapshots_received_back_to_back_do_not_clear_each_other_away()
    {
        CheckpointOwner owner = Open();
        List<InstallSnapshot> first = CheckpointOwner.PiecesOf(50);
        List<InstallSnapshot> second = CheckpointOwner.PiecesOf(60);

        // All are handed over before the disk does anything: the second begins while the first is being installed.
        foreach (InstallSnapshot piece in first.Concat(second))
        {
            owner.Files.Receive(piece);
        }

        _disk.RunAll();
        Assert.Equal(2, owner.Received.Count);
        AssertIs(60, owner.Received[1].Meta, owner.Received[1].State);
        AssertIs(60, Open().Opened, CheckpointOwner.State(60));
    }

    [Fact]
    public void A_checkpoint_saved_meanwhile_does_not_clear_away_what_is_being_received()
    {
        CheckpointOwner owner = Open();
        Save(owner, 5);
        List<InstallSnapshot> pieces = CheckpointOwner.PiecesOf(50);
        for (int i = 0; i < pieces.Count; i++)
        {
            owner.Files.Receive(pieces[i]);
            if (i == 1)
            {
                owner.Files.Save(CheckpointOwner.Meta(20), CheckpointOwner.State(20));
            }

            _disk.RunAll();
        }

        Assert.Empty(owner.Refused);
        AssertIs(50, owner.Received[0].Meta, owner.Received[0].State);
        AssertIs(50, Open().Opened, CheckpointOwner.State(50));
    }

    [Fact]
    public void An_older_checkpoint_never_takes_the_place_of_a_newer_one()
    {
        CheckpointOwner owner = Open();
        Receive(owner, CheckpointOwner.PiecesOf(50));
        Save(owner, 20);
        Receive(owner, CheckpointOwner.PiecesOf(30));
        Assert.Equal([20], owner.Saved);
        Assert.Equal([30], owner.Refused);
        AssertIs(50, Open().Opened, CheckpointOwner.State(50));
    }

    [Fact]
    public void A_snapshot_begun_anew_drops_the_unfinished_one()
    {
        CheckpointOwner owner = Open();
        List<InstallSnapshot> pieces = CheckpointOwner.PiecesOf(50);
        Receive(owner, pieces[..3]);
        Receive(owner, CheckpointOwner.PiecesOf(60)[..2]);
        Receive(owner, pieces);
        AssertIs(50, owner.Received[0].Meta, owner.Received[0].State);
        Assert.Single(_disk.Names);
    }

    [Fact]
    public void Pieces_out_of_order_or_of_another_snapshot_are_refused()
    {
        CheckpointOwner owner = Open();
        List<InstallSnapshot> pieces = CheckpointOwner.PiecesOf(50);
        List<InstallSnapshot> others = CheckpointOwner.PiecesOf(60);
        Receive(owner, [pieces[0], pieces[2]]);
        Receive(owner, [pieces[1]]);
        Receive(owner, [pieces[0], others[1]]);
        Assert.Equal([50, 50, 60], owner.Refused);
        Receive(owner, pieces);
        Assert.Single(owner.Received);
    }

    [Fact]
    public void A_snapshot_that_was_damaged_on_the_way_is_refused()
    {
        List<InstallSnapshot> pieces = CheckpointOwner.PiecesOf(50);
        for (int at = 0; at < pieces.Count; at++)
        {
            CheckpointOwner owner = Open();
            byte[] chunk = pieces[at].Chunk.ToArray();
            chunk[chunk.Length / 2] ^= 1;
            Receive(owner, [.. pieces[..at], pieces[at] with { Chunk = chunk }, .. pieces[(at + 1)..]]);
            Assert.Empty(owner.Received);
            Assert.Equal([50], owner.Refused);
            Assert.Empty(_disk.Names);
        }
    }

    [Fact]
    public void A_snapshot_that_is_not_what_was_announced_is_refused()
    {
        CheckpointOwner owner = Open();
        SnapshotMeta other = CheckpointOwner.Meta(50) with { Membership = Membership.Of([new(9, 9)]) };
        Receive(owner, [.. CheckpointOwner.PiecesOf(50).Select(piece => piece with { Meta = other })]);
        Assert.Empty(owner.Received);
        Assert.Equal([50], owner.Refused);
    }

    [Fact]
    public void A_read_of_a_checkpoint_that_is_gone_begins_with_the_newest()
    {
        CheckpointOwner owner = Open();
        Save(owner, 10);
        owner.Files.Read(1, new(10), 200, 100);
        Save(owner, 20);
        owner.Files.Read(2, new(10), 300, 100);
        owner.Files.Read(3, default, 300, 100);
        _disk.RunAll();
        Assert.Equal([(10UL, 200L), (20UL, 0L), (20UL, 0L)], owner.Pieces.Select(p => (p.Meta!.Index.Value, p.Offset)));
    }

    [Fact]
    public void A_damaged_newest_checkpoint_ends_the_start_and_an_older_one_is_not_used()
    {
        CheckpointOwner owner = Open();
        Save(owner, 10);
        byte[] older = _disk.Content(_disk.Names[0]);
        string olderName = _disk.Names[0];
        Save(owner, 20);
        _disk.Put(olderName, older);
        string newest = _disk.Names[^1];
        byte[] content = _disk.Content(newest);
        for (int at = 0; at < content.Length; at += 3)
        {
            content[at] ^= 16;
            var again = new CheckpointOwner(_disk);
            again.Files.Open();
            _disk.RunAll();
            Assert.False(again.IsOpened);
            Assert.Contains(newest, again.Failure!, StringComparison.Ordinal);
            content[at] ^= 16;
        }

        AssertIs(20, Open().Opened, CheckpointOwner.State(20));
    }

    [Theory]
    [InlineData(DiskOperationKind.Write, DiskStatus.Failed)]
    [InlineData(DiskOperationKind.Write, DiskStatus.Full)]
    [InlineData(DiskOperationKind.Sync, DiskStatus.Failed)]
    [InlineData(DiskOperationKind.Rename, DiskStatus.Failed)]
    [InlineData(DiskOperationKind.SyncFolder, DiskStatus.Failed)]
    public void After_a_failure_nothing_is_announced(DiskOperationKind kind, DiskStatus status)
    {
        CheckpointOwner owner = Open();
        _disk.Fate = operation => operation.Kind == kind ? status : DiskStatus.Done;
        owner.Files.Save(CheckpointOwner.Meta(10), CheckpointOwner.State(10));
        Receive(owner, CheckpointOwner.PiecesOf(50));
        _disk.Fate = null;
        owner.Files.Save(CheckpointOwner.Meta(11), CheckpointOwner.State(11));
        _disk.RunAll();
        Assert.NotNull(owner.Failure);
        Assert.Empty(owner.Saved);
        Assert.Empty(owner.Received);
    }

    private static void AssertIs(ulong index, SnapshotMeta? meta, byte[] state)
    {
        SnapshotMeta expected = CheckpointOwner.Meta(index);
        Assert.NotNull(meta);
        Assert.Equal((expected.Index, expected.Term), (meta.Index, meta.Term));
        Assert.Equal(expected.MembershipIndex, meta.MembershipIndex);
        Assert.Equal(expected.Membership, meta.Membership);
        Assert.Equal(expected.TermStarts, meta.TermStarts);
        Assert.Equal(CheckpointOwner.State(index), state);
    }

    private CheckpointOwner Open()
    {
        var owner = new CheckpointOwner(_disk);
        owner.Files.Open();
        _disk.RunAll();
        Assert.Null(owner.Failure);
        return owner;
    }

    private void Save(CheckpointOwner owner, ulong index)
    {
        owner.Files.Save(CheckpointOwner.Meta(index), CheckpointOwner.State(index));
        _disk.RunAll();
        Assert.Contains(index, owner.Saved);
    }

    private void Receive(CheckpointOwner owner, IEnumerable<InstallSnapshot> pieces)
    {
        foreach (InstallSnapshot piece in pieces)
        {
            owner.Files.Receive(piece);
        }

        _disk.RunAll();
    }
}
