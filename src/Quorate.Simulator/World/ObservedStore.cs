using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>
/// Stands between a partition and its store: shows the checks every entry that is applied and every checkpoint, and has
/// the state hash compared now and then, for which it may have to read what is cold.
/// </summary>
internal sealed class ObservedStore : IPartitionStore, IPartitionStoreClient
{
    /// <summary>Between two comparisons of state hashes, in entries.</summary>
    private const ulong HashInterval = 32;

    /// <summary>No partition uses tags from here on.</summary>
    private const ulong FirstOwnTag = 1UL << 63;

    private readonly ValueReplica _replica;
    private readonly GroupChecks _checks;
    private readonly IPartitionStoreClient _client;
    private readonly IPartitionStore _store;
    private ReadToken _applied;
    private ReadToken _checked;
    private ReadToken _hashed = new(Term.Zero, new LogIndex(ulong.MaxValue));
    private ReadToken _fetchedAt;
    private ulong _hash;
    private bool _isFetching;
    private readonly List<ulong> _held = [];
    private ulong _lastOwnTag = FirstOwnTag;
    private bool _mustCheck;
    private bool _isLeaving;
    private bool _isClosed;

    public ObservedStore(
        ValueReplica replica,
        GroupChecks checks,
        IPartitionStoreClient client,
        Func<IPartitionStoreClient, IPartitionStore> store)
    {
        _replica = replica;
        _checks = checks;
        _client = client;
        _store = store(this);
    }

    /// <summary>All files are gone, as was asked.</summary>
    public bool IsDestroyed { get; private set; }

    /// <summary>What was read to hash the rows is kept until that is done.</summary>
    public bool Holds => _held.Count > 0;

    public HybridTime Time => _store.Time;

    public ConcurrentRows Concurrent => _store.Concurrent;

    public long DirtyBytes => _store.DirtyBytes;

    public long LiveBytes => _store.LiveBytes;

    public bool IsBehind => _store.IsBehind;

    public string? CheckpointFile => _store.CheckpointFile;

    /// <summary>What stands behind this.</summary>
    public IPartitionStore Inner => _store;

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row) => _store.Get(rowKey, out row);

    public Lookup Scan(in RowRange range, IRowVisitor visitor) => _store.Scan(range, visitor);

    public bool TrySample(ulong draw, out ReadOnlySpan<byte> rowKey, out Row row) =>
        _store.TrySample(draw, out rowKey, out row);

    public ulong? StateHash() => _store.StateHash();

    /// <summary>The state hash, or null; then it has begun to read what is missing.</summary>
    public ulong? HashNow()
    {
        if (_hashed != _applied && !_isFetching)
        {
            GoOn();
        }

        return _hashed == _applied ? _hash : null;
    }

    /// <summary>Compares the state hash when it is time to.</summary>
    public void CheckNow()
    {
        bool isDue = _mustCheck || _applied.Index.Value / HashInterval != _checked.Index.Value / HashInterval;
        if (isDue && !_isLeaving && _applied != default && _applied.Index != _checked.Index && !_isFetching)
        {
            _checked = _applied;
            _mustCheck = false;
            GoOn();
        }
    }

    public void Open() => _store.Open();

    public void Apply(LogIndex index, HybridTime time, ReadOnlySpan<byte> changes)
    {
        Entry entry = _replica.Applying!;
        if (entry.Index != index)
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety, $"replica {_replica.Id} applies the changes of {index} as {entry}");
        }

        _store.Apply(index, time, changes);
        _applied = new ReadToken(entry.Term, index);
    }

    public void Checkpoint(Func<SnapshotMeta> meta) => _store.Checkpoint(() =>
    {
        SnapshotMeta now = meta();
        _checks.CheckCheckpoint(_replica.Id, now);
        _mustCheck = true;
        return now;
    });

    public bool Work(int budgetBytes) => _store.Work(budgetBytes);

    public void Fetch(ulong tag) => _store.Fetch(tag);

    public void Forget() => _store.Forget();

    public void Release(ulong tag) => _store.Release(tag);

    public void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes) =>
        _store.ReadSnapshot(tag, snapshot, offset, maxBytes);

    public void Receive(InstallSnapshot piece) => _store.Receive(piece);

    public void TakeReceived(SnapshotMeta meta)
    {
        _checks.CheckCheckpoint(_replica.Id, meta);
        _store.TakeReceived(meta);
        TakenOver(meta);
        _replica.TookSnapshot();
    }

    public void Destroy()
    {
        _isLeaving = true;
        _store.Destroy();
    }

    public void Close()
    {
        if (!_isClosed)
        {
            _isClosed = _isLeaving = true;
            _store.Close();
        }
    }

    void IPartitionStoreClient.StoreOpened(SnapshotMeta? checkpoint, HybridTime time)
    {
        _replica.CheckFiles();
        if (checkpoint is not null)
        {
            _checks.CheckCheckpoint(_replica.Id, checkpoint);
            TakenOver(checkpoint);
        }

        _client.StoreOpened(checkpoint, time);
    }

    void IPartitionStoreClient.CheckpointSaved(SnapshotMeta meta) => _client.CheckpointSaved(meta);

    void IPartitionStoreClient.Fetched(ulong tag)
    {
        if (tag < FirstOwnTag)
        {
            _client.Fetched(tag);
            return;
        }

        // Hashing goes on where it stood while nothing is applied; else it is given up until it is asked for again.
        _isFetching = false;
        if (_fetchedAt == _applied)
        {
            GoOn();
        }
        else
        {
            Release();
        }
    }

    void IPartitionStoreClient.CheckpointGivenUp(SnapshotMeta meta) => _client.CheckpointGivenUp(meta);

    void IPartitionStoreClient.SnapshotRead(
        ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        _client.SnapshotRead(tag, meta, offset, chunk, done);

    void IPartitionStoreClient.SnapshotReceived(SnapshotMeta meta) => _client.SnapshotReceived(meta);

    void IPartitionStoreClient.SnapshotRefused(SnapshotMeta meta) => _client.SnapshotRefused(meta);

    void IPartitionStoreClient.StoreFull(string sentence) => _client.StoreFull(sentence);

    void IPartitionStoreClient.StoreDestroyed()
    {
        IsDestroyed = true;
        _client.StoreDestroyed();
    }

    void IPartitionStoreClient.StoreFailed(string sentence) => _client.StoreFailed(sentence);

    /// <summary>The rows are those of a checkpoint: to be compared at once.</summary>
    private void TakenOver(SnapshotMeta meta)
    {
        _applied = new ReadToken(meta.Term, meta.Index);
        _checked = default;
        _mustCheck = true;
    }

    /// <summary>Hashes on; all that was read for it is held until it is through, as a request's rows are.</summary>
    private void GoOn()
    {
        ulong? hash = _isLeaving ? null : _store.StateHash();
        if (hash is { } known)
        {
            Release();
            (_hashed, _hash) = (_applied, known);
            _checks.Committed.CheckState(_replica.Id, _applied, known);
            _replica.CheckSessions(_store);
        }
        else if (!_isLeaving)
        {
            _isFetching = true;
            _fetchedAt = _applied;
            _held.Add(++_lastOwnTag);
            _store.Fetch(_lastOwnTag);
        }
    }

    private void Release()
    {
        foreach (ulong tag in _held)
        {
            _store.Release(tag);
        }

        _held.Clear();
    }
}
