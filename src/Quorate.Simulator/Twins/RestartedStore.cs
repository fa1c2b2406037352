using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.Twins;

/// <summary>The rows of a replica that was started again.</summary>
internal sealed class RestartedStore : IPartitionStoreClient
{
    private readonly IPartitionStore _store;
    private readonly Action _wait;
    private bool _isOpen;
    private ulong _fetched;
    private ulong _tag;

    public RestartedStore(Func<IPartitionStoreClient, IPartitionStore> make, Action wait)
    {
        _wait = wait;
        _store = make(this);
        _store.Open();
        while (!_isOpen)
        {
            wait();
        }
    }

    /// <summary>What the rows are of; zero without a checkpoint.</summary>
    public LogIndex Checkpoint { get; private set; }

    /// <summary>What the rows are of; null without a checkpoint.</summary>
    public SnapshotMeta? Meta { get; private set; }

    /// <summary>Applies an entry of the log as a partition does.</summary>
    public void Apply(Entry entry, IEntrySeal seal)
    {
        if (entry.Kind != EntryKind.Data)
        {
            _store.Apply(entry.Index, _store.Time, []);
            return;
        }

        ReadOnlyMemory<byte>? opened = seal.Open(new(entry.Term, entry.Index), entry.Payload, out string? problem);
        Invariant.Check(opened is not null, $"entry {entry.Index} {problem}");
        bool isRead = EntryBatch.TryRead(opened.Value, out EntryBatch batch, out problem);
        Invariant.Check(isRead, $"entry {entry.Index} {problem}");
        _store.Apply(entry.Index, batch.Time, batch.Changes.Span);
    }

    public ulong StateHash()
    {
        while (true)
        {
            if (_store.StateHash() is { } hash)
            {
                return hash;
            }

            _store.Fetch(++_tag);
            while (_fetched < _tag)
            {
                _wait();
            }
        }
    }

    public void Close() => _store.Close();

    public void StoreOpened(SnapshotMeta? checkpoint, HybridTime time)
    {
        Meta = checkpoint;
        Checkpoint = checkpoint?.Index ?? LogIndex.Zero;
        _isOpen = true;
    }

    public void Fetched(ulong tag) => _fetched = tag;

    public void CheckpointSaved(SnapshotMeta meta)
    {
    }

    public void SnapshotRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done)
    {
    }

    public void SnapshotReceived(SnapshotMeta meta)
    {
    }

    public void SnapshotRefused(SnapshotMeta meta)
    {
    }

    public void CheckpointGivenUp(SnapshotMeta meta)
    {
    }

    public void StoreFull(string sentence)
    {
    }

    public void StoreDestroyed()
    {
    }

    public void StoreFailed(string sentence) => throw new InvariantBrokenException(sentence);
}
