using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Looks at the files of a <see cref="PartitionStore"/> from outside, all of them from end to end: the newest manifest,
/// every table that it names, and that no row is newer than the checkpoint. For a simulator's strict mode and for
/// tests.
/// </summary>
public static class StoreStrictCheck
{
    /// <summary>What is wrong, a sentence each; none when all is as it must be, or there is no store.</summary>
    /// <param name="settings">The store's.</param>
    /// <param name="names">The names of all files.</param>
    /// <param name="read">Gives a file's bytes, or null when there is no such file.</param>
    /// <param name="keys">The data keys at hand; null for none.</param>
    public static IReadOnlyList<string> Check(
        PartitionStoreSettings settings, IEnumerable<string> names, Func<string, ReadOnlyMemory<byte>?> read,
        KeyRing? keys = null)
    {
        StoreFileName newest = StoreInspector.NewestManifest(settings.Prefix, names);
        if (newest.File is null)
        {
            return [];
        }

        if (Manifest.TryDecode((read(newest.File) ?? default).Span) is not Manifest manifest
            || manifest.Partition != settings.Partition)
        {
            return [$"The manifest {newest.File} is damaged or of another partition."];
        }

        var problems = new List<string>();
        foreach (ManifestTable entry in manifest.Tables)
        {
            Check(settings, manifest, entry, read, keys, problems);
        }

        return problems;
    }

    private static void Check(
        PartitionStoreSettings settings, Manifest manifest, ManifestTable entry,
        Func<string, ReadOnlyMemory<byte>?> read, KeyRing? keys, List<string> problems)
    {
        string file = StoreFileName.OfTable(settings.Prefix, entry.Number);
        if (read(file) is not ReadOnlyMemory<byte> content || content.Length != entry.Bytes)
        {
            problems.Add($"The file {file} is missing or has another length than the manifest says.");
            return;
        }

        var opening = new SSTableOpening(file, entry.Bytes, entry.Identity, settings.Tables, keys);
        while (opening.Wanted is DiskOperation wanted)
        {
            opening.Take(Read(content, wanted));
        }

        if (opening.Reader is null)
        {
            problems.Add(opening.Failure!);
            return;
        }

        using SSTableReader reader = opening.Reader;
        var check = new SSTableStrictCheck(reader);
        while (check.Wanted is DiskOperation wanted)
        {
            check.Take(Read(content, wanted));
        }

        problems.AddRange(check.Problems);
        if (reader.Info.VersionMax.Index > manifest.Meta.Index)
        {
            problems.Add($"The file {file} holds a row of entry {reader.Info.VersionMax.Index}, and the checkpoint is "
                + $"of entry {manifest.Meta.Index}.");
        }

        if (!settings.Slots.Contains(RowKey.SlotOf(reader.Info.Smallest.Span))
            || !settings.Slots.Contains(RowKey.SlotOf(reader.Info.Largest.Span)))
        {
            problems.Add($"The file {file} holds rows of other slots than {settings.Slots}.");
        }
    }

    private static DiskCompletion Read(ReadOnlyMemory<byte> content, in DiskOperation operation)
    {
        int start = (int)Math.Min(operation.Offset, content.Length);
        return new(0, DiskStatus.Done, content.Slice(start, Math.Min(operation.Length, content.Length - start)));
    }
}
