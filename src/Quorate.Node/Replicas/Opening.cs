using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Log;

namespace Quorate.Node.Replicas;

/// <summary>
/// Reads a replica's disk: the newest checkpoint, then the log; and does over what a crash left half done between
/// the two (pitfall R16).
/// </summary>
internal sealed class Opening(ICheckpoints checkpoints, IGroupLog log, Membership? bootstrap)
{
    private Stage _stage = Stage.Checkpoints;

    private enum Stage
    {
        Checkpoints,
        Log,
        ResettingLog,
        Done,
    }

    public bool IsDone => _stage == Stage.Done;

    /// <summary>The newest checkpoint and its state; nulls when there is none.</summary>
    public SnapshotMeta? Checkpoint { get; private set; }

    public ReadOnlyMemory<byte> State { get; private set; }

    /// <summary>What the group starts from, once this is done.</summary>
    public RecoveredState? Recovered { get; private set; }

    /// <summary>Writes that the log had before the group's first one: the reset of a half-installed snapshot.</summary>
    public ulong WritesBefore { get; private set; }

    public void Begin() => checkpoints.Open();

    public void CheckpointOpened(SnapshotMeta? meta, ReadOnlyMemory<byte> state)
    {
        Invariant.Check(_stage == Stage.Checkpoints, "checkpoints are opened once");
        (Checkpoint, State) = (meta, state);
        _stage = Stage.Log;
        log.Open();
    }

    /// <summary>The log is open. Why the replica can not start, or null.</summary>
    public string? LogOpened(RecoveredLog found)
    {
        Invariant.Check(_stage == Stage.Log, "a log is opened once");
        Recovery recovery = Recovery.From(Checkpoint, found, bootstrap);
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

    /// <summary>The state has been taken; it is kept no longer.</summary>
    public void Forget() => State = default;
}
