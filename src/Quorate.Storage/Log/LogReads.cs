using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// One read of entries: what was asked for, and the one stretch of one segment that is read for it, which may end
/// before what was asked for does. Records of other streams may lie in that stretch.
/// </summary>
internal sealed class LogRead(LogStream stream, ulong tag, LogIndex first, LogIndex last, int maxBytes)
{
    private readonly List<(LogPosition Position, Term Term)> _entries = [];

    public LogStream Stream { get; } = stream;

    public ulong Tag { get; } = tag;

    public LogIndex First { get; } = first;

    public LogIndex Last { get; } = last;

    /// <summary>Zero while the read waits for entries to be written.</summary>
    public ulong Ticket { get; set; }

    /// <summary>Entries from here on were cut since the read was asked for, and are not given out.</summary>
    public LogIndex CutFrom { get; set; } = new(ulong.MaxValue);

    public ulong Segment { get; private set; }

    public long Offset { get; private set; }

    public int Length { get; private set; }

    public bool IsEmpty => _entries.Count == 0;

    /// <summary>
    /// Chooses the entries up to <paramref name="to"/> that one read of at most the bytes asked for brings.
    /// </summary>
    /// <param name="stretchBytesMax">How much of the segment may be read for them, others' records included.</param>
    public void Plan(LogContents contents, LogIndex to, ulong writing, long written, int stretchBytesMax)
    {
        Segment = writing;
        if (to < First)
        {
            return;
        }

        LogPosition start = contents[First];
        Segment = start.Segment;
        Offset = start.Offset;
        long bytes = 0;
        for (LogIndex index = First; index <= to && contents.Has(index); index = index.Next)
        {
            LogPosition position = contents[index];
            long length = position.Offset + position.Length - Offset;
            bytes += position.Length - LogRecord.EntryBytes + Entry.OverheadBytes;
            bool isWritten = position.Segment != writing || position.Offset < written;
            // Entries that were written again may lie behind those that follow them.
            bool isTooMuch = index != First
                && (bytes > maxBytes || length > stretchBytesMax || position.Offset < Offset + Length);
            if (position.Segment != Segment || !isWritten || isTooMuch)
            {
                break;
            }

            Length = (int)length;
            _entries.Add((position, contents.TermAt(index)));
        }
    }

    /// <summary>
    /// Entries that it was to bring were written again meanwhile, so their segment may be another by now.
    /// </summary>
    public bool HasMoved(LogContents contents)
    {
        LogIndex index = First;
        foreach ((LogPosition position, _) in _entries)
        {
            if (contents.Has(index) && contents[index] != position)
            {
                return true;
            }

            index = index.Next;
        }

        return false;
    }

    /// <summary>The same read, to be planned anew.</summary>
    public LogRead Anew() => new(Stream, Tag, First, Last, maxBytes) { CutFrom = CutFrom };

    /// <summary>Takes the entries out of what was read; false when one is damaged.</summary>
    public bool TryDecode(ReadOnlyMemory<byte> bytes, out Entry[] entries)
    {
        var decoded = new List<Entry>();
        entries = [];
        LogIndex index = First;
        foreach ((LogPosition position, Term term) in _entries)
        {
            int from = (int)(position.Offset - Offset);
            if (index >= CutFrom)
            {
                break;
            }

            Entry? entry = from + position.Length <= bytes.Length
                ? LogRecord.TryReadEntry(bytes.Span.Slice(from, position.Length), Stream)
                : null;
            if (entry is null || entry.Index != index || entry.Term != term)
            {
                return false;
            }

            decoded.Add(entry);
            index = index.Next;
        }

        entries = [.. decoded];
        return true;
    }
}

/// <summary>What a stream holds at the moment of a read.</summary>
/// <param name="Segment">The segment that is being written, and up to where it has been, in bytes.</param>
/// <param name="Last">The last entry once all waiting writes are in.</param>
/// <param name="Cut">The lowest index at which a waiting write cuts the stream.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogView(LogContents Contents, ulong Segment, long Written, LogIndex Last, LogIndex Cut);

/// <summary>
/// A stream's reads that are not answered yet, in the order in which they were asked for. One that asks for entries
/// which are not written yet waits until they are.
/// </summary>
internal sealed class LogReads(int stretchBytesMax)
{
    private readonly List<LogRead> _reads = [];
    private readonly List<LogRead> _postponed = [];

    public int Count => _reads.Count;

    public bool HasPostponed => _postponed.Count > 0;

    /// <summary>Takes a read on; what is to be read for it, or null when it must wait.</summary>
    public DiskOperation? Start(LogRead read, in LogView view, string prefix, ulong ticket)
    {
        _reads.Add(read);
        return StartOrPostpone(read, view, prefix, ticket);
    }

    /// <summary>Takes the reads that waited for a batch, to be started again.</summary>
    public LogRead[] TakePostponed()
    {
        LogRead[] reads = [.. _postponed];
        _postponed.Clear();
        return reads;
    }

    /// <summary>
    /// A write takes away the entries from an index on; reads asked for before it do not give them out.
    /// </summary>
    public void Cut(LogIndex from)
    {
        foreach (LogRead read in _reads)
        {
            read.CutFrom = LogIndex.Min(read.CutFrom, from);
        }
    }

    public bool TryTake(ulong ticket, [NotNullWhen(true)] out LogRead? read)
    {
        int at = _reads.FindIndex(r => r.Ticket == ticket);
        read = at < 0 ? null : _reads[at];
        if (at >= 0)
        {
            _reads.RemoveAt(at);
        }

        return read is not null;
    }

    /// <summary>
    /// The entries that a read brought; null when they are damaged. Those gone meanwhile are left out.
    /// </summary>
    public static Entry[]? Decode(LogRead read, in DiskCompletion completion, LogIndex logBase)
    {
        if (completion.Status == DiskStatus.Done && read.TryDecode(completion.Data, out Entry[] entries))
        {
            return entries;
        }

        return read.IsEmpty || read.First <= logBase || read.CutFrom <= read.First ? [] : null;
    }

    /// <summary>What is to be read for a read; null when it must wait for entries to be written.</summary>
    public DiskOperation? StartOrPostpone(LogRead read, in LogView view, string prefix, ulong ticket)
    {
        LogContents contents = view.Contents;
        LogIndex last = LogIndex.Min(read.Last, view.Last);
        bool isGone = read.First > last || read.First <= contents.Base;
        bool isWritten = contents.Has(read.First)
            && (contents[read.First].Segment != view.Segment || contents[read.First].Offset < view.Written);
        if (!isGone && (read.First >= view.Cut || !isWritten))
        {
            _postponed.Add(read);
            return null;
        }

        // A read that will find nothing is answered after a turn of the disk all the same: never inside the call.
        LogIndex to = isGone ? LogIndex.Zero : LogIndex.Min(last, view.Cut.Previous);
        read.Plan(contents, to, view.Segment, view.Written, stretchBytesMax);
        read.Ticket = ticket;
        string file = LogBatch.FileName(prefix, read.Segment);
        return new(ticket, DiskOperationKind.Read, file, read.Offset, Length: read.Length);
    }
}
