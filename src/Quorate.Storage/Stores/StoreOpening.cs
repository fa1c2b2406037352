using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Stores;

/// <summary>
/// Opens what the newest manifest names and deletes what it does not. A manifest has its name only when all its bytes
/// are durable, so one that is damaged was damaged later, and may have been acknowledged: nothing older takes its place
/// (pitfall S8).
/// </summary>
internal sealed class StoreOpening(StoreContext context)
{
    /// <summary>What was opened; null for an empty store, or when the steps ended with a failure.</summary>
    public TableSet? Set { get; private set; }

    public IEnumerable<StoreStep> Steps()
    {
        yield return new DiskOperation(0, DiskOperationKind.List, "");

        if (context.LastEnd("the data folder") != StepEnd.Done)
        {
            yield break;
        }

        IReadOnlyList<string> all = context.Jobs.Completion.Names ?? [];
        List<StoreFileName> names = StoreFileName.Among(context.Settings.Prefix, all);
        foreach (StoreFileName name in names)
        {
            context.SkipNumbers(name.Number);
        }

        StoreFileName newest = StoreInspector.NewestManifest(context.Settings.Prefix, all);
        if (newest.File is not null)
        {
            yield return StoreStep.All(OpenSteps(newest));

            if (context.IsDead)
            {
                yield break;
            }
        }

        HashSet<string> used = [newest.File ?? "", .. Set?.Tables.Select(table => table.File) ?? []];
        foreach (StoreFileName name in names.Where(name => !used.Contains(name.File)))
        {
            if (newest.File is null && name.Kind == StoreFileKind.Table)
            {
                // Left by a first checkpoint that a crash ended, or all that is left of a store whose manifest somebody
                // lost: the log tells, and may refuse to start. They go when there is a manifest again.
                context.UnnamedTables.Add(name.File);
            }
            else
            {
                context.Delete(name.File);
            }
        }
    }

    private IEnumerable<StoreStep> OpenSteps(StoreFileName name)
    {
        var reader = new DiskFileReader(name.File, context.Settings.ManifestBytesMax);
        bool isWhole;
        do
        {
            yield return reader.Next();

            if (context.LastEnd(name.File) != StepEnd.Done)
            {
                yield break;
            }

            isWhole = reader.Take(context.Jobs.Completion.Data);
        }
        while (!isWhole);

        Manifest? manifest = Manifest.TryDecode(reader.Content.Span);
        if (manifest is null || manifest.Partition != context.Settings.Partition)
        {
            context.Fail(manifest is null
                ? $"The manifest {name.File} is damaged, and the log before it may be gone. {FolderAdvice.Sentence}"
                : $"The manifest {name.File} is of partition {manifest.Partition}, and that of partition "
                    + $"{context.Settings.Partition} should stand there. Put each partition's files back in their "
                    + "place.");
            yield break;
        }

        if (manifest.Slots != context.Settings.Slots)
        {
            context.Fail($"The manifest {name.File} is of slots {manifest.Slots}, and partition "
                + $"{context.Settings.Partition} has slots {context.Settings.Slots}. {FolderAdvice.Sentence}");
            yield break;
        }

        var tables = new List<StoreTable>();
        foreach (ManifestTable entry in manifest.Tables)
        {
            var opening = new TableOpening(
                context, entry, StoreFileName.OfTable(context.Settings.Prefix, entry.Number));
            yield return StoreStep.All(opening.Steps());

            if (opening.Table is null)
            {
                yield break;
            }

            tables.Add(opening.Table);
        }

        if (Guards.NewFilesAreMadeNamed)
        {
            // The former process may have died between the rename and the sync of the folder.
            yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");

            if (context.LastEnd(name.File) != StepEnd.Done)
            {
                yield break;
            }
        }

        Set = new(manifest, [.. tables]);
        context.SetDurable(Set, name.Number, isServed: true);
    }
}
