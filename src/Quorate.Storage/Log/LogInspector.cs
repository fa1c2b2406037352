using System.Runtime.InteropServices;

namespace Quorate.Storage.Log;

/// <summary>The first <paramref name="Length"/> bytes of a file.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DurableRange(string File, long Length);

/// <summary>
/// Looks at the files of a <see cref="SimpleLog"/> from outside. For a simulator that flips bits: in the ranges
/// that it names every flip must be found, for later batches say that they were durable.
/// </summary>
public static class LogInspector
{
    /// <summary>
    /// The ranges known to be durable by later evidence, in the order of the segments; empty when the log is
    /// damaged already. Give it what a power loss would leave for certain, not the page cache: evidence that can
    /// still be lost proves nothing.
    /// </summary>
    /// <param name="prefix">The log's.</param>
    /// <param name="names">The names of all files.</param>
    /// <param name="read">Gives a file's bytes.</param>
    public static IReadOnlyList<DurableRange> KnownDurable(
        string prefix, IEnumerable<string> names, Func<string, ReadOnlyMemory<byte>> read)
    {
        var recovery = new LogRecovery(prefix, names);
        while (recovery.Wanted is ulong sequence)
        {
            recovery.Offer(read(LogBatch.FileName(prefix, sequence)));
        }

        return recovery.Failure is null ? [.. recovery.KnownDurable().Where(range => range.Length > 0)] : [];
    }

    /// <summary>Whether a file is one of the log's segments.</summary>
    public static bool IsSegment(string prefix, string file) => LogBatch.Sequences(prefix, [file]).Count == 1;
}
