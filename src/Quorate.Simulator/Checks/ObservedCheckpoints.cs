using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Stands between a replica and its checkpoints and shows the checks what each checkpoint says of itself, when it
/// is saved, found and taken from a leader.
/// </summary>
internal sealed class ObservedCheckpoints : ICheckpoints, ICheckpointsClient
{
    private readonly ReplicaId _replica;
    private readonly GroupChecks _checks;
    private readonly ICheckpointsClient _client;
    private readonly ICheckpoints _checkpoints;

    public ObservedCheckpoints(
        ReplicaId replica,
    GroupChecks checks,
    ICheckpointsClient client,
    Func<ICheckpointsClient, ICheckpoints> checkpoints)
    {
        _replica = replica;
        _checks = checks;
        _client = client;
        _checkpoints = checkpoints(this);
    }

    public void Open() => _checkpoints.Open();

    public void Save(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        _checks.CheckCheckpoint(_replica, meta);
        _checkpoints.Save(meta, state);
    }

    public void Read(ulong tag, LogIndex snapshot, long offset, int maxBytes) =>
        _checkpoints.Read(tag, snapshot, offset, maxBytes);

    public void Receive(InstallSnapshot piece) => _checkpoints.Receive(piece);

    public void CheckpointOpened(SnapshotMeta? meta, ReadOnlyMemory<byte> state)
    {
        if (meta is not null)
        {
            _checks.CheckCheckpoint(_replica, meta);
        }

        _client.CheckpointOpened(meta, state);
    }

    public void CheckpointSaved(SnapshotMeta meta) => _client.CheckpointSaved(meta);

    public void CheckpointRead(ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        _client.CheckpointRead(tag, meta, offset, chunk, done);

    public void SnapshotReceived(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        _checks.CheckCheckpoint(_replica, meta);
        _client.SnapshotReceived(meta, state);
    }

    public void SnapshotRefused(SnapshotMeta meta) => _client.SnapshotRefused(meta);

    public void CheckpointsFailed(string sentence) => _client.CheckpointsFailed(sentence);
}
