using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// The owner of a replica's store. Its members are called as inputs, never inside a call to the store;
/// <see cref="StoreFailed"/> alone may come from inside <see cref="IReplicaStore.Apply"/>.
/// </summary>
public interface IReplicaStoreClient
{
    /// <summary>The store holds its last durable checkpoint; null when there is none and it is empty.</summary>
    void StoreOpened(SnapshotMeta? checkpoint);

    /// <summary>A checkpoint of this replica's own is durable.</summary>
    void CheckpointSaved(SnapshotMeta meta);

    /// <summary>The disk was full: the checkpoint under way has come to nothing, and another one is needed.</summary>
    void CheckpointGivenUp(SnapshotMeta meta);

    /// <summary>A piece that was asked for; a null <paramref name="meta"/> says that there is none to send.</summary>
    void SnapshotRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done);

    /// <summary>A received snapshot is whole, verified and durable, and what the next start opens.</summary>
    void SnapshotReceived(SnapshotMeta meta);

    /// <summary>A received snapshot is damaged or did not fit.</summary>
    void SnapshotRefused(SnapshotMeta meta);

    /// <summary>
    /// The store can not go on or can not prove what it holds: the process must end with this sentence.
    /// </summary>
    void StoreFailed(string sentence);
}

/// <summary>
/// What a replica's committed entries act on, and how that survives a restart and reaches other replicas.
/// <para>Invariants: the state depends on the entries applied so far and on nothing else, so that replicas which
/// applied the same prefix hold the same state; entries come in order, each once; a checkpoint is the state as it was
/// when what is asked by <see cref="Checkpoint"/> began.</para>
/// </summary>
public interface IReplicaStore
{
    /// <summary>
    /// Apply makes results, for which the acknowledgement of a write has to wait. False when whoever proposed the write
    /// knows what to answer.
    /// </summary>
    bool MakesResults { get; }

    /// <summary>Bytes that a checkpoint would write; zero when that is not known.</summary>
    long DirtyBytes { get; }

    /// <summary>
    /// What the file is called that a checkpoint cannot do without, for people; null when it has no such name.
    /// </summary>
    string? CheckpointFile => null;

    /// <summary>Reads the disk; then <see cref="IReplicaStoreClient.StoreOpened"/>.</summary>
    void Open();

    /// <summary>
    /// Applies one committed entry; those that are not Data change no state. The result is made only when
    /// <paramref name="resultWanted"/>: a client of this replica waits for it.
    /// </summary>
    ReadOnlyMemory<byte> Apply(Entry entry, bool resultWanted);

    /// <summary>
    /// Makes the state durable as it is when that begins, now or later; then CheckpointSaved. One at a time.
    /// </summary>
    /// <param name="meta">Says, when it begins, what holds of the state as applied by then.</param>
    void Checkpoint(Func<SnapshotMeta> meta);

    /// <summary>
    /// A piece of the snapshot at <paramref name="snapshot"/>, or of the newest checkpoint when that is zero or gone
    /// (then from its beginning, whatever the offset).
    /// </summary>
    void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes);

    /// <summary>A piece of a snapshot from the leader; offset zero begins a new one.</summary>
    void Receive(InstallSnapshot piece);

    /// <summary>The snapshot that was last received takes the place of the state, at once.</summary>
    void TakeReceived(SnapshotMeta meta);
}
