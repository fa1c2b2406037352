using System.Buffers.Binary;

namespace Quorate.Storage.Log;

/// <summary>A segment given as bytes: its batches up to the first byte that is not one.</summary>
internal sealed class LogWalkedSegment
{
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly LogSecret _secret;

    private LogWalkedSegment(string file, ulong sequence, ReadOnlyMemory<byte> bytes, LogSecret secret)
    {
        _secret = secret;
        File = file;
        Sequence = sequence;
        _bytes = bytes;
    }

    public string File { get; }

    public ulong Sequence { get; }

    public List<LogBatch> Batches { get; } = [];

    public long End => Batches.Count == 0 ? 0 : Batches[^1].End;

    public uint Chain => Batches.Count == 0 ? LogBatch.ChainStart(Sequence, _secret) : Batches[^1].Chain;

    public LogHead Head => RecordsOf(Batches[0])[0].Head;

    /// <summary>Which segment these bytes claim to be.</summary>
    public static ulong SequenceOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length < LogBatch.HeaderBytes ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);

    public static LogWalkedSegment Read(string file, ulong sequence, ReadOnlyMemory<byte> bytes, LogSecret secret)
    {
        var segment = new LogWalkedSegment(file, sequence, bytes, secret);
        ReadOnlySpan<byte> all = bytes.Span;
        while (LogBatch.TryReadHeader(all[(int)segment.End..], secret, sequence, segment.End, out LogBatch batch)
            && batch.End <= all.Length
            && batch.IsWholeAfter(all.Slice((int)batch.Offset, batch.Length), secret, segment.Chain, sequence))
        {
            segment.Batches.Add(batch);
        }

        return segment;
    }

    /// <summary>The records of a batch, up to the first that makes no sense.</summary>
    public List<LogRecord> RecordsOf(in LogBatch batch)
    {
        var records = new List<LogRecord>();
        ReadOnlySpan<byte> body = batch.Body(_bytes.Span.Slice((int)batch.Offset, batch.Length));
        int at = 0;
        while (at < body.Length && LogRecord.TryRead(body, at, out LogRecord record))
        {
            records.Add(record);
            at += record.Length;
        }

        return records;
    }

    /// <summary>The first offset behind the batches where a header of this very segment stands; or null.</summary>
    public long? StrayHeader()
    {
        for (long at = End + LogBatch.BlockBytes; at < _bytes.Length; at += LogBatch.BlockBytes)
        {
            if (LogBatch.TryReadHeader(_bytes.Span[(int)at..], _secret, Sequence, at, out _))
            {
                return at;
            }
        }

        return null;
    }
}

/// <summary>
/// Follows a log given as bytes from its newest segment back to its oldest, apart from the code that opens logs.
/// </summary>
internal sealed class LogWalk
{
    /// <summary>The segments that count, ascending.</summary>
    public List<LogWalkedSegment> Chain { get; } = [];

    /// <summary>What is wrong with the chain, in words.</summary>
    public List<string> Problems { get; } = [];

    public static LogWalk Through(string prefix, IEnumerable<string> names, Func<string, ReadOnlyMemory<byte>> read)
    {
        var walk = new LogWalk();
        var segments = new SortedDictionary<ulong, LogWalkedSegment>();
        List<ulong> sequences = LogBatch.Sequences(prefix, names);
        string markFile = LogMark.FileName(prefix);
        LogMark? mark = names.Contains(markFile, StringComparer.Ordinal) ? LogMark.Read(read(markFile).Span) : null;
        if (mark is null && sequences.Count > 0)
        {
            walk.Problems.Add($"{markFile} is missing or damaged");
        }
        else if (mark is { Newest: > 0 } && !sequences.Contains(mark.Newest))
        {
            walk.Problems.Add($"{markFile} names segment {mark.Newest}, whose file is missing");
        }

        foreach (ulong sequence in sequences)
        {
            string file = LogBatch.FileName(prefix, sequence);
            segments.Add(sequence, LogWalkedSegment.Read(file, sequence, read(file), mark?.Secret ?? default));
        }

        LogWalkedSegment? at = segments.Values.LastOrDefault(segment => segment.Batches.Count > 0);
        foreach (LogWalkedSegment later in segments.Values.Where(later => at is null || later.Sequence >= at.Sequence))
        {
            if (later.StrayHeader() is long stray)
            {
                walk.Problems.Add($"{later.File} has a batch at {stray} behind damage at {later.End}");
            }
        }

        while (at is not null)
        {
            walk.Chain.Insert(0, at);
            LogHead head = at.Head;
            if (!segments.TryGetValue(head.Previous, out LogWalkedSegment? previous))
            {
                break;
            }

            walk.CheckLink(previous, head);
            previous.Batches.RemoveAll(batch => batch.Offset >= head.PreviousEnd);
            at = previous.Batches.Count > 0 ? previous : null;
        }

        return walk;
    }

    private void CheckLink(LogWalkedSegment previous, in LogHead head)
    {
        long end = head.PreviousEnd;
        int last = previous.Batches.FindIndex(batch => batch.End == end);
        if (last < 0)
        {
            Problems.Add($"{previous.File} is damaged at {previous.End}, below {head.PreviousEnd}");
        }
        else if (previous.Batches[last].Chain != head.PreviousChain)
        {
            Problems.Add($"{previous.File} ends at {head.PreviousEnd} with another chain than the next segment names");
        }
    }
}
