using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Node.Replicas;

/// <summary>
/// What a group asked to have read from its log and its store, by the tag under which it is read.
/// </summary>
internal sealed class PendingFetches(IGroupLog log, IReplicaStore store)
{
    private readonly Dictionary<ulong, EntriesFetch> _entries = [];
    private readonly Dictionary<ulong, SnapshotFetch> _snapshots = [];
    private ulong _lastTag;

    public void Begin(RaftOutput output)
    {
        foreach (EntriesFetch fetch in output.EntriesFetches)
        {
            _entries.Add(++_lastTag, fetch);
            log.Read(_lastTag, fetch.First, fetch.Last, fetch.MaxBytes);
        }

        foreach (SnapshotFetch fetch in output.SnapshotFetches)
        {
            _snapshots.Add(++_lastTag, fetch);
            store.ReadSnapshot(_lastTag, fetch.Snapshot, fetch.Offset, fetch.MaxBytes);
        }
    }

    public bool TakeEntries(ulong tag, out EntriesFetch fetch) => _entries.Remove(tag, out fetch);

    public bool TakeSnapshot(ulong tag, out SnapshotFetch fetch) => _snapshots.Remove(tag, out fetch);
}
