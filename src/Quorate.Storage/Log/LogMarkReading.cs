using System.Buffers.Binary;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Log;

/// <summary>
/// Reads a log's mark, or draws a new one where there is no log: the file is durable before the first segment is made,
/// so without a segment nothing was ever acknowledged.
/// </summary>
internal sealed class LogMarkReading(string prefix, DiskJobs jobs, IEntropy entropy)
{
    /// <summary>Null when there are segments and no mark that can be read.</summary>
    public LogMark? Mark { get; private set; }

    /// <summary>Why the log can not be opened, for people; or null.</summary>
    public string? Failure { get; private set; }

    /// <param name="names">Of all files.</param>
    /// <param name="sequences">Of the log's segments.</param>
    public IEnumerable<DiskStep> Run(IReadOnlyList<string> names, List<ulong> sequences)
    {
        string file = LogMark.FileName(prefix);
        bool isThere = names.Contains(file, StringComparer.Ordinal);
        ReadOnlyMemory<byte> bytes = default;
        if (isThere)
        {
            yield return new DiskOperation(0, DiskOperationKind.Read, file, Length: LogMark.FileBytes);
            Failure = jobs.Completion.Status == DiskStatus.Done ? null : LogSentences.Unreadable(file);
            bytes = jobs.Completion.Data;
        }

        Mark = LogMark.Read(bytes.Span);
        if (Mark is null && LogMark.IsForeign(bytes.Span))
        {
            Failure ??= LogSentences.Foreign(file, 0);
        }
        else if (Mark is null && sequences.Count == 0)
        {
            byte[] secret = new byte[LogSecret.Bytes];
            entropy.Fill(secret);
            Mark = LogMark.New(new(BinaryPrimitives.ReadUInt64LittleEndian(secret)));
        }
        else if (Mark is null)
        {
            Failure ??= isThere ? LogSentences.MarkDamaged(file) : LogSentences.MarkGone(file);
        }
        else if (Mark.Newest > 0 && !sequences.Contains(Mark.Newest) && Core.Guards.NewestSegmentIsWitnessed)
        {
            Failure ??= LogSentences.NewestGone(LogBatch.FileName(prefix, Mark.Newest), file);
        }
        else if (Mark.Newest > 0 && bytes.Length < LogMark.FileBytes)
        {
            // What is cut off may be what was said last.
            Failure ??= LogSentences.MarkDamaged(file);
        }
        else if (Mark.Newest > 0)
        {
            yield return DiskStep.All(CheckLength(sequences, Mark.Newest, Mark.NewestBytes));
            yield return DiskStep.All(CheckLength(sequences, Mark.Before, Mark.BeforeBytes));
        }
    }

    /// <summary>A segment is as long as it is to be before anything in it counts, so one that is shorter was
    /// cut.</summary>
    private IEnumerable<DiskStep> CheckLength(List<ulong> sequences, ulong sequence, long bytes)
    {
        if (bytes == 0 || !sequences.Contains(sequence))
        {
            yield break;
        }

        string segment = LogBatch.FileName(prefix, sequence);
        long last = bytes - LogBatch.BlockBytes;
        yield return new DiskOperation(0, DiskOperationKind.Read, segment, last, Length: LogBatch.BlockBytes);
        if (jobs.Completion.Status != DiskStatus.Done)
        {
            Failure ??= LogSentences.Unreadable(segment);
        }
        else if (jobs.Completion.Data.Length < LogBatch.BlockBytes && Core.Guards.SegmentsKeepTheirLength)
        {
            Failure ??= LogSentences.Cut(segment, bytes);
        }
    }

    /// <summary>
    /// While nothing whole is in the newest segment that was begun, the one before it counts: a sentence when its file
    /// is gone, else null.
    /// </summary>
    /// <param name="prefix">The log's.</param>
    /// <param name="mark">What was read.</param>
    /// <param name="sequences">Of the segments that are there.</param>
    /// <param name="whole">Those whose first batch is whole.</param>
    public static string? BeforeGone(
        string prefix, LogMark? mark, List<ulong> sequences, IReadOnlyCollection<ulong> whole) =>
        mark is { Before: > 0 } && !whole.Contains(mark.Newest) && !sequences.Contains(mark.Before)
        && Core.Guards.NewestSegmentIsWitnessed
            ? LogSentences.NewestGone(LogBatch.FileName(prefix, mark.Before), LogMark.FileName(prefix))
            : null;
}
