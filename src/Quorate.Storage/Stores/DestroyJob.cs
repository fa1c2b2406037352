using Quorate.Storage.Disk;

namespace Quorate.Storage.Stores;

/// <summary>
/// Deletes all files of a store: the manifests first, and for good, since one without its tables could not be opened
/// after a crash.
/// </summary>
internal sealed class DestroyJob(StoreContext context)
{
    /// <summary>Nothing is left.</summary>
    public bool IsDone { get; private set; }

    public IEnumerable<StoreStep> Steps()
    {
        yield return new DiskOperation(0, DiskOperationKind.List, "");

        if (context.LastEnd("the data folder") != StepEnd.Done)
        {
            yield break;
        }

        List<StoreFileName> names = StoreFileName.Among(
            context.Settings.Prefix, context.Jobs.Completion.Names ?? []);
        foreach (bool manifests in new[] { true, false })
        {
            foreach (StoreFileName name in names.Where(each => (each.Kind == StoreFileKind.Manifest) == manifests))
            {
                yield return new DiskOperation(0, DiskOperationKind.Delete, name.File);

                if (context.LastEnd(name.File) != StepEnd.Done)
                {
                    yield break;
                }
            }

            yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");

            if (context.LastEnd("the data folder") != StepEnd.Done)
            {
                yield break;
            }
        }

        IsDone = true;
    }
}
