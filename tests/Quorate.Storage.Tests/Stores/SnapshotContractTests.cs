using Quorate.Core.Raft;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Tests.Stores;

/// <summary>What every partition store does with snapshots (pitfalls R16, R17, S8).</summary>
public abstract class SnapshotContractTests : StoreFixture
{
    [Fact]
    public void A_snapshot_makes_another_store_the_same()
    {
        StoreOwner owner = Open();
        owner.Apply(3, [.. Enumerable.Range(0, 50).Select(i => ($"k{i}", RowType.Text, new string('v', i)))]);
        Checkpoint(owner, 3);
        owner.Apply(4, ("k1", RowType.Text, "x"), ("k2", RowType.Tombstone, ""));
        Checkpoint(owner, 4);
        List<InstallSnapshot> pieces = owner.TakeSnapshot(() => RunAll(owner));
        AssertMeta(4, pieces[0].Meta);

        StoreOwner other = Open("p8-");
        other.Apply(1, ("old", RowType.Text, "row"));
        Receive(other, pieces);
        Assert.Equal([4UL], other.Received);
        Assert.NotNull(Get(other, "old"));
        other.Call(store => store.TakeReceived(StoreOwner.Meta(4)));
        Assert.Null(Get(other, "old"));
        Assert.Equal(Look(owner).All(), Look(other).All());
        Assert.Equal(StoreOwner.TimeOf(4), other.Store.Time);
        other.Apply(5, ("k3", RowType.Tombstone, ""));
        Assert.Null(Get(other, "k3"));
        Checkpoint(other, 5);

        StoreOwner again = Open("p8-");
        AssertMeta(5, again.Opened);
        Assert.Equal(Look(other).StateHash(), Look(again).StateHash());
    }

    [Fact]
    public void A_received_snapshot_is_what_the_next_start_opens_taken_or_not()
    {
        List<InstallSnapshot> pieces = SnapshotOf(50);
        StoreOwner owner = Open("p8-");
        owner.Apply(3, ("old", RowType.Text, "row"));
        Checkpoint(owner, 3);
        Receive(owner, pieces);
        Assert.Equal([50UL], owner.Received);
        owner = Open("p8-");
        AssertMeta(50, owner.Opened);
        Assert.Null(Get(owner, "old"));
        Assert.NotNull(Get(owner, "k"));
    }

    [Fact]
    public void Snapshots_received_back_to_back_do_not_clear_each_other_away()
    {
        List<InstallSnapshot> first = SnapshotOf(50);
        List<InstallSnapshot> second = SnapshotOf(60);
        StoreOwner owner = Open("p8-");
        foreach (InstallSnapshot piece in first.Concat(second))
        {
            owner.Call(store => store.Receive(piece));
        }

        RunAll(owner);
        Assert.Equal([50UL, 60UL], owner.Received);
        owner.Call(store => store.TakeReceived(StoreOwner.Meta(60)));
        Assert.Equal(RowText("k", RowType.Text, new(60), 0, "v60"), Get(owner, "k"));
        AssertMeta(60, Open("p8-").Opened);
    }

    [Fact]
    public void A_damaged_or_disordered_snapshot_is_refused_and_leaves_no_trace()
    {
        List<InstallSnapshot> pieces = SnapshotOf(50, pieceBytes: 60);
        StoreOwner owner = Open("p8-");
        owner.Apply(3, ("old", RowType.Text, "row"));
        Checkpoint(owner, 3);
        string[] names = [.. Disk.Names];
        for (int at = 0; at < pieces.Count; at++)
        {
            byte[] chunk = pieces[at].Chunk.ToArray();
            chunk[chunk.Length / 2] ^= 1;
            Receive(owner, [.. pieces[..at], pieces[at] with { Chunk = chunk }, .. pieces[(at + 1)..]]);
        }

        Assert.NotEmpty(owner.Refused);
        Assert.Empty(owner.Received);
        Receive(owner, [pieces[0], pieces[2]]);
        Receive(owner, [pieces[1]]);
        Assert.Empty(owner.Received);
        Assert.Equal(names, Disk.Names);
        Receive(owner, pieces);
        Assert.Equal([50UL], owner.Received);
    }

    [Fact]
    public void A_transfer_under_way_survives_newer_checkpoints()
    {
        StoreOwner owner = Open();
        owner.Apply(1, [.. Enumerable.Range(0, 50).Select(i => ($"k{i}", RowType.Text, $"{i}"))]);
        Checkpoint(owner, 1);
        List<InstallSnapshot> expected = owner.TakeSnapshot(() => RunAll(owner), 100);
        owner.Pieces.Clear();
        long offset = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            owner.Call(store => store.ReadSnapshot(1, new(1), offset, 100));
            RunAll(owner);
            Assert.Equal(expected[i].Offset, owner.Pieces[^1].Offset);
            Assert.Equal(expected[i].Chunk.ToArray(), owner.Pieces[^1].Chunk);
            offset += owner.Pieces[^1].Chunk.Length;
            if (i < 10)
            {
                owner.Apply((ulong)i + 2, ($"k{i}", RowType.Text, "new"), ($"k{i + 20}", RowType.Tombstone, ""));
                Checkpoint(owner, (ulong)i + 2);
            }
        }

        Assert.True(owner.Pieces[^1].Done);
        owner.Call(store => store.ReadSnapshot(2, default, 0, 100));
        RunAll(owner);
        AssertMeta(11, owner.Pieces[^1].Meta);
    }
}
