using Quorate.Core;

namespace Quorate.Storage.Log;

/// <summary>
/// A segment as it was read from the disk: its batches up to the first byte that is not one, and their records.
/// </summary>
internal sealed class LogSegment
{
    private LogSegment(ulong sequence)
    {
        Sequence = sequence;
        Chain = LogBatch.ChainStart(sequence);
    }

    public ulong Sequence { get; }

    public SegmentHead Head { get; private set; }

    /// <summary>False when not even the first batch is whole.</summary>
    public bool Counts => Batches > 0;

    public int Batches { get; private set; }

    /// <summary>Where the whole batches end, in bytes.</summary>
    public long End { get; private set; }

    /// <summary>The checksum chain at <see cref="End"/>.</summary>
    public uint Chain { get; private set; }

    /// <summary>The highest offset that one of the batches names as durable.</summary>
    public long Durable { get; private set; }

    /// <summary>The chain at <see cref="Durable"/>.</summary>
    public uint DurableChain { get; private set; }

    /// <summary>The records after the head, in order, their offsets those in the file.</summary>
    public List<LogRecord> Records { get; } = [];

    /// <summary>How many of the records lie below <see cref="Durable"/>.</summary>
    public int DurableRecords { get; private set; }

    /// <summary>A whole batch holds what this version cannot read.</summary>
    public bool IsForeign { get; private set; }

    /// <summary>Reads the batches from the beginning of <paramref name="bytes"/>.</summary>
    public static LogSegment Read(ReadOnlySpan<byte> bytes, ulong sequence)
    {
        var segment = new LogSegment(sequence);
        var ends = new List<(long End, uint Chain, int Records)>();
        while (LogBatch.TryRead(bytes, segment.End, sequence, out LogBatch batch)
            && (batch.ChainBefore == segment.Chain || !Guards.ChecksumsAreChained))
        {
            if (!segment.TakeRecords(bytes, batch))
            {
                segment.IsForeign = true;
                break;
            }

            segment.Batches++;
            segment.End = batch.End;
            segment.Chain = batch.Chain;
            segment.Durable = Math.Max(segment.Durable, batch.DurableBefore);
            ends.Add((segment.End, segment.Chain, segment.Records.Count));
        }

        foreach ((long end, uint chain, int records) in ends)
        {
            if (end == segment.Durable)
            {
                segment.DurableChain = chain;
                segment.DurableRecords = records;
            }
        }

        return segment;
    }

    /// <summary>
    /// The highest durable offset that a whole batch beyond <paramref name="from"/> names; zero when there is none.
    /// A batch beyond damage is found by its header, for the length in the damaged one proves nothing.
    /// </summary>
    public static long EvidenceBeyond(ReadOnlySpan<byte> bytes, long from, ulong sequence)
    {
        long evidence = 0;
        int at = (int)from + 1;
        while (at < bytes.Length)
        {
            int next = bytes[at..].IndexOf(LogBatch.Magic);
            if (next < 0)
            {
                break;
            }

            at += next;
            if (LogBatch.TryRead(bytes, at, sequence, out LogBatch batch))
            {
                evidence = Math.Max(evidence, batch.DurableBefore);
            }

            at++;
        }

        return evidence;
    }

    private bool TakeRecords(ReadOnlySpan<byte> bytes, in LogBatch batch)
    {
        int at = (int)batch.Offset + LogBatch.HeaderBytes;
        ReadOnlySpan<byte> upToEnd = bytes[..(int)batch.End];
        bool first = batch.Offset == 0;
        while (at < upToEnd.Length)
        {
            if (!LogRecord.TryRead(upToEnd, at, out LogRecord record) || (record.Kind == LogRecordKind.Head) != first)
            {
                return false;
            }

            if (first)
            {
                Head = record.Head;
                first = false;
            }
            else
            {
                Records.Add(record);
            }

            at += record.Length;
        }

        return !first;
    }
}
