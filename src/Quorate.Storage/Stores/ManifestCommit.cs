using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Stores;

/// <summary>
/// Makes a set of tables the one that the next start opens: a new manifest under a new number, written under another
/// name, synced, named, and counted when its name is durable; only then the one before goes (pitfalls S1, R16). The
/// tables, and their names, are durable before.
/// </summary>
internal sealed class ManifestCommit(StoreContext context, TableSet set, bool isServed)
{
    /// <summary>What became of it; set when the steps have ended.</summary>
    public StepEnd End { get; private set; }

    /// <summary>No pause is among them, so no other job sees the store between two sets.</summary>
    public IEnumerable<StoreStep> Steps()
    {
        string prefix = context.Settings.Prefix;
        ulong number = context.NextNumber();
        string writing = StoreFileName.OfWriting(prefix, number);
        string former = StoreFileName.OfManifest(prefix, context.ManifestNumber);
        yield return new DiskOperation(0, DiskOperationKind.Write, writing, Data: set.Manifest.Encode());

        End = context.LastEnd(writing);
        if (End == StepEnd.Done && Guards.CheckpointSyncedBeforeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.Sync, writing);

            End = context.LastEnd(writing);
        }

        if (End != StepEnd.Done)
        {
            if (End == StepEnd.Full)
            {
                context.Delete(writing);
            }

            yield break;
        }

        if (!Guards.OldCheckpointOutlivesNew && context.ManifestNumber > 0)
        {
            yield return new DiskOperation(0, DiskOperationKind.Delete, former);
        }

        yield return new DiskOperation(
            0, DiskOperationKind.Rename, writing, NewName: StoreFileName.OfManifest(prefix, number));

        End = context.LastEnd(writing);
        if (End != StepEnd.Done)
        {
            yield break;
        }

        if (Guards.NewFilesAreMadeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");

            End = context.LastEnd(writing);
            if (End != StepEnd.Done)
            {
                yield break;
            }
        }

        bool isFirst = context.ManifestNumber == 0;
        context.SetDurable(set, number, isServed);
        context.NoteRoom();
        if (!isFirst)
        {
            context.Delete(former);
        }

        foreach (string table in context.UnnamedTables)
        {
            context.Delete(table);
        }

        context.UnnamedTables.Clear();
    }
}
