using System.Text;
using Quorate.Core.Raft;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Encryption;
using Quorate.Storage.Log;
using Quorate.Storage.SSTable;
using Quorate.Storage.Stores;

namespace Quorate.Storage.Inspection;

/// <summary>
/// Says what any file holds that this project writes, from its name and its bytes alone. It never changes one, and what
/// is damaged is said to be, beside what can still be read.
/// </summary>
public static class FileInspector
{
    /// <summary>Lines of text; null for a file of a kind that is not of the log or the stores.</summary>
    /// <param name="file">Its name within the data folder.</param>
    /// <param name="content">All of its bytes.</param>
    /// <param name="keys">The data keys at hand; null for none.</param>
    /// <param name="beside">
    /// The bytes of another file of the folder, by its name, where one is needed; empty when there is none.
    /// </param>
    public static string? Describe(
        string file,
        ReadOnlyMemory<byte> content,
        KeyRing? keys = null,
        Func<string, ReadOnlyMemory<byte>>? beside = null)
    {
        if (file.Contains(".sst", StringComparison.Ordinal))
        {
            return SSTableInspector.Describe(file, content, keys);
        }

        if (file.Contains("manifest-", StringComparison.Ordinal))
        {
            return StoreInspector.Describe(file, content);
        }

        int log = file.IndexOf("log-", StringComparison.Ordinal);
        if (log >= 0 && LogInspector.IsSegment(file[..log], file))
        {
            return DescribeSegment(content, beside?.Invoke(LogInspector.MarkOf(file[..log])) ?? default);
        }

        if (file.EndsWith(LogInspector.MarkOf(""), StringComparison.Ordinal))
        {
            return LogInspector.DescribeMark(content) + "\n";
        }

        return CheckpointFormat.TryDecode(content, out SnapshotMeta? meta, out ReadOnlyMemory<byte> state)
            ? $"checkpoint: {meta}, {state.Length} bytes of state\n"
            : null;
    }

    private static string DescribeSegment(ReadOnlyMemory<byte> content, ReadOnlyMemory<byte> mark)
    {
        var text = new StringBuilder();
        int lines = 0;
        foreach (string line in LogInspector.Describe(content, mark))
        {
            text.Append(line).Append('\n');
            lines++;
        }

        return lines == 0 ? "log segment: nothing is written to it yet\n" : text.ToString();
    }
}
