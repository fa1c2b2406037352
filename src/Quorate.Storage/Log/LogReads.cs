using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// One read of entries: what was asked for, and the one stretch of one segment that is read for it, which may end
/// before what was asked for does.
/// </summary>
internal sealed class LogRead(ulong tag, LogIndex first, LogIndex last, int maxBytes)
{
    private readonly List<LogPosition> _positions = [];

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

    public bool IsEmpty => _positions.Count == 0;

    /// <summary>
    /// Chooses the entries up to <paramref name="to"/> that one read of at most the bytes asked for brings.
    /// </summary>
    public void Plan(LogContents contents, LogIndex to, ulong writing, long written)
    {
        Segment = writing;
        if (to < First)
        {
            return;
        }

        LogPosition start = contents[First];
        Segment = start.Segment;
        Offset = start.Offset;
        for (LogIndex index = First; index <= to && contents.Has(index); index = index.Next)
        {
            LogPosition position = contents[index];
            long length = position.Offset + position.Length - Offset;
            bool isWritten = position.Segment != writing || position.Offset < written;
            if (position.Segment != Segment || !isWritten || (index != First && length > maxBytes))
            {
                break;
            }

            Length = (int)length;
            _positions.Add(position);
        }
    }

    /// <summary>Takes the entries out of what was read; false when one is damaged.</summary>
    public bool TryDecode(ReadOnlyMemory<byte> bytes, out Entry[] entries)
    {
        var decoded = new List<Entry>();
        entries = [];
        LogIndex index = First;
        foreach (LogPosition position in _positions)
        {
            int from = (int)(position.Offset - Offset);
            if (index >= CutFrom)
            {
                break;
            }

            Entry? entry = from + position.Length <= bytes.Length
                ? LogRecord.TryReadEntry(bytes.Span.Slice(from, position.Length))
                : null;
            if (entry is null || entry.Index != index || entry.Term != position.Term)
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

/// <summary>What a log holds at the moment of a read.</summary>
/// <param name="Segment">The segment that is being written, and up to where it has been, in bytes.</param>
/// <param name="Last">The last entry once all waiting writes are in.</param>
/// <param name="Cut">The lowest index at which a waiting write cuts the log.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogView(LogContents Contents, ulong Segment, long Written, LogIndex Last, LogIndex Cut);

/// <summary>
/// The reads that are not answered yet, in the order in which they were asked for. One that asks for entries which
/// are not written yet waits until they are.
/// </summary>
internal sealed class LogReads(IDisk disk, IDiskClient owner, string prefix, int readsMax)
{
    private readonly List<LogRead> _reads = [];
    private readonly List<LogRead> _postponed = [];

    public bool HasPostponed => _postponed.Count > 0;

    public void Start(LogRead read, in LogView view, ulong ticket)
    {
        Invariant.Check(_reads.Count < readsMax, "the group bounds its reads in flight");
        _reads.Add(read);
        StartOrPostpone(read, view, ticket);
    }

    /// <summary>
    /// Starts the reads that waited for a batch; each takes a ticket from <paramref name="nextTicket"/> on.
    /// </summary>
    public void StartPostponed(in LogView view, ref ulong nextTicket)
    {
        LogRead[] reads = [.. _postponed];
        _postponed.Clear();
        foreach (LogRead read in reads)
        {
            StartOrPostpone(read, view, nextTicket++);
        }
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

    private void StartOrPostpone(LogRead read, in LogView view, ulong ticket)
    {
        LogContents contents = view.Contents;
        LogIndex last = LogIndex.Min(read.Last, view.Last);
        bool isGone = read.First > last || read.First <= contents.Base;
        bool isWritten = contents.Has(read.First)
            && (contents[read.First].Segment != view.Segment || contents[read.First].Offset < view.Written);
        if (!isGone && (read.First >= view.Cut || !isWritten))
        {
            _postponed.Add(read);
            return;
        }

        // A read that will find nothing is answered after a turn of the disk all the same: never inside the call.
        read.Plan(contents, isGone ? LogIndex.Zero : LogIndex.Min(last, view.Cut.Previous), view.Segment, view.Written);
        read.Ticket = ticket;
        string file = LogBatch.FileName(prefix, read.Segment);
        disk.Submit(new(ticket, DiskOperationKind.Read, file, read.Offset, Length: read.Length), owner);
    }
}
