using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;
using Quorate.Storage.Stores;

namespace Quorate.Node.Partitions;

/// <summary>
/// A partition's rows as the store of its replica: opens entries, hands their changes to the rows, and takes note of
/// what expires when.
/// <para>Invariants: the time of applied entries rises; the rows follow from the entries alone.</para>
/// </summary>
internal sealed class PartitionMachine : IReplicaStore, IPartitionStoreClient
{
    private readonly IReplicaStoreClient _client;
    private readonly IEntrySeal _seal;
    private readonly Action<ulong> _fetched;
    private readonly Action<string> _snapshotRefused;
    private string? _said;
    private readonly Action<Entry>? _applies;

    public PartitionMachine(
        IReplicaStoreClient client,
        PartitionPlace place,
        int expiriesTrackedMax,
        Action<ulong> fetched,
        Action<string> snapshotRefused)
    {
        _client = client;
        _seal = place.Seal;
        _applies = place.Applies;
        _fetched = fetched;
        _snapshotRefused = snapshotRefused;
        Expiries = new(expiriesTrackedMax);
        Rows = place.Rows(this);
    }

    public IPartitionStore Rows { get; }

    public ExpirySchedule Expiries { get; }

    /// <summary>The disk was full when the rows were last to be made durable.</summary>
    public bool IsFull { get; private set; }

    /// <summary>To be called when all files are gone.</summary>
    public Action? Destroyed { get; set; }

    /// <summary>
    /// To be called when the rows fail after the replica has left: its node must end all the same, since its disk did
    /// not do what it was told.
    /// </summary>
    public Action<string>? Failed { get; set; }

    public bool MakesResults => false;

    public long DirtyBytes => Rows.DirtyBytes;

    public void Open() => Rows.Open();

    /// <summary>
    /// Whether these entries may come into the log. One whose data key is not here yet may not, since without it the
    /// replica could not apply it, neither now nor after a restart; its leader sends it again.
    /// </summary>
    public bool HoldsKeysOf(Entry[] entries)
    {
        foreach (Entry entry in entries)
        {
            if (entry.Kind == EntryKind.Data && !_seal.HoldsKeyOf(entry.Payload.Span)
                && Guards.EntriesAwaitTheirKey)
            {
                return false;
            }
        }

        return true;
    }

    public ReadOnlyMemory<byte> Apply(Entry entry, bool resultWanted)
    {
        _applies?.Invoke(entry);
        if (entry.Kind != EntryKind.Data)
        {
            Rows.Apply(entry.Index, Rows.Time, []);
            return default;
        }

        ReadOnlyMemory<byte>? opened = _seal.Open(
            new(entry.Term, entry.Index), entry.Payload, out string? problem);
        EntryBatch batch = default;
        if (opened is null || !EntryBatch.TryRead(opened.Value, out batch, out problem))
        {
            _client.StoreFailed($"Entry {entry.Index} of the log {problem}");
            return default;
        }

        Invariant.Check(
            batch.Time > Rows.Time, $"time rises along the log, {batch.Time} came after {Rows.Time} at {entry.Index}");
        Expiries.Note(batch.Changes.Span);
        Rows.Apply(entry.Index, batch.Time, batch.Changes.Span);
        Expiries.Passed(batch.Time);
        return default;
    }

    public string? CheckpointFile => Rows.CheckpointFile;

    public void Checkpoint(Func<SnapshotMeta> meta) => Rows.Checkpoint(meta);

    public void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes) =>
        Rows.ReadSnapshot(tag, snapshot, offset, maxBytes);

    public void Receive(InstallSnapshot piece) => Rows.Receive(piece);

    public void TakeReceived(SnapshotMeta meta) => Rows.TakeReceived(meta);

    void IPartitionStoreClient.StoreOpened(SnapshotMeta? checkpoint, HybridTime time) =>
        _client.StoreOpened(checkpoint);

    void IPartitionStoreClient.CheckpointSaved(SnapshotMeta meta)
    {
        IsFull = false;
        _client.CheckpointSaved(meta);
    }

    void IPartitionStoreClient.CheckpointGivenUp(SnapshotMeta meta) => _client.CheckpointGivenUp(meta);

    void IPartitionStoreClient.Fetched(ulong tag) => _fetched(tag);

    void IPartitionStoreClient.SnapshotRead(
        ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        _client.SnapshotRead(tag, meta, offset, chunk, done);

    void IPartitionStoreClient.SnapshotReceived(SnapshotMeta meta)
    {
        _said = null;
        _client.SnapshotReceived(meta);
    }

    void IPartitionStoreClient.SnapshotRefused(SnapshotMeta meta)
    {
        // It is sent again and again; the same words suffice once.
        if (Rows.SnapshotProblem is { } problem && !string.Equals(problem, _said, StringComparison.Ordinal))
        {
            _said = problem;
            _snapshotRefused(problem);
        }

        _client.SnapshotRefused(meta);
    }

    void IPartitionStoreClient.StoreFull(string sentence) => IsFull = true;

    void IPartitionStoreClient.StoreDestroyed() => Destroyed?.Invoke();

    void IPartitionStoreClient.StoreFailed(string sentence)
    {
        if (Failed is { } failed)
        {
            failed(sentence);
        }
        else
        {
            _client.StoreFailed(sentence);
        }
    }
}
