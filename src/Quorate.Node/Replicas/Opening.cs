using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Node.Replicas;

/// <summary>
/// Reads a replica's disk: the newest checkpoint, then the log; and does over what a crash left half done between
/// the two (pitfall R16).
/// </summary>
internal sealed class Opening(IReplicaStore store, IGroupLog log, Membership? bootstrap)
{
    private Stage _stage = Stage.Store;

    private enum Stage
    {
        Store,
        Log,
        ResettingLog,
        Done,
    }

    public bool IsDone => _stage == Stage.Done;

    /// <summary>The newest checkpoint, which the store holds; null when there is none.</summary>
    public SnapshotMeta? Checkpoint { get; private set; }

    /// <summary>What the group starts from, once this is done.</summary>
    public RecoveredState? Recovered { get; private set; }

    /// <summary>Writes that the log had before the group's first one: the reset of a half-installed snapshot.</summary>
    public ulong WritesBefore { get; private set; }

    public void Begin() => store.Open();

    public void StoreOpened(SnapshotMeta? checkpoint)
    {
        Invariant.Check(_stage == Stage.Store, "a store is opened once");
        Checkpoint = checkpoint;
        _stage = Stage.Log;
        log.Open();
    }

    /// <summary>The log is open. Why the replica can not start, or null.</summary>
    public string? LogOpened(RecoveredLog found)
    {
        Invariant.Check(_stage == Stage.Log, "a log is opened once");
        Recovery recovery = Recovery.From(Checkpoint, found, bootstrap, store.CheckpointFile);
        if (recovery.Problem is not null)
        {
            return recovery.Problem;
        }

        Recovered = recovery.State;
        if (recovery.Reset is null)
        {
            _stage = Stage.Done;
            return null;
        }

        _stage = Stage.ResettingLog;
        WritesBefore = recovery.Reset.Sequence;
        log.Write(recovery.Reset);
        return null;
    }

    /// <summary>The log's reset is durable.</summary>
    public void LogDurable()
    {
        Invariant.Check(_stage == Stage.ResettingLog, "only a reset is written before the replica has started");
        _stage = Stage.Done;
    }

    /// <summary>A group's write as the log counts it.</summary>
    public Persist Numbered(Persist persist) => WritesBefore == 0 ? persist : new()
    {
        Sequence = persist.Sequence + WritesBefore,
        ResetTo = persist.ResetTo,
        TruncateFrom = persist.TruncateFrom,
        Entries = persist.Entries,
        HardState = persist.HardState,
        ReleaseTo = persist.ReleaseTo,
        MustSync = persist.MustSync,
    };
}
