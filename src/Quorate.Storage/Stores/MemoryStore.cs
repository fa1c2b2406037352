using System.Buffers;
using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Disk;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// The plain twin of the partition store, for tests: all rows in one sorted list, a checkpoint is one file with all
/// of them, and a snapshot is that file. It keeps no tombstones and never forgets an expired row, so it shows what the
/// other one has to look like (by <see cref="LiveRows"/>).
/// <para>A checkpoint's state, little-endian: logged time (8), then the rows (<see cref="MemoryRows"/>).</para>
/// </summary>
public sealed class MemoryStore : IPartitionStore, ICheckpointsClient
{
    private const int TimeBytes = 8;

    private readonly string _prefix;
    private readonly IPartitionStoreClient _client;
    private readonly MemoryStoreSettings _settings;
    private readonly CheckpointFiles _files;
    private readonly DiskJobs _answers;
    private readonly ColdPlaces? _cold;
    private readonly List<KeptSnapshot> _kept = [];
    private MemoryRows _rows = new();
    private LogIndex _applied;
    private long _bytesApplied;
    private long _bytesAtCheckpoint;
    private (SnapshotMeta Meta, byte[] State)? _saving;
    private (SnapshotMeta Meta, ReadOnlyMemory<byte> State)? _received;
    private bool _isClosed;

    /// <param name="prefix">The names of the store's files begin with it.</param>
    public MemoryStore(
        IDisk disk, string prefix, IPartitionStoreClient client, MemoryStoreSettings? settings = null)
    {
        _prefix = prefix;
        _client = client;
        _settings = settings ?? new();
        _files = new(disk, prefix, this, _settings.Files);
        _answers = new(disk, _settings.AnswersWaitingMax);
        _cold = _settings.RowsAreCold ? new() : null;
    }

    public HybridTime Time { get; private set; }

    /// <summary>Nothing to read concurrently: every reader is sent the slow way.</summary>
    public ConcurrentRows Concurrent { get; } = new();

    public long DirtyBytes => _bytesApplied - _bytesAtCheckpoint;

    public long LiveBytes => _rows.UserBytes;

    public bool IsBehind => false;

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        row = default;
        if (_cold is not null && _cold.IsCold(rowKey))
        {
            return Lookup.Cold;
        }

        if (_rows.Find(rowKey) is not MemoryRow found)
        {
            return Lookup.Absent;
        }

        row = found.Seen;
        return Lookup.Found;
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor)
    {
        if (_cold is not null && _cold.IsCold(range.From, range.To))
        {
            return Lookup.Cold;
        }

        _rows.Scan(range, visitor);
        return Lookup.Found;
    }

    public bool TrySample(ulong draw, out ReadOnlySpan<byte> rowKey, out Row row)
    {
        MemoryRow? sample = _rows.Sample(draw);
        rowKey = sample is null ? default : sample.RowKey;
        row = sample is null ? default : sample.Seen;
        return sample is not null;
    }

    public ulong? StateHash() => _rows.StateHash(Time);

    public void Open() => _files.Open();

    public void Apply(LogIndex index, HybridTime time, ReadOnlySpan<byte> changes)
    {
        Invariant.Check(index > _applied, $"entries are applied in order: {index} after {_applied}");
        Invariant.Check(time >= Time, $"the logged time does not go back: {time} after {Time}");
        RowChangeReader reader = RowChanges.Read(changes);
        for (int ordinal = 0; reader.TryNext(out RowChange change); ordinal++)
        {
            Apply(change, RowVersion.At(index, ordinal));
        }

        Invariant.Check(!reader.IsDamaged, $"the changes of entry {index} are whole");
        _applied = index;
        _bytesApplied += changes.Length;
        Time = time;
    }

    public void Checkpoint(Func<SnapshotMeta> meta)
    {
        SnapshotMeta now = meta();
        Invariant.Check(now.Index >= _applied, "a checkpoint is of the rows as applied now");
        Invariant.Check(_saving is null, "one checkpoint at a time");
        var state = new ArrayBufferWriter<byte>();
        BinaryPrimitives.WriteUInt64LittleEndian(state.GetSpan(TimeBytes), Time.Packed);
        state.Advance(TimeBytes);
        _rows.Encode(state);
        _bytesAtCheckpoint = _bytesApplied;
        _saving = (now, state.WrittenSpan.ToArray());
        _files.Save(now, _saving.Value.State);
    }

    public bool Work(int budgetBytes) => false;

    public void Fetch(ulong tag)
    {
        _cold?.Hold(tag);
        Answer(() => _client.Fetched(tag));
    }

    public void Forget() => _cold?.Forget();

    public void Release(ulong tag) => _cold?.Release(tag);

    public void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes) => Answer(() =>
    {
        KeptSnapshot? kept = _kept.Find(other => other.Meta.Index == snapshot && offset <= other.File.Length);
        long from = kept is null ? 0 : offset;
        kept ??= _kept.LastOrDefault();
        if (kept is null)
        {
            _client.SnapshotRead(tag, null, 0, default, true);
            return;
        }

        int length = (int)Math.Min(maxBytes, kept.File.Length - from);
        bool isDone = from + length == kept.File.Length;
        kept.IsBeingRead = !isDone;
        _client.SnapshotRead(tag, kept.Meta, from, kept.File.AsMemory((int)from, length), isDone);
    });

    public void Receive(InstallSnapshot piece) => _files.Receive(piece);

    public void TakeReceived(SnapshotMeta meta)
    {
        Invariant.Check(_received?.Meta.Index == meta.Index, "what is taken was received");
        Take(meta, _received.Value.State);
        _received = null;
    }

    public void Destroy() => _answers.Add(DestroyJob());

    public void Close()
    {
        _isClosed = true;
        _answers.Stop();
        _rows = new();
        _kept.Clear();
    }

    void ICheckpointsClient.CheckpointOpened(SnapshotMeta? meta, ReadOnlyMemory<byte> state)
    {
        if (!_isClosed && (meta is null || Take(meta, state)))
        {
            _client.StoreOpened(meta, Time);
        }
    }

    void ICheckpointsClient.CheckpointSaved(SnapshotMeta meta)
    {
        Invariant.Check(_saving?.Meta.Index == meta.Index, "what was saved was to be saved");
        Keep(meta, _saving.Value.State);
        _saving = null;
        if (!_isClosed)
        {
            _client.CheckpointSaved(meta);
        }
    }

    void ICheckpointsClient.CheckpointRead(
        ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        Invariant.Fail("snapshots are served from memory");

    void ICheckpointsClient.SnapshotReceived(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        if (!_isClosed)
        {
            Keep(meta, state);
            _received = (meta, state);
            _client.SnapshotReceived(meta);
        }
    }

    void ICheckpointsClient.SnapshotRefused(SnapshotMeta meta)
    {
        if (!_isClosed)
        {
            _client.SnapshotRefused(meta);
        }
    }

    void ICheckpointsClient.CheckpointsFailed(string sentence)
    {
        if (!_isClosed)
        {
            _client.StoreFailed(sentence);
        }
    }

    private void Apply(in RowChange change, RowVersion version)
    {
        switch (change.Type)
        {
            case RowType.Clear:
                _rows.RemoveUserRows();
                break;
            case RowType.Tombstone:
                _rows.Remove(change.RowKey);
                break;
            default:
                _rows.Put(new(change.RowKey.ToArray(), change.Type, version, change.Expiry, change.Value.ToArray()));
                break;
        }
    }

    private bool Take(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        MemoryRows? rows = state.Length < TimeBytes ? null : MemoryRows.TryDecode(state.Span[TimeBytes..]);
        if (rows is null)
        {
            Close();
            _client.StoreFailed(
                $"The checkpoint of index {meta.Index} under {_prefix} holds no rows that can be read. "
                + FolderAdvice.Sentence);
            return false;
        }

        _rows = rows;
        _applied = meta.Index;
        _bytesAtCheckpoint = _bytesApplied;
        Time = new(BinaryPrimitives.ReadUInt64LittleEndian(state.Span));
        Keep(meta, state);
        return true;
    }

    /// <summary>
    /// The newest checkpoint is there to be sent; older ones only while they are, and of those the newest ones.
    /// </summary>
    private void Keep(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        if (_kept.Count > 0 && _kept[^1].Meta.Index >= meta.Index)
        {
            return;
        }

        byte[] header = CheckpointFormat.EncodeHeader(meta, state.Length);
        byte[] trailer = CheckpointFormat.EncodeTrailer(Crc32C.Of(state.Span, Crc32C.Of(header)));
        _kept.RemoveAll(kept => !kept.IsBeingRead);
        _kept.RemoveRange(0, Math.Max(0, _kept.Count - _settings.SnapshotsKeptMax));
        _kept.Add(new(meta, [.. header, .. state.Span, .. trailer]));
    }

    /// <summary>Answers are given as inputs, never inside the call that asked.</summary>
    private void Answer(Action answer) => _answers.Add(AnswerJob(answer));

    private IEnumerable<DiskStep> AnswerJob(Action answer)
    {
        yield return new DiskOperation(0, DiskOperationKind.Read, _prefix + "nothing");

        answer();
    }

    private IEnumerable<DiskStep> DestroyJob()
    {
        yield return new DiskOperation(0, DiskOperationKind.List, "");

        if (!Succeeded("the data folder"))
        {
            yield break;
        }

        foreach (string name in _answers.Completion.Names ?? [])
        {
            if (name.StartsWith(_prefix, StringComparison.Ordinal))
            {
                yield return new DiskOperation(0, DiskOperationKind.Delete, name);

                if (!Succeeded(name))
                {
                    yield break;
                }
            }
        }

        yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");

        if (Succeeded("the data folder"))
        {
            _client.StoreDestroyed();
            Close();
        }
    }

    /// <summary>Looks at how an operation of a job ended; the owner is told when it did not end well.</summary>
    private bool Succeeded(string file)
    {
        if (_answers.Completion.Status == DiskStatus.Done)
        {
            return true;
        }

        _client.StoreFailed($"The disk failed on {file}. Check the disk, then start again.");
        Close();
        return false;
    }

    /// <summary>A checkpoint's file as it is sent.</summary>
    private sealed record KeptSnapshot(SnapshotMeta Meta, byte[] File)
    {
        public bool IsBeingRead { get; set; }
    }
}
