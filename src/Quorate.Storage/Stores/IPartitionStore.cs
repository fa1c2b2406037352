using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// The owner of a partition store. Its members are called as inputs, never inside a call to the store.
/// </summary>
public interface IPartitionStoreClient
{
    /// <summary>
    /// The store is open at its last durable checkpoint (null when there is none: it is empty), with the logged time
    /// of that moment.
    /// </summary>
    void StoreOpened(SnapshotMeta? checkpoint, HybridTime time);

    /// <summary>Rows and applied index of a checkpoint are durable together; the log before it may go.</summary>
    void CheckpointSaved(SnapshotMeta meta);

    /// <summary>
    /// What was cold when <see cref="IPartitionStore.Fetch"/> was called is in memory, held for the tag.
    /// </summary>
    void Fetched(ulong tag);

    /// <summary>A piece of a snapshot that was asked for; a null meta says that there is none to send.</summary>
    void SnapshotRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done);

    /// <summary>
    /// A received snapshot is whole, verified and durable, and is what the next start opens. The rows stay those of
    /// before until <see cref="IPartitionStore.TakeReceived"/>.
    /// </summary>
    void SnapshotReceived(SnapshotMeta meta);

    /// <summary>A received snapshot is damaged or did not fit.</summary>
    void SnapshotRefused(SnapshotMeta meta);

    /// <summary>
    /// The disk was full, so the checkpoint under way has come to nothing; its rows stay in memory. The owner asks for
    /// another one later, of the rows as they are then.
    /// </summary>
    void CheckpointGivenUp(SnapshotMeta meta);

    /// <summary>
    /// The disk is full, so a checkpoint, a compaction or a snapshot under way was given up; what it had written is
    /// removed. Said once, until one succeeds again. The store goes on; the owner takes no more writes than the log and
    /// the memory bear. Compactions are tried again by themselves.
    /// </summary>
    void StoreFull(string sentence);

    /// <summary>All files of the store are gone, as <see cref="IPartitionStore.Destroy"/> asked.</summary>
    void StoreDestroyed();

    /// <summary>
    /// The store can not go on or can not prove what it holds: the process must end with this sentence.
    /// </summary>
    void StoreFailed(string sentence);
}

/// <summary>
/// The rows of one partition, on disk and in memory, with one writer.
/// <para>Invariants: the rows depend on the changes applied so far and on nothing else; rows, applied index and logged
/// time become durable together, as a checkpoint; the changes of one Apply are seen by concurrent readers of a slot all
/// or none; nothing is read from disk that is not verified.</para>
/// </summary>
public interface IPartitionStore : IRowSource
{
    /// <summary>The logged time as of the last change applied.</summary>
    HybridTime Time { get; }

    /// <summary>
    /// The rows in memory as readers on other threads may look at them, each by a
    /// <see cref="ConcurrentReader"/> of its own; all else is called by one thread at a time. A store that has none to
    /// show lets no reader begin.
    /// </summary>
    ConcurrentRows Concurrent { get; }

    /// <summary>
    /// A hash over all rows that count (see <see cref="LiveRows"/>): equal for replicas that have applied the same
    /// prefix, whatever is in memory or on disk. It reads everything: for checks. Null when something is cold (see
    /// <see cref="IPartitionStore.Fetch"/>).
    /// </summary>
    ulong? StateHash();

    /// <summary>
    /// What the file is called that a checkpoint cannot do without, for people; null when it has no such name.
    /// </summary>
    string? CheckpointFile => null;

    /// <summary>Reads the disk; then <see cref="IPartitionStoreClient.StoreOpened"/>.</summary>
    void Open();

    /// <summary>
    /// Takes an entry's changes (see <see cref="RowChanges"/>), whole. Never needs the disk. An entry without changes
    /// is told too, so that time and index go on.
    /// </summary>
    void Apply(LogIndex index, HybridTime time, ReadOnlySpan<byte> changes);

    /// <summary>Bytes of rows that are in memory only: what a checkpoint would write.</summary>
    long DirtyBytes { get; }

    /// <summary>
    /// Bytes of users' rows that are in memory, tombstones left out; what is on disk alone is not counted. An expired
    /// row and the elements of a collection that is gone count until they are dropped. It depends on what is in
    /// memory, so replicas differ.
    /// </summary>
    long LiveBytes { get; }

    /// <summary>
    /// One of the rows that <see cref="LiveBytes"/> counts, drawn by this number; false when there is none. Row and key
    /// hold until the next change. It may be one that nobody can see any more, and does not count as read.
    /// </summary>
    bool TrySample(ulong draw, out ReadOnlySpan<byte> rowKey, out Row row);

    /// <summary>
    /// A checkpoint that was asked for waits until tables are merged: more is written than the store can put in order,
    /// so its owner had better take less.
    /// </summary>
    bool IsBehind { get; }

    /// <summary>
    /// Why the last snapshot that another replica has sent was refused; null when it was not, when the next one has
    /// begun, or when nothing was wrong with its tables.
    /// </summary>
    string? SnapshotProblem => null;

    /// <summary>
    /// Makes the rows durable as they are when it begins, which may be later, when merges or memory let it; then
    /// <see cref="IPartitionStoreClient.CheckpointSaved"/> or <see cref="IPartitionStoreClient.CheckpointGivenUp"/>. So
    /// what is asked for and waits holds no memory. One at a time.
    /// </summary>
    /// <param name="meta">Says, when it begins, what holds of the rows as applied by then.</param>
    void Checkpoint(Func<SnapshotMeta> meta);

    /// <summary>
    /// Does background work (checkpoint, compaction, eviction of clean rows), about as much as the budget says, in
    /// bytes. True when there is more to do right now; work that waits for the disk goes on by itself.
    /// </summary>
    bool Work(int budgetBytes);

    /// <summary>
    /// Reads what Get and Scan have found cold since the last <see cref="Fetch"/>; then
    /// <see cref="IPartitionStoreClient.Fetched"/>. It stays in memory until <see cref="Release"/>.
    /// </summary>
    void Fetch(ulong tag);

    /// <summary>
    /// What Get and Scan have found cold since the last <see cref="Fetch"/> is not wanted after all: whoever looked for
    /// it gave up, and the next fetch is not to read it.
    /// </summary>
    void Forget();

    void Release(ulong tag);

    /// <summary>
    /// A piece of the snapshot at <paramref name="snapshot"/>, or of the newest checkpoint when that is zero or gone
    /// (then from its beginning, whatever the offset). A transfer under way keeps its files.
    /// </summary>
    void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes);

    /// <summary>A piece of a snapshot from the leader; offset zero begins a new one.</summary>
    void Receive(InstallSnapshot piece);

    /// <summary>The snapshot that was last received takes the place of the rows, at once.</summary>
    void TakeReceived(SnapshotMeta meta);

    /// <summary>
    /// The partition is dropped: deletes all files, then <see cref="IPartitionStoreClient.StoreDestroyed"/>. Nothing
    /// else may be asked of the store from then on.
    /// </summary>
    void Destroy();

    /// <summary>Gives all memory back. Nothing is written and nobody is told anything more.</summary>
    void Close();
}
