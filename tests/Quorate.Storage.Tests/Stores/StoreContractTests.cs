using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Tests.Stores;

/// <summary>What every partition store does, whatever it is made of (pitfalls R13, S8).</summary>
public abstract class StoreContractTests : StoreFixture
{
    [Fact]
    public void A_new_store_is_empty()
    {
        StoreOwner owner = Open();
        Assert.Null(owner.Opened);
        Assert.Equal(HybridTime.Zero, owner.Store.Time);
        Assert.Empty(Look(owner).All());
        owner.Call(store => store.ReadSnapshot(1, default, 0, 100));
        RunAll(owner);
        Assert.Null(Assert.Single(owner.Pieces).Meta);
    }

    [Fact]
    public void Rows_are_what_was_written_last()
    {
        StoreOwner owner = Open();
        owner.Apply(3, ("a", RowType.Text, "1"), ("b", RowType.Text, "2"), ("a", RowType.Integer, "12345678"));
        owner.Apply(5, ("c", RowType.Text, "3"), ("b", RowType.Tombstone, ""));
        Assert.Equal(RowText("a", RowType.Integer, new(3), 2, "12345678"), Get(owner, "a"));
        Assert.Null(Get(owner, "b"));
        Assert.Equal(RowText("c", RowType.Text, new(5), 0, "3"), Get(owner, "c"));
        Assert.Equal(StoreOwner.TimeOf(5), owner.Store.Time);
        Assert.True(owner.Store.DirtyBytes > 0);
    }

    [Fact]
    public void A_range_is_scanned_in_order_both_ways()
    {
        StoreOwner owner = Open();
        owner.Apply(1, [.. Enumerable.Range(0, 30).Select(i => ($"{{t}}{i:D2}", RowType.Text, $"{i}"))]);
        Checkpoint(owner, 1);
        owner.Apply(2, ("{t}05", RowType.Tombstone, ""), ("{t}06", RowType.Text, "new"), ("{t}30", RowType.Text, "30"));
        List<string> all = Look(owner).All();
        Assert.Equal(30, all.Count);
        byte[] from = StoreOwner.KeyOf("{t}04");
        byte[] to = StoreOwner.KeyOf("{t}08");
        List<string> some = Look(owner).Scan(from, to);
        Assert.Equal([Get(owner, "{t}04")!, Get(owner, "{t}06")!, Get(owner, "{t}07")!], some);
        some.Reverse();
        Assert.Equal(some, Look(owner).Scan(from, to, descending: true));
        Assert.Equal(some[..2], Look(owner).Scan(from, to, descending: true, rowsMax: 2));
        Assert.Equal(all[..2], Look(owner).Scan([], [0xFF], rowsMax: 2));
    }

    [Fact]
    public void A_clear_removes_users_rows_written_before_it_and_no_others()
    {
        StoreOwner owner = Open();
        byte[] session = RowKey.Of("a"u8, [], RowSpace.Sessions);
        var writer = new System.Buffers.ArrayBufferWriter<byte>();
        RowChanges.Write(writer, new(session, RowType.Session, 0, "reply"u8));
        owner.Call(store => store.Apply(new(1), StoreOwner.TimeOf(1), writer.WrittenSpan));
        owner.Apply(2, ("a", RowType.Text, "1"), ("b", RowType.Text, "2"));
        Checkpoint(owner, 2);
        owner.Apply(3, ("c", RowType.Text, "3"));
        owner.Apply(4, ("c", RowType.Text, "4"), ("", RowType.Clear, ""), ("b", RowType.Text, "5"));
        for (int round = 0; round < 2; round++)
        {
            Assert.Null(Get(owner, "a"));
            Assert.Null(Get(owner, "c"));
            Assert.Equal(RowText("b", RowType.Text, new(4), 2, "5"), Get(owner, "b"));
            Assert.NotNull(Look(owner).Get(session));
            Assert.Equal(2, Look(owner).All().Count);
            Checkpoint(owner, 4);
            owner = Open();
        }
    }

    [Fact]
    public void A_checkpoint_is_what_the_next_start_opens()
    {
        StoreOwner owner = Open();
        owner.Apply(3, ("a", RowType.Text, "1"), ("b", RowType.Text, "2"));
        ulong hash = Look(owner).StateHash();
        owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(3)));

        // Written while the checkpoint is under way, so not in it.
        owner.Apply(4, ("a", RowType.Text, "3"), ("c", RowType.Text, "4"));
        RunAll(owner);
        Assert.Equal([3UL], owner.Saved);
        Assert.NotNull(Get(owner, "c"));
        Assert.NotEqual(hash, Look(owner).StateHash());
        Assert.True(owner.Store.DirtyBytes > 0);

        StoreOwner again = Open();
        AssertMeta(3, again.Opened);
        Assert.Equal(StoreOwner.TimeOf(3), again.OpenedTime);
        Assert.Equal(hash, Look(again).StateHash());
        Assert.Null(Get(again, "c"));
        Assert.Equal(0, again.Store.DirtyBytes);
    }

    [Fact]
    public void Checkpoints_follow_one_another_and_one_without_changes_counts_too()
    {
        StoreOwner owner = Open();
        for (ulong i = 1; i < 20; i++)
        {
            owner.Apply(i, ($"k{i % 7}", i % 5 == 0 ? RowType.Tombstone : RowType.Text, i % 5 == 0 ? "" : $"{i}"));
            Checkpoint(owner, i);
            owner.Call(store => store.Apply(new(i + 100), StoreOwner.TimeOf(i + 100), default));
            Checkpoint(owner, i + 100);
            ulong hash = Look(owner).StateHash();
            List<string> rows = Look(owner).All();
            owner = Open();
            AssertMeta(i + 100, owner.Opened);
            Assert.Equal(rows, Look(owner).All());
            Assert.Equal(hash, Look(owner).StateHash());
            owner = Reset(owner, i);
        }
    }

    [Fact]
    public void A_dropped_store_leaves_no_file()
    {
        StoreOwner other = Open("p8-");
        other.Apply(1, ("a", RowType.Text, "1"));
        Checkpoint(other, 1);
        string[] others = [.. Disk.Names];
        StoreOwner owner = Open();
        owner.Apply(1, ("a", RowType.Text, "1"));
        Checkpoint(owner, 1);
        owner.Apply(2, ("a", RowType.Text, "2"));
        owner.Call(store => store.Destroy());
        RunAll(owner);
        Assert.True(owner.IsDestroyed);
        Assert.Equal(others, Disk.Names);
        Assert.Null(Open().Opened);
    }

    [Fact]
    public void A_closed_store_tells_nobody_anything()
    {
        StoreOwner owner = Open();
        owner.Apply(1, ("a", RowType.Text, "1"));
        owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(1)));
        owner.Call(store => store.Fetch(1));
        owner.Call(store => store.Close());
        Disk.RunAll();
        Assert.Empty(owner.Saved);
        Assert.Empty(owner.Fetches);
    }

    [Fact]
    public void Damage_in_any_file_is_refused_with_a_sentence_that_names_it()
    {
        StoreOwner owner = Open();
        owner.Apply(1, [.. Enumerable.Range(0, 40).Select(i => ($"k{i}", RowType.Text, $"value {i}"))]);
        Checkpoint(owner, 1);
        owner.Apply(2, ("k1", RowType.Text, "x"), ("k2", RowType.Tombstone, ""));
        Checkpoint(owner, 2);
        foreach (string name in Disk.Names)
        {
            byte[] content = Disk.Content(name);
            for (int at = 0; at < content.Length; at += 1 + (content.Length / 40))
            {
                content[at] ^= 0x10;
                AssertRefused(name);
                content[at] ^= 0x10;
            }

            Disk.Put(name, content[..^1]);
            AssertRefused(name);
            Disk.Put(name, content);
        }

        Assert.Equal(Look(owner).StateHash(), Look(Open()).StateHash());
    }

    /// <summary>What is damaged may show on opening or when it is first read; it is never served.</summary>
    private void AssertRefused(string name)
    {
        var owner = new StoreOwner();
        owner.Store = Make(Disk, Prefix, owner);
        owner.Call(store => store.Open());
        Disk.RunAll();
        for (ulong tag = 1; owner.Failure is null && owner.Store.StateHash() is null; tag++)
        {
            Assert.True(tag < 1000);
            owner.Call(store => store.Fetch(tag));
            RunAll(owner);
        }

        Assert.NotNull(owner.Failure);
        Assert.Contains(name, owner.Failure, StringComparison.Ordinal);
        Assert.EndsWith(".", owner.Failure, StringComparison.Ordinal);
    }
}
