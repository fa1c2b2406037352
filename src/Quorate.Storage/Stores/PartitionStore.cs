using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// A partition's rows as a log-structured merge tree (O'Neil and others, 1996): the newest in memory, a table for
/// each checkpoint, tables merged in the background, and a manifest that says which tables count.
/// <para>Invariants: a row in memory is newer than any in a table, and one in a newer table than any in an older;
/// users' rows older than the last clear do not count, wherever they are; what a checkpoint has acknowledged is what
/// the next start opens, or something newer. Background work goes on only as far as <see cref="Work"/> gives it budget,
/// and the owner calls that at every opportunity.</para>
/// </summary>
public sealed class PartitionStore : IPartitionStore
{
    private readonly PartitionStoreSettings _settings;
    private readonly IPartitionStoreClient _client;
    private readonly StoreContext _context;
    private readonly StoreFetches _fetches;
    private readonly SnapshotSending _sending;
    private readonly SnapshotReceiving _receiving;
    private readonly StoreHashing _hashing;
    private readonly StoreCompactions _compactions;
    private readonly MemoryBudget _budget;
    private readonly MemtableReaders _readers;
    private readonly MemtableSweep _sweep;
    private LogIndex _applied;
    private CheckpointJob? _checkpoint;
    private readonly StoreWork _saving;

    /// <summary>A checkpoint that was asked for and has not begun.</summary>
    private Func<SnapshotMeta>? _asked;
    private bool _isWoken;

    /// <param name="cache">The node's; its owner has counted it in the budget.</param>
    /// <param name="readers">Those who read <see cref="Concurrent"/> from other threads.</param>
    public PartitionStore(
        IDisk disk, PartitionStoreSettings settings, IPartitionStoreClient client, BlockCache cache,
        MemoryBudget budget, StoreEncryption? encryption = null, MemtableReaders? readers = null)
    {
        _settings = settings;
        _client = client;
        _budget = budget;
        _readers = readers ?? new(1);
        _context = new(disk, settings, client, cache, budget, encryption);
        _fetches = new(_context);
        _sending = new(_context);
        _receiving = new(_context);
        _hashing = new();
        _compactions = new(_context, Wake);
        _saving = _context.NewWork(WorkKind.Needed, Wake);
        _sweep = new();
        Memory = NewMemory();
        _context.Jobs.Ended = GoOnToCheckpoint;
    }

    public HybridTime Time { get; private set; }

    /// <summary>
    /// The rows in memory. What is not there may be on disk, and a user's row older than <see cref="ClearedAt"/> does
    /// not count. Another table takes its place when a received snapshot does.
    /// </summary>
    public Memtable Memory { get; private set; }

    /// <summary>The version of the last clear.</summary>
    public RowVersion ClearedAt { get; private set; }

    public ConcurrentRows Concurrent => _context.Concurrent;

    public long DirtyBytes => Memory.DirtyBytes;

    public long LiveBytes => Memory.LiveBytes;

    /// <summary>Blocks that fetches have read so far.</summary>
    public long BlocksFetched => _fetches.BlocksRead;

    /// <summary>Why the snapshot that was received last was refused, when a sentence tells more than that.</summary>
    public string? SnapshotProblem => _receiving.Problem;

    /// <summary>Compactions done so far.</summary>
    public int Compactions => _compactions.Done;

    /// <summary>The sizes of the tables that are looked at, newest first, in bytes.</summary>
    public IReadOnlyList<long> TableBytes =>
        _context.Served is null ? [] : [.. _context.Served.Tables.Select(table => table.Entry.Bytes)];

    public string? CheckpointFile => StoreFileName.OfAnyManifest(_settings.Prefix);

    public bool IsBehind => _asked is not null && _compactions.MustComeFirst;

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        if (Memory.TryGet(rowKey, out row))
        {
            return Counts(rowKey, row) ? Lookup.Found : Lookup.Absent;
        }

        TableSet? served = _context.Served;
        for (int i = 0; i < (served?.Tables.Count ?? 0); i++)
        {
            StoreTable table = served!.Tables[i];
            int number = table.Reader.MayHold(rowKey) ? table.Reader.FindBlock(rowKey) : -1;
            if (number < 0)
            {
                continue;
            }

            if (_context.Cache.Find(table.Reader, number) is not Block block)
            {
                _fetches.Want(table, new(number, 1));
                return Lookup.Cold;
            }

            if (block.TryGet(rowKey, out row))
            {
                return Counts(rowKey, row) ? Lookup.Found : Lookup.Absent;
            }
        }

        return Lookup.Absent;
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor) =>
        StoreScan.Go(_context, _fetches, Memory, ClearedAt, range, visitor);

    public bool TrySample(ulong draw, out ReadOnlySpan<byte> rowKey, out Row row) =>
        Memory.TrySample(draw, out rowKey, out row);

    public ulong? StateHash() => _hashing.GoOn(this, _applied, Time);

    public void Open() => _context.Jobs.Add(OpenJob(), StoreJobRank.Request);

    public void Apply(LogIndex index, HybridTime time, ReadOnlySpan<byte> changes)
    {
        Invariant.Check(index > _applied, $"entries are applied in order: {index} after {_applied}");
        Invariant.Check(time >= Time, $"the logged time does not go back: {time} after {Time}");
        RowChangeReader reader = RowChanges.Read(changes);
        if (!Guards.RowsShowBeforeTheirIndex)
        {
            Concurrent.Publish(index, time);
        }

        Memory.BeginBatch();
        for (int ordinal = 0; reader.TryNext(out RowChange change); ordinal++)
        {
            var version = RowVersion.At(index, ordinal);
            if (change.Type == RowType.Clear)
            {
                ClearedAt = version;
                Concurrent.BeginClear(version);
                _sweep.Cleared();
            }
            else
            {
                if (change.Expiry != 0)
                {
                    _sweep.Expiring();
                }

                Memory.Put(change.RowKey, change.Type, version, change.Expiry, change.Value, dirty: true);
            }
        }

        Memory.EndBatch();
        Concurrent.EndClear();
        Invariant.Check(!reader.IsDamaged, $"the changes of entry {index} are whole");
        _applied = index;
        Time = time;
        Concurrent.Publish(index, time);
    }

    public void Checkpoint(Func<SnapshotMeta> meta)
    {
        Invariant.Check(_checkpoint is null && _asked is null, "one checkpoint at a time");
        _asked = meta;
        BeginCheckpoint();
    }

    public bool Work(int budgetBytes)
    {
        if (_context.IsDead)
        {
            return false;
        }

        _sweep.GoOn(this, _context.Served, _checkpoint is not null, _settings.WorksPerSweep);
        long over = Math.Min(_budget.OverBytes, budgetBytes);
        bool isOver = over > 0
            && Guards.CleanRowsAreEvicted
            && Memory.EvictClean(over) > 0
            && _budget.OverBytes > 0;
        _compactions.GoOn();
        BeginCheckpoint();
        return _context.Jobs.Work(budgetBytes) || isOver;
    }

    public void Fetch(ulong tag) => _fetches.Start(tag);

    public void Forget() => _fetches.Forget();

    public void Release(ulong tag) => _fetches.Release(tag);

    public void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes) =>
        _sending.Read(tag, snapshot, offset, maxBytes);

    public void Receive(InstallSnapshot piece) => _context.Jobs.Add(_receiving.Steps(piece), StoreJobRank.Request);

    public void TakeReceived(SnapshotMeta meta)
    {
        Invariant.Check(_context.Durable?.Manifest.Meta.Index == meta.Index, "what is taken was received");
        Concurrent.Exchange(null, default);
        Memory.Dispose();
        Memory = NewMemory();
        _context.TakeDurable();
        Take(_context.Durable);
    }

    public void Destroy()
    {
        _fetches.Stop();
        _sending.Stop();
        _context.Jobs.Add(DestroySteps(), StoreJobRank.Request);
    }

    public void Close()
    {
        _context.Stop();
        _fetches.Stop();
        _sending.Stop();
        _context.Tables.CloseAll();
        Concurrent.Exchange(null, default);
        Memory.Dispose();
    }

    private IEnumerable<StoreStep> OpenJob()
    {
        var opening = new StoreOpening(_context);
        yield return StoreStep.All(opening.Steps());

        if (_context.IsDead)
        {
            yield break;
        }

        Concurrent.Exchange(Memory, default);
        if (opening.Set is TableSet set)
        {
            Take(set);
        }

        _client.StoreOpened(opening.Set?.Manifest.Meta, Time);
    }

    /// <summary>
    /// Begins the checkpoint that was asked for, unless tables have to become fewer first, or others give memory back.
    /// </summary>
    private void BeginCheckpoint()
    {
        if (_asked is not null
            && !_compactions.MustComeFirst
            && _saving.TryBegin(new(Memory.DirtyBytes, Memory.LargestRowBytes, Runs: 0)))
        {
            SnapshotMeta meta = _asked();
            _asked = null;
            Invariant.Check(meta.Index >= _applied, "a checkpoint is of the rows as applied now");
            _checkpoint = new(_context, Memory, meta, Time, ClearedAt);
            _context.Jobs.Add(CheckpointSteps(), StoreJobRank.Checkpoint);
        }
    }

    /// <summary>
    /// A job is through, and it may be the merge that a checkpoint waits for, or one of several tables whose data key
    /// was retired; nobody need call <see cref="Work"/> for it any more.
    /// </summary>
    private void GoOnToCheckpoint()
    {
        if (_asked is not null || _isWoken || _compactions.HasRetiredKeys)
        {
            bool isWoken = _isWoken;
            _isWoken = false;
            _compactions.GoOn();
            BeginCheckpoint();
            if (isWoken)
            {
                _compactions.ReturnUnused();
                _saving.ReturnUnused();
            }
        }
    }

    /// <summary>
    /// Other stores have given memory back. What waited for it begins as an input of its own, and goes on by itself,
    /// though nobody may call <see cref="Work"/>.
    /// </summary>
    private void Wake()
    {
        if (!_isWoken)
        {
            _isWoken = true;
            _context.Jobs.Add([_context.Nothing], StoreJobRank.Request);
        }
    }

    private IEnumerable<StoreStep> CheckpointSteps()
    {
        CheckpointJob job = _checkpoint!;
        yield return StoreStep.All(job.Steps());

        _saving.End();
        yield return _context.Nothing;

        if (_context.IsDead)
        {
            yield break;
        }

        _checkpoint = null;
        if (job.IsSaved)
        {
            _sending.CheckpointCame();
            _client.CheckpointSaved(job.Meta);
        }
        else
        {
            _compactions.FoundFull();
            _client.CheckpointGivenUp(job.Meta);
        }
    }

    private IEnumerable<StoreStep> DestroySteps()
    {
        var job = new DestroyJob(_context);
        yield return StoreStep.All(job.Steps());

        if (job.IsDone)
        {
            Close();
            _client.StoreDestroyed();
        }
    }

    private void Take(TableSet set)
    {
        _applied = set.Manifest.Meta.Index;
        ClearedAt = set.Manifest.ClearedAt;
        Time = set.Manifest.Time;
        Concurrent.Exchange(Memory, ClearedAt);
        Concurrent.Publish(_applied, Time);
        _hashing.Forget();
    }

    private bool Counts(ReadOnlySpan<byte> rowKey, in Row row) => StoreScan.Counts(rowKey, row, ClearedAt);

    private Memtable NewMemory() => new(_settings.Slots, _settings.Memory, _budget, _readers);
}
