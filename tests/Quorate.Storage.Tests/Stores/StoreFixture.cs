using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>A store of some making on a disk that tells no lies.</summary>
public abstract class StoreFixture
{
    private protected const string Prefix = "p7-";

    private protected MemoryDisk Disk { get; } = new();

    protected abstract IPartitionStore Make(IDisk disk, string prefix, IPartitionStoreClient client);

    private protected List<InstallSnapshot> SnapshotOf(ulong index, int pieceBytes = 500)
    {
        var disk = new MemoryDisk();
        var owner = new StoreOwner();
        owner.Store = Make(disk, Prefix, owner);
        owner.Call(store => store.Open());
        disk.RunAll();
        owner.Apply(index, ("k", RowType.Text, $"v{index}"), ("l", RowType.Text, "w"));
        owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(index)));
        Run(owner, disk);
        return owner.TakeSnapshot(() => Run(owner, disk), pieceBytes);
    }

    /// <summary>Opens what the checkpoint before the last left, by opening it anew under lower indexes.</summary>
    private protected StoreOwner Reset(StoreOwner owner, ulong index)
    {
        owner.Call(store => store.Destroy());
        RunAll(owner);
        owner = Open();
        owner.Apply(index, ("k0", RowType.Text, $"{index}"));
        Checkpoint(owner, index);
        return Open();
    }

    private protected StoreOwner Open(string prefix = Prefix)
    {
        var owner = new StoreOwner();
        owner.Store = Make(Disk, prefix, owner);
        owner.Call(store => store.Open());
        RunAll(owner);
        Assert.Null(owner.Failure);
        Assert.True(owner.IsOpened);
        return owner;
    }

    private protected void Checkpoint(StoreOwner owner, ulong index)
    {
        owner.Call(store => store.Checkpoint(() => StoreOwner.Meta(index)));
        RunAll(owner);
        Assert.Contains(index, owner.Saved);
    }

    private protected void Receive(StoreOwner owner, IEnumerable<InstallSnapshot> pieces)
    {
        foreach (InstallSnapshot piece in pieces)
        {
            owner.Call(store => store.Receive(piece));
        }

        RunAll(owner);
    }

    private protected StoreLook Look(StoreOwner owner) => new(owner, () => RunAll(owner));

    private protected string? Get(StoreOwner owner, string key) => Look(owner).Get(StoreOwner.KeyOf(key));

    private protected static string RowText(string key, RowType type, LogIndex index, int ordinal, string value)
    {
        byte[] rowKey = StoreOwner.KeyOf(key);
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        RowVersion version = RowVersion.At(index, ordinal);
        return StoreLook.TextOf(rowKey, new(type, version, 0, Row.HashOf(rowKey, bytes), bytes));
    }

    private protected static void AssertMeta(ulong index, SnapshotMeta? meta)
    {
        SnapshotMeta expected = StoreOwner.Meta(index);
        Assert.NotNull(meta);
        Assert.Equal((expected.Index, expected.Term), (meta.Index, meta.Term));
        Assert.Equal(expected.MembershipIndex, meta.MembershipIndex);
        Assert.Equal(expected.Membership, meta.Membership);
        Assert.Equal(expected.TermStarts, meta.TermStarts);
    }

    private protected void RunAll(StoreOwner owner) => Run(owner, Disk);

    /// <summary>Lets disk and background work go on until neither has anything to do.</summary>
    private protected static void Run(StoreOwner owner, MemoryDisk disk)
    {
        bool isBusy;
        do
        {
            disk.RunAll();
            isBusy = false;
            owner.Call(store => isBusy = store.Work(10_000));
        }
        while (isBusy || disk.Waiting > 0);
    }
}
