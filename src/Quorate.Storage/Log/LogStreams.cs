using System.Diagnostics.CodeAnalysis;
using Quorate.Core.Model;

namespace Quorate.Storage.Log;

/// <summary>
/// All streams of a node's log, ascending, and what becomes of them when records are replayed.
/// </summary>
internal sealed class LogStreams(LogSegments segments, int readBytesMax)
{
    private readonly SortedDictionary<LogStream, NodeLogStream> _streams = [];
    private NodeLogStream? _lastUsed;

    /// <summary>Ascending. Must not be changed while it is walked through.</summary>
    public IEnumerable<NodeLogStream> All => _streams.Values;

    public int Count => _streams.Count;

    /// <summary>What the standings of all streams take at the beginning of a segment, at most, in bytes.</summary>
    public int StandingsBytes => checked(_streams.Count * LogRecord.StandingBytes);

    public bool TryFind(LogStream stream, [NotNullWhen(true)] out NodeLogStream? found) =>
        _streams.TryGetValue(stream, out found);

    public NodeLogStream GetOrAdd(LogStream stream)
    {
        if (_lastUsed?.Id == stream)
        {
            return _lastUsed;
        }

        if (!_streams.TryGetValue(stream, out NodeLogStream? found))
        {
            found = new NodeLogStream(stream, new LogContents(segments), new LogReads(readBytesMax));
            _streams.Add(stream, found);
        }

        _lastUsed = found;
        return found;
    }

    /// <summary>The stream is gone with all that it held.</summary>
    public void Remove(LogStream stream)
    {
        if (_streams.Remove(stream, out NodeLogStream? removed))
        {
            removed.Contents.Drop();
        }

        _lastUsed = null;
    }

    /// <summary>
    /// Applies one record; an entry lies at <paramref name="offset"/> of <paramref name="segment"/>.
    /// </summary>
    public void Apply(in LogRecord record, ulong segment, long offset)
    {
        if (record.Kind == LogRecordKind.Drop)
        {
            Forget(record.Stream);
            return;
        }

        NodeLogStream stream = GetOrAdd(record.Stream);
        LogContents contents = stream.Contents;
        switch (record.Kind)
        {
            case LogRecordKind.Entry:
                contents.Append(record.Index, record.Term, new(segment, offset, record.Length), record.KeyId);
                if (record.Membership is not null)
                {
                    stream.Memberships.Add(new(record.Index, record.Membership));
                }

                break;
            case LogRecordKind.EntryAgain:
                contents.Move(record.Index, record.Term, new(segment, offset, record.Length), record.KeyId);
                stream.NoteAgain(record.Index, record.Membership);
                break;
            case LogRecordKind.Truncate:
                LogIndex from = record.Index;
                contents.Truncate(from);
                stream.Memberships.RemoveAll(m => m.Index >= from);
                break;
            case LogRecordKind.HardState:
                contents.HardState = record.Standing.HardState;
                break;
            case LogRecordKind.Reset:
                contents.Reset(record.Index, record.Term);
                stream.Memberships.Clear();
                break;
            default:
                contents.Release(record.Index, record.Term);
                break;
        }
    }

    /// <summary>All is replayed; the first stream that lacks entries all the same, or null.</summary>
    public NodeLogStream? Join()
    {
        foreach (NodeLogStream stream in _streams.Values)
        {
            stream.Contents.Join();
        }

        return _streams.Values.FirstOrDefault(stream => !stream.Contents.IsComplete);
    }

    /// <summary>A replayed drop: a stream that is already opened by its owner begins anew.</summary>
    private void Forget(LogStream stream)
    {
        if (TryFind(stream, out NodeLogStream? found))
        {
            found.Contents.Drop();
            found.Memberships.Clear();
        }
    }
}
