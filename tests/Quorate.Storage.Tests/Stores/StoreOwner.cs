using System.Buffers;
using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Tests.Stores;

/// <summary>Owns a partition store in a test and remembers what it was told.</summary>
internal sealed class StoreOwner : IPartitionStoreClient
{
    private bool _isCalling;

    public IPartitionStore Store { get; set; } = null!;

    public bool IsOpened { get; private set; }

    public SnapshotMeta? Opened { get; private set; }

    public HybridTime OpenedTime { get; private set; }

    public List<ulong> Saved { get; } = [];

    public List<ulong> GivenUp { get; } = [];

    public List<ulong> Fetches { get; } = [];

    public List<ulong> Received { get; } = [];

    public List<ulong> Refused { get; } = [];

    public List<(SnapshotMeta? Meta, long Offset, byte[] Chunk, bool Done)> Pieces { get; } = [];

    public List<string> FullNotices { get; } = [];

    public bool IsDestroyed { get; private set; }

    public string? Failure { get; private set; }

    public static SnapshotMeta Meta(ulong index) => CheckpointOwner.Meta(index);

    /// <summary>Calls the store, during which it may not call back.</summary>
    public void Call(Action<IPartitionStore> call)
    {
        _isCalling = true;
        call(Store);
        _isCalling = false;
    }

    /// <summary>Applies changes as the entry of this index, at as many milliseconds.</summary>
    public void Apply(ulong index, params (string Key, RowType Type, string Value)[] changes) =>
        ApplyRows(index, [.. changes.Select(each => (
            each.Type == RowType.Clear ? RowKey.Clear.ToArray() : KeyOf(each.Key),
            each.Type,
            0L,
            Encoding.UTF8.GetBytes(each.Value)))]);

    public void ApplyRows(ulong index, params (byte[] RowKey, RowType Type, long Expiry, byte[] Value)[] changes)
    {
        var writer = new ArrayBufferWriter<byte>();
        foreach ((byte[] rowKey, RowType type, long expiry, byte[] value) in changes)
        {
            RowChanges.Write(writer, new(rowKey, type, expiry, value));
        }

        Call(store => store.Apply(new(index), TimeOf(index), writer.WrittenSpan));
    }

    public static HybridTime TimeOf(ulong index) => HybridTime.FromMilliseconds((long)index);

    public static byte[] KeyOf(string key) => RowKey.Of(Encoding.UTF8.GetBytes(key));

    /// <summary>Takes the whole newest snapshot from the store, in pieces, letting the disk run after each.</summary>
    public List<InstallSnapshot> TakeSnapshot(Action runDisk, int pieceBytes = 500)
    {
        var pieces = new List<InstallSnapshot>();
        LogIndex index = default;
        long offset = 0;
        do
        {
            Call(store => store.ReadSnapshot(7, index, offset, pieceBytes));
            runDisk();
            (SnapshotMeta? meta, long from, byte[] chunk, bool done) = Pieces[^1];
            Assert.NotNull(meta);
            Assert.Equal(offset, from);
            Assert.True(done || chunk.Length > 0);
            Assert.True(chunk.Length <= pieceBytes);
            index = meta.Index;
            offset += chunk.Length;
            pieces.Add(new(meta, from, chunk, done));
        }
        while (!pieces[^1].Done);
        return pieces;
    }

    public void StoreOpened(SnapshotMeta? checkpoint, HybridTime time)
    {
        Assert.False(_isCalling);
        Assert.False(IsOpened);
        (IsOpened, Opened, OpenedTime) = (true, checkpoint, time);
    }

    public void CheckpointSaved(SnapshotMeta meta)
    {
        Assert.False(_isCalling);
        Saved.Add(meta.Index.Value);
    }

    public void CheckpointGivenUp(SnapshotMeta meta)
    {
        Assert.False(_isCalling);
        GivenUp.Add(meta.Index.Value);
    }

    public void Fetched(ulong tag)
    {
        Assert.False(_isCalling);
        Fetches.Add(tag);
    }

    public void SnapshotRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done)
    {
        Assert.False(_isCalling);
        Pieces.Add((meta, offset, chunk.ToArray(), done));
    }

    public void SnapshotReceived(SnapshotMeta meta)
    {
        Assert.False(_isCalling);
        Received.Add(meta.Index.Value);
    }

    public void SnapshotRefused(SnapshotMeta meta)
    {
        Assert.False(_isCalling);
        Refused.Add(meta.Index.Value);
    }

    public void StoreFull(string sentence)
    {
        Assert.False(_isCalling);
        FullNotices.Add(sentence);
    }

    public void StoreDestroyed()
    {
        Assert.False(_isCalling);
        IsDestroyed = true;
    }

    public void StoreFailed(string sentence)
    {
        Assert.False(_isCalling);
        Assert.Null(Failure);
        Failure = sentence;
    }
}
