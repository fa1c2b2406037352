using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>The first <paramref name="Length"/> bytes of a file.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DurableRange(string File, long Length);

/// <summary>
/// Looks at the files of a <see cref="NodeLog"/> from outside. For people, who want to see what a segment says, and for
/// a simulator that flips bits: in the ranges that it names every flip must be found, for later batches say that they
/// were durable.
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
        LogWalk walk = LogWalk.Through(prefix, names, read);
        var ranges = new List<DurableRange>();
        foreach (LogWalkedSegment segment in walk.Problems.Count == 0 ? walk.Chain : [])
        {
            // The last batch of all is the named exception.
            LogBatch last = segment.Batches[^1];
            long length = segment == walk.Chain[^1] ? last.Offset : last.End;
            if (length > 0)
            {
                ranges.Add(new(segment.File, length));
            }
        }

        return ranges;
    }

    /// <summary>The name of the file by which the batches of a log's segments are known.</summary>
    public static string MarkOf(string prefix) => LogMark.FileName(prefix);

    /// <summary>The file of the newest segment that was begun, as the mark names it; null before the first.</summary>
    /// <param name="prefix">The log's.</param>
    /// <param name="read">Gives a file's bytes; null when there is no such file.</param>
    public static string? NewestSegment(string prefix, Func<string, ReadOnlyMemory<byte>?> read) =>
        LogMark.Read((read(LogMark.FileName(prefix)) ?? default).Span) is { Newest: > 0 } mark
            ? LogBatch.FileName(prefix, mark.Newest)
            : null;

    /// <summary>What a log's mark says, beside its secret.</summary>
    public static string DescribeMark(ReadOnlyMemory<byte> mark) => LogMark.Read(mark.Span) is { } read
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"mark of a log whose newest segment is {read.Newest}, made with {read.NewestBytes} bytes")
        : "mark of a log: the file is damaged, and no segment can be read without it";

    /// <summary>Whether a file is one of the log's segments, or ready to become one.</summary>
    public static bool IsSegment(string prefix, string file) => LogBatch.Sequences(prefix, [file]).Count == 1;

    /// <summary>
    /// What a segment's bytes say, a line for each batch and each record. The sequence is taken from the first batch,
    /// whatever the file is called; what follows the last batch is not shown.
    /// </summary>
    /// <param name="mark">The bytes of the log's mark, by which batches are known.</param>
    public static IEnumerable<string> Describe(ReadOnlyMemory<byte> segment, ReadOnlyMemory<byte> mark)
    {
        if (LogMark.Read(mark.Span) is not { } read)
        {
            yield return "the log's mark is not beside this segment or is damaged, and without it no batch is known";
            yield break;
        }

        ulong sequence = LogWalkedSegment.SequenceOf(segment.Span);
        LogWalkedSegment walked = LogWalkedSegment.Read("", sequence, segment, read.Secret);
        foreach (LogBatch batch in walked.Batches)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{batch.Offset} batch of segment {sequence}, {batch.BodyBytes} bytes of records, durable before "
                    + $"{batch.DurableBefore.Segment}:{batch.DurableBefore.Offset}, chain {batch.ChainBefore:x8} to "
                    + $"{batch.Chain:x8}");
            foreach (LogRecord record in walked.RecordsOf(batch))
            {
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {batch.Offset + LogBatch.HeaderBytes + record.Offset} {TextOf(record)}");
            }
        }
    }

    private static string TextOf(in LogRecord record) => record.Kind switch
    {
        LogRecordKind.Head => record.Head.Previous == 0
            ? "head, the first segment"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"head, follows segment {record.Head.Previous} at {record.Head.PreviousEnd} with chain "
                    + $"{record.Head.PreviousChain:x8}"),
        LogRecordKind.Stream => $"{record.Stream} stands at base {record.Standing.Base}@{record.Standing.BaseTerm} "
            + $"last {record.Standing.Last} {record.Standing.HardState}",
        LogRecordKind.Entry => $"{record.Stream} entry {record.Index}@{record.Term} "
            + $"{record.Length - LogRecord.EntryBytes} bytes{MembershipText(record.Membership)}",
        LogRecordKind.EntryAgain => $"{record.Stream} entry {record.Index}@{record.Term} again, "
            + $"{record.Length - LogRecord.EntryBytes} bytes{MembershipText(record.Membership)}",
        LogRecordKind.Truncate => $"{record.Stream} cut from {record.Index}",
        LogRecordKind.HardState => $"{record.Stream} {record.Standing.HardState}",
        LogRecordKind.Reset => $"{record.Stream} reset to {record.Index}@{record.Term}",
        LogRecordKind.Release => $"{record.Stream} released to {record.Index}@{record.Term}",
        _ => $"{record.Stream} dropped",
    };

    private static string MembershipText(Membership? membership) => membership is null ? "" : $" {membership}";
}
