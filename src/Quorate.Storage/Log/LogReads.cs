using System.Diagnostics.CodeAnalysis;
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

    /// <summary>Chooses the entries up to <paramref name="to"/> that one read of at most the bytes asked for brings.</summary>
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

/// <summary>The reads that are not answered yet, in the order in which they were asked for.</summary>
internal sealed class LogReads(int readsMax)
{
    private readonly List<LogRead> _reads = [];
    private readonly List<LogRead> _postponed = [];

    public void Add(LogRead read)
    {
        Invariant.Check(_reads.Count < readsMax, "the group bounds its reads in flight");
        _reads.Add(read);
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

    /// <summary>A write takes away the entries from an index on; reads asked for before it do not give them out.</summary>
    public void Cut(LogIndex from)
    {
        foreach (LogRead read in _reads)
        {
            read.CutFrom = LogIndex.Min(read.CutFrom, from);
        }
    }

    /// <summary>Keeps a read until what it asks for has been written.</summary>
    public void Postpone(LogRead read) => _postponed.Add(read);

    public void StartPostponed(Action<LogRead> start)
    {
        if (_postponed.Count == 0)
        {
            return;
        }

        LogRead[] reads = [.. _postponed];
        _postponed.Clear();
        foreach (LogRead read in reads)
        {
            start(read);
        }
    }
}

/// <summary>Reads a file whole, in pieces of bounded size.</summary>
internal sealed class LogFileReader(string file, int pieceBytes)
{
    private byte[] _content = [];
    private int _length;

    public string File => file;

    public ReadOnlyMemory<byte> Content => _content.AsMemory(0, _length);

    public DiskOperation Next() => new(0, DiskOperationKind.Read, file, _length, Length: pieceBytes);

    /// <summary>Takes the next piece; true when it was the last.</summary>
    public bool Take(ReadOnlyMemory<byte> piece)
    {
        if (_length + piece.Length > _content.Length)
        {
            Array.Resize(ref _content, Math.Max(_length + piece.Length, _content.Length * 2));
        }

        piece.CopyTo(_content.AsMemory(_length));
        _length += piece.Length;
        return piece.Length < pieceBytes;
    }
}
