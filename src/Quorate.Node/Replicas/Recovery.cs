using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage;
using Quorate.Storage.Log;

namespace Quorate.Node.Replicas;

/// <summary>
/// Joins what the checkpoint and the log say after a restart into one state, or says why they can not be joined.
/// <para>A snapshot is installed in two durable steps: first the checkpoint, then the log that begins after it. A
/// crash in between leaves a checkpoint that the log does not reach, or disagrees with; the second step is then
/// done over (pitfall R16).</para>
/// </summary>
internal sealed class Recovery
{
    private Recovery()
    {
    }

    /// <summary>The state to start the group from, once <see cref="Reset"/>, if any, is durable.</summary>
    public RecoveredState? State { get; private init; }

    /// <summary>The write that makes the log begin after the checkpoint; null when the log can stay.</summary>
    public Persist? Reset { get; private init; }

    /// <summary>Why the replica can not start; null when it can.</summary>
    public string? Problem { get; private init; }

    /// <param name="checkpoint">The newest that there is; null when there is none.</param>
    /// <param name="log">The log as it was found.</param>
    /// <param name="bootstrap">The first membership of a group that this replica founds.</param>
    /// <param name="file">What the file is called that a checkpoint cannot do without; null when that is not
    /// known.</param>
    public static Recovery From(
        SnapshotMeta? checkpoint, RecoveredLog log, Membership? bootstrap, string? file = null)
    {
        string missing = file is null ? "." : $": a file {file} is missing.";
        if (checkpoint is null)
        {
            return log.Base == LogIndex.Zero
                ? Kept(null, log, bootstrap)
                : new Recovery
                {
                    Problem = $"The log begins after entry {log.Base}, and no checkpoint holds what came before"
                        + $"{missing} {FolderAdvice.Sentence}",
                };
        }

        if (checkpoint.Index < log.Base)
        {
            return new Recovery
            {
                Problem = $"The log begins after entry {log.Base}, and the newest checkpoint ends at "
                    + $"{checkpoint.Index}{missing} {FolderAdvice.Sentence}",
            };
        }

        return TermAt(log, checkpoint.Index) == checkpoint.Term
            ? Kept(checkpoint, log, bootstrap)
            : Restarted(checkpoint, log);
    }

    private static Recovery Kept(SnapshotMeta? checkpoint, RecoveredLog log, Membership? bootstrap) => new()
    {
        State = new RecoveredState
        {
            HardState = log.HardState,
            Checkpoint = checkpoint,
            LogBase = log.Base,
            LogBaseTerm = log.BaseTerm,
            LastIndex = log.Last,
            TermStarts = log.TermStarts,
            Memberships = log.Memberships,
            Bootstrap = bootstrap,
        },
    };

    private static Recovery Restarted(SnapshotMeta checkpoint, RecoveredLog log)
    {
        // The leader that sent the snapshot may be of a term that this log never heard of.
        HardState hardState = log.HardState;
        if (hardState.Term < checkpoint.Term)
        {
            hardState = new HardState(checkpoint.Term, ReplicaId.None, checkpoint.Index);
        }

        hardState = hardState with { Commit = checkpoint.Index };
        return new Recovery
        {
            Reset = new Persist { Sequence = 1, ResetTo = checkpoint, HardState = hardState, MustSync = true },
            State = new RecoveredState
            {
                HardState = hardState,
                Checkpoint = checkpoint,
                LogBase = checkpoint.Index,
                LogBaseTerm = checkpoint.Term,
                LastIndex = checkpoint.Index,
            },
        };
    }

    /// <summary>The term of the log's entry at an index; null when the log does not reach it.</summary>
    private static Term? TermAt(RecoveredLog log, LogIndex index)
    {
        if (index < log.Base || index > log.Last)
        {
            return null;
        }

        // A term that goes on from before the base has no beginning behind it.
        Term term = log.BaseTerm;
        foreach (TermStart start in log.TermStarts)
        {
            if (start.First <= index)
            {
                term = start.Term;
            }
        }

        return term;
    }
}
