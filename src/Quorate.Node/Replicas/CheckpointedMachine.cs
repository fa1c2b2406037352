using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;

namespace Quorate.Node.Replicas;

/// <summary>
/// A state machine whose whole state fits into bytes, and the checkpoints that hold those bytes, as one store.
/// </summary>
public sealed class CheckpointedMachine : IReplicaStore, ICheckpointsClient
{
    private readonly IStateMachine _machine;
    private readonly ICheckpoints _checkpoints;
    private readonly IReplicaStoreClient _client;
    private ReadOnlyMemory<byte> _received;

    public CheckpointedMachine(
        IStateMachine machine, Func<ICheckpointsClient, ICheckpoints> checkpoints, IReplicaStoreClient client)
    {
        _machine = machine;
        _client = client;
        _checkpoints = checkpoints(this);
    }

    public bool MakesResults => true;

    public long DirtyBytes => 0;

    public void Open() => _checkpoints.Open();

    public ReadOnlyMemory<byte> Apply(Entry entry, bool resultWanted)
    {
        ReadOnlyMemory<byte> result = _machine.Apply(entry, resultWanted);
        Judge();
        return result;
    }

    public void Checkpoint(Func<SnapshotMeta> meta) => _checkpoints.Save(meta(), _machine.Snapshot());

    public void ReadSnapshot(ulong tag, LogIndex snapshot, long offset, int maxBytes) =>
        _checkpoints.Read(tag, snapshot, offset, maxBytes);

    public void Receive(InstallSnapshot piece) => _checkpoints.Receive(piece);

    public void TakeReceived(SnapshotMeta meta)
    {
        _machine.Load(_received);
        Judge();
    }

    void ICheckpointsClient.CheckpointOpened(SnapshotMeta? meta, ReadOnlyMemory<byte> state)
    {
        if (meta is not null)
        {
            _machine.Load(state);
        }

        if (!Judge())
        {
            _client.StoreOpened(meta);
        }
    }

    void ICheckpointsClient.CheckpointSaved(SnapshotMeta meta) => _client.CheckpointSaved(meta);

    void ICheckpointsClient.CheckpointRead(
        ulong tag, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        _client.SnapshotRead(tag, meta, offset, chunk, done);

    void ICheckpointsClient.SnapshotReceived(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        // The group takes it within this call or not at all.
        _received = state;
        _client.SnapshotReceived(meta);
        _received = default;
    }

    void ICheckpointsClient.SnapshotRefused(SnapshotMeta meta) => _client.SnapshotRefused(meta);

    void ICheckpointsClient.CheckpointsFailed(string sentence) => _client.StoreFailed(sentence);

    /// <summary>True when the machine can not go on; the owner has been told.</summary>
    private bool Judge()
    {
        if (_machine.Problem is not { } problem)
        {
            return false;
        }

        _client.StoreFailed(problem);
        return true;
    }
}
