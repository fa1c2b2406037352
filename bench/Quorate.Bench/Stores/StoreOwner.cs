using System.Buffers;
using Quorate.Bench.Memory;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Server.Disk;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;
using Quorate.Storage.Stores;

namespace Quorate.Bench.Stores;

/// <summary>
/// A partition store over a real disk, driven by one thread as a partition drives it: it applies, lets the store work,
/// takes checkpoints, and fetches what is cold. Counts what is read from the disk and the memory in use.
/// </summary>
internal sealed class StoreOwner : IPartitionStoreClient, IDisk, IDisposable
{
    private const int RowsPerEntry = 16;
    private const int WorkBytes = 256 * 1024;

    /// <summary>Entries between two opportunities to work.</summary>
    private const int EntriesPerWork = 16;

    private static readonly byte[] AfterAll = [0xFF, 0xFF, 0xFF];

    private readonly RealDisk _disk;
    private readonly PartitionStore _store;
    private readonly SortedDictionary<ulong, long> _open = [];
    private readonly Queue<ulong> _fetched = new();
    private readonly ArrayBufferWriter<byte> _changes = new();
    private ulong _tag;
    private ulong _applied;
    private bool _isOpen;
    private bool _isSaving;

    /// <param name="folder">The store's own.</param>
    /// <param name="settings">The store's.</param>
    /// <param name="memoryBytes">All memory, half of which is kept for the cache of blocks.</param>
    public StoreOwner(string folder, PartitionStoreSettings settings, long memoryBytes)
    {
        _disk = new RealDisk(folder);
        Memory = new(memoryBytes);
        Memory.Take(MemoryUse.BlockCache, memoryBytes / 2);
        _store = new(this, settings, this, new BlockCache(memoryBytes / 2), Memory);
        _store.Open();
        while (!_isOpen)
        {
            Pump();
        }

        DiskReads = 0;
    }

    public MemoryBudget Memory { get; }

    /// <summary>The most that was in use, looked at after every step.</summary>
    public long MemoryBytesPeak { get; private set; }

    /// <summary>Reads that the disk was asked for.</summary>
    public long DiskReads { get; set; }

    public void ForgetMemoryPeak() => MemoryBytesPeak = Memory.UsedBytes;

    public IReadOnlyList<long> TableBytes => _store.TableBytes;

    /// <summary>
    /// Applies all rows, with a checkpoint whenever so much is dirty; ends when all is on disk. Waits while twice as
    /// much is dirty, or while the memory is exceeded, as a node refuses requests then.
    /// </summary>
    public void Ingest(StoreKeys keys, long dirtyBytesMax)
    {
        for (int place = 0; place < keys.Rows; place += RowsPerEntry)
        {
            Apply(keys, place, Math.Min(keys.Rows, place + RowsPerEntry));
            if (_applied % EntriesPerWork != 0)
            {
                continue;
            }

            do
            {
                SaveIfDue(dirtyBytesMax);
                bool isReady = _store.Work(WorkBytes);
                NoteMemory();
                if (_disk.Drain() == 0 && !isReady && MustWait(dirtyBytesMax))
                {
                    _disk.Wait(TimeSpan.FromMilliseconds(1));
                }
            }
            while (MustWait(dirtyBytesMax));
        }

        Finish(() => !_isSaving);
        SaveIfDue(1);
        Finish(() => !_isSaving);
    }

    /// <summary>Works until this many tables are left.</summary>
    public void Compact(int tables) => Finish(() => _store.TableBytes.Count <= tables);

    /// <summary>Works until there is nothing to merge any more.</summary>
    public void ComeToRest() => Finish(() => !_store.Work(WorkBytes) && _disk.UnderWay == 0);

    /// <summary>Reads rows, so many at one time; how many were there.</summary>
    public long Read(Func<long> next, long count, int atOnce)
    {
        long begun = 0;
        long found = 0;
        while (begun < count || _open.Count > 0)
        {
            while (begun < count && _open.Count < atOnce)
            {
                begun++;
                ulong tag = _tag + 1;
                Lookup lookup = Look(tag, next());
                found += lookup == Lookup.Found ? 1 : 0;
            }

            if (_open.Count > 0)
            {
                Pump();
            }

            while (_fetched.TryDequeue(out ulong tag))
            {
                found += Look(tag, _open[tag]) == Lookup.Found ? 1 : 0;
            }
        }

        return found;
    }

    /// <summary>Reads everything in order; the rows.</summary>
    public long Scan()
    {
        var visitor = new Counting();
        ulong held = 0;
        while (_store.Scan(new(visitor.From, AfterAll), visitor) == Lookup.Cold)
        {
            // The blocks of before are behind the cursor now.
            _store.Release(held);
            held = ++_tag;
            _store.Fetch(held);
            while (!_fetched.TryDequeue(out _))
            {
                Pump();
            }
        }

        _store.Release(held);
        return visitor.Rows;
    }

    /// <summary>
    /// Reads the first rows as a command does: whenever it meets something cold it begins anew, and all that it has
    /// fetched is held until its end. How often it began.
    /// </summary>
    public int ScanAnew(long rows)
    {
        var held = new List<ulong>();
        while (_store.Scan(new([], AfterAll), new Counting { RowsMax = rows }) == Lookup.Cold)
        {
            held.Add(++_tag);
            _store.Fetch(_tag);
            while (!_fetched.TryDequeue(out _))
            {
                Pump();
            }
        }

        held.ForEach(_store.Release);
        return held.Count + 1;
    }

    public void Dispose()
    {
        _store.Close();
        _disk.Dispose();
    }

    void IDisk.Submit(in DiskOperation operation, IDiskClient client)
    {
        // A read of no length only asks to be ended.
        DiskReads += operation.Kind == DiskOperationKind.Read && operation.Length > 0 ? 1 : 0;
        _disk.Submit(operation, client);
    }

    void IPartitionStoreClient.StoreOpened(SnapshotMeta? checkpoint, HybridTime time)
    {
        _applied = checkpoint?.Index.Value ?? 0;
        _isOpen = true;
    }

    void IPartitionStoreClient.CheckpointSaved(SnapshotMeta meta) => _isSaving = false;

    void IPartitionStoreClient.Fetched(ulong tag)
    {
        NoteMemory();
        _fetched.Enqueue(tag);
    }

    void IPartitionStoreClient.SnapshotRead(
        ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done)
    {
    }

    void IPartitionStoreClient.SnapshotReceived(SnapshotMeta meta)
    {
    }

    void IPartitionStoreClient.SnapshotRefused(SnapshotMeta meta)
    {
    }

    void IPartitionStoreClient.CheckpointGivenUp(SnapshotMeta meta) =>
        throw new InvalidOperationException("A checkpoint was given up.");

    void IPartitionStoreClient.StoreFull(string sentence) => throw new InvalidOperationException(sentence);

    void IPartitionStoreClient.StoreDestroyed()
    {
    }

    void IPartitionStoreClient.StoreFailed(string sentence) => throw new InvalidOperationException(sentence);

    private void Apply(StoreKeys keys, int from, int to)
    {
        Span<byte> rowKey = stackalloc byte[StoreKeys.RowKeyBytes];
        Span<byte> value = stackalloc byte[IRows.ValueBytes];
        _changes.ResetWrittenCount();
        for (int place = from; place < to; place++)
        {
            long number = keys.At(place);
            StoreKeys.WriteRowKey(rowKey, number);
            StoreKeys.WriteValue(value, number);
            RowChanges.Write(_changes, new(rowKey, RowType.Text, 0, value));
        }

        _store.Apply(new(++_applied), HybridTime.FromMilliseconds((long)_applied), _changes.WrittenSpan);
        NoteMemory();
    }

    private void SaveIfDue(long dirtyBytes)
    {
        if (!_isSaving && _store.DirtyBytes >= dirtyBytes)
        {
            _isSaving = true;
            _store.Checkpoint(() => new(new(_applied), new(1), LogIndex.Zero, Membership.Of([]), []));
        }
    }

    private bool MustWait(long dirtyBytesMax) =>
        _isSaving && (_store.DirtyBytes >= 2 * dirtyBytesMax || Memory.OverBytes > 0);

    private void Finish(Func<bool> isDone)
    {
        while (!isDone())
        {
            bool isReady = _store.Work(WorkBytes);
            NoteMemory();
            if (_disk.Drain() == 0 && !isReady)
            {
                _disk.Wait(TimeSpan.FromMilliseconds(1));
            }
        }
    }

    /// <summary>Looks at a row; one that is cold is fetched, one that is not is released.</summary>
    private Lookup Look(ulong tag, long number)
    {
        Span<byte> rowKey = stackalloc byte[StoreKeys.RowKeyBytes];
        StoreKeys.WriteRowKey(rowKey, number);
        Lookup lookup = _store.Get(rowKey, out _);
        if (lookup == Lookup.Cold)
        {
            _tag = Math.Max(_tag, tag);
            _open[tag] = number;
            _store.Fetch(tag);
        }
        else if (_open.Remove(tag))
        {
            _store.Release(tag);
            NoteMemory();
        }

        return lookup;
    }

    private void Pump()
    {
        bool isReady = _store.Work(WorkBytes);
        if (_disk.Drain() == 0 && !isReady)
        {
            _disk.Wait(TimeSpan.FromMilliseconds(100));
        }
    }

    private void NoteMemory() => MemoryBytesPeak = Math.Max(MemoryBytesPeak, Memory.UsedBytes);

    /// <summary>Counts rows and remembers where the next one begins.</summary>
    private sealed class Counting : IRowVisitor
    {
        private readonly byte[] _next = new byte[StoreKeys.RowKeyBytes + 1];

        public long RowsMax { get; init; } = long.MaxValue;

        public long Rows { get; private set; }

        public ReadOnlySpan<byte> From => Rows == 0 ? [] : _next;

        bool IRowVisitor.Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            Rows++;
            rowKey.CopyTo(_next);
            return Rows < RowsMax;
        }
    }
}
