using System.Globalization;
using System.Text;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Describes a manifest for people, from its bytes alone; <see cref="SSTableInspector"/> does so for tables.
/// </summary>
public static class StoreInspector
{
    /// <summary>Lines of text, each ended by a newline.</summary>
    /// <param name="file">Its name, for sentences.</param>
    /// <param name="content">All of its bytes.</param>
    public static string Describe(string file, ReadOnlyMemory<byte> content)
    {
        var text = new StringBuilder();
        if (Manifest.TryDecode(content.Span) is not Manifest manifest)
        {
            Line(text, $"The manifest {file} is damaged: {content.Length} bytes that are no manifest.");
            return text.ToString();
        }

        Line(text, $"manifest {file}: {content.Length} bytes");
        Line(text, $"partition {manifest.Partition.Value}, slots {manifest.Slots}");
        Line(text, $"checkpoint: index {manifest.Meta.Index}, term {manifest.Meta.Term}");
        Line(text, $"membership of index {manifest.Meta.MembershipIndex}: {manifest.Meta.Membership}");
        foreach (var start in manifest.Meta.TermStarts)
        {
            Line(text, $"term {start.Term} from index {start.First}");
        }

        Line(text, $"logged time: {manifest.Time}");
        Line(text, $"users' rows count from version {manifest.ClearedAt}");
        Line(text, $"tables, newest first: {manifest.Tables.Length}, {manifest.TablesBytes} bytes");
        foreach (ManifestTable table in manifest.Tables)
        {
            string key = table.KeyId == 0 ? "not encrypted" : $"data key {table.KeyId}";
            Line(text, string.Create(
                CultureInfo.InvariantCulture,
                $"  {table.Number:D6}: {table.Bytes} bytes, {key}, written as {table.Identity.File} of partition ")
                + table.Identity.Partition.Value.ToString(CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>Whether a file is a manifest or a table of the store of this prefix.</summary>
    public static bool IsOfStore(string prefix, string file) =>
        StoreFileName.Among(prefix, [file]) is [{ Kind: not StoreFileKind.Leftover }];

    /// <summary>
    /// The files that the newest manifest names, itself first; none when there is no manifest that is whole. A bit that
    /// turns in one of them must be found.
    /// </summary>
    public static IReadOnlyList<string> FilesInUse(
        string prefix, IEnumerable<string> names, Func<string, ReadOnlyMemory<byte>?> read)
    {
        StoreFileName newest = NewestManifest(prefix, names);
        return newest.File is not null && Manifest.TryDecode((read(newest.File) ?? default).Span) is Manifest manifest
            ? [newest.File, .. manifest.Tables.Select(table => StoreFileName.OfTable(prefix, table.Number))]
            : [];
    }

    /// <summary>
    /// The tables that the newest manifest names and the data key of each, zero where it is not encrypted.
    /// </summary>
    public static IReadOnlyList<(string File, uint KeyId)> TablesInUse(
        string prefix, IEnumerable<string> names, Func<string, ReadOnlyMemory<byte>?> read)
    {
        StoreFileName newest = NewestManifest(prefix, names);
        return newest.File is not null && Manifest.TryDecode((read(newest.File) ?? default).Span) is Manifest manifest
            ? [.. manifest.Tables.Select(table => (StoreFileName.OfTable(prefix, table.Number), table.KeyId))]
            : [];
    }

    internal static StoreFileName NewestManifest(string prefix, IEnumerable<string> names) =>
        StoreFileName.Among(prefix, names)
            .Where(name => name.Kind == StoreFileKind.Manifest)
            .OrderBy(name => name.Number)
            .LastOrDefault();

    private static StringBuilder Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
