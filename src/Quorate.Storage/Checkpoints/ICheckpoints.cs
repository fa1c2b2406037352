using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Checkpoints;

/// <summary>
/// The owner of a group's checkpoints. Its members are called as inputs, never inside a call to them.
/// </summary>
public interface ICheckpointsClient
{
    /// <summary>The newest whole checkpoint, or nulls when there is none.</summary>
    void CheckpointOpened(SnapshotMeta? meta, ReadOnlyMemory<byte> state);

    /// <summary>A checkpoint of this replica's own is durable.</summary>
    void CheckpointSaved(SnapshotMeta meta);

    /// <summary>A piece that was asked for; a null <paramref name="meta"/> says that there is none to send.</summary>
    void CheckpointRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done);

    /// <summary>A received snapshot is whole, verified and durable, and now the newest checkpoint.</summary>
    void SnapshotReceived(SnapshotMeta meta, ReadOnlyMemory<byte> state);

    /// <summary>A received snapshot is damaged or did not fit.</summary>
    void SnapshotRefused(SnapshotMeta meta);

    /// <summary>
    /// The checkpoints can not go on or can not prove what they hold: the process must end with this sentence.
    /// </summary>
    void CheckpointsFailed(string sentence);
}

/// <summary>
/// A group's checkpoints on disk: a file each, complete or not there. The bytes that are sent to a peer are the
/// file's own, so what arrives is verified by the same checksum.
/// </summary>
public interface ICheckpoints
{
    /// <summary>Find the newest whole checkpoint and clear away what is unfinished.</summary>
    void Open();

    void Save(SnapshotMeta meta, ReadOnlyMemory<byte> state);

    /// <summary>
    /// A piece of the checkpoint at <paramref name="snapshot"/>, or of the newest one when that is zero or gone
    /// (then from its beginning, whatever the offset).
    /// </summary>
    void Read(ulong tag, LogIndex snapshot, long offset, int maxBytes);

    /// <summary>A piece of a snapshot from the leader; offset zero begins a new one.</summary>
    void Receive(InstallSnapshot piece);
}
