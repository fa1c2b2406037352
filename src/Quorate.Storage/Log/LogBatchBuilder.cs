using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>
/// Composes one batch at a time. Its bytes are reused, so a batch must be on the disk before the next is begun.
/// </summary>
internal sealed class LogBatchBuilder(int keptBytesMax)
{
    private byte[] _bytes = new byte[LogBatch.BlockBytes];
    private int _length;

    private ulong _segment;
    private long _offset;

    /// <summary>The log's, known once its files are read.</summary>
    public LogSecret Secret { get; set; }

    /// <summary>The batch as composed so far, its header included, its padding not, in bytes.</summary>
    public int Length => _length;

    /// <summary>Where in the segment the next record will begin.</summary>
    public long NextOffset => _offset + _length;

    /// <summary>What a write's records take, at most, in bytes.</summary>
    public static long BytesOf(Persist persist)
    {
        // Reset, truncation and release at once are rare; allowing for all three costs nothing.
        long bytes = (3 * LogRecord.IndexedBytes) + LogRecord.HardStateBytes;
        foreach (Entry entry in persist.Entries)
        {
            bytes += LogRecord.EntryBytes + entry.Payload.Length;
        }

        return bytes;
    }

    public void Begin(ulong segment, long offset)
    {
        if (_bytes.Length > keptBytesMax * 2L)
        {
            _bytes = new byte[LogBatch.BlockBytes];
        }

        _segment = segment;
        _offset = offset;
        _length = LogBatch.HeaderBytes;
    }

    /// <summary>
    /// Adds a write's records and lets <paramref name="contents"/> follow, in the order that a write names.
    /// </summary>
    public void Compose(LogStream stream, Persist persist, LogContents contents)
    {
        if (persist.ResetTo is SnapshotMeta snapshot)
        {
            Add(LogRecordKind.Reset, stream, snapshot.Index, snapshot.Term);
            contents.Reset(snapshot.Index, snapshot.Term);
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            Add(LogRecordKind.Truncate, stream, persist.TruncateFrom, Term.Zero);
            contents.Truncate(persist.TruncateFrom);
        }

        foreach (Entry entry in persist.Entries)
        {
            long offset = NextOffset;
            ReadOnlySpan<byte> payload = entry.Payload.Span;
            int length = checked(LogRecord.EntryBytes + payload.Length);
            LogRecord.WriteEntry(Take(length), stream, entry, payload);
            uint keyId = LogRecord.KeyIdOf(entry.Kind, payload);
            contents.Append(entry.Index, entry.Term, new(_segment, offset, length), keyId);
        }

        if (persist.HardState is HardState state && state != contents.HardState)
        {
            LogRecord.WriteHardState(Take(LogRecord.HardStateBytes), stream, state);
            contents.HardState = state;
        }

        if (persist.ReleaseTo > contents.Base)
        {
            Invariant.Check(contents.Has(persist.ReleaseTo), $"released entry {persist.ReleaseTo} is in the log");
            Term term = contents.TermAt(persist.ReleaseTo);
            Add(LogRecordKind.Release, stream, persist.ReleaseTo, term);
            contents.Release(persist.ReleaseTo, term);
        }
    }

    public void AddDrop(LogStream stream) => LogRecord.WriteDrop(Take(LogRecord.PrefixBytes), stream);

    /// <summary>What a segment begins with: which one it follows, and where all streams stand.</summary>
    public void AddStandings(in LogHead head, LogStreams streams)
    {
        LogRecord.WriteHead(Take(LogRecord.HeadBytes), head);
        foreach (NodeLogStream stream in streams.All)
        {
            if (!stream.Contents.IsBlank)
            {
                LogRecord.WriteStanding(Take(LogRecord.StandingBytes), stream.Id, stream.Contents.Standing);
            }
        }
    }

    /// <summary>Adds a record that was written before, as it is.</summary>
    public void Add(ReadOnlySpan<byte> record) => record.CopyTo(Take(record.Length));

    /// <summary>The batch, padded to whole blocks.</summary>
    public ReadOnlyMemory<byte> Finish(LogPoint durable, uint chainBefore, out uint chain)
    {
        int body = _length - LogBatch.HeaderBytes;
        int padded = LogBatch.LengthFor(body);
        Reserve(padded);
        _bytes.AsSpan(_length, padded - _length).Clear();
        chain = LogBatch.WriteHeader(
            _bytes.AsSpan(0, padded), Secret, body, new(_segment, _offset), durable, chainBefore);
        return _bytes.AsMemory(0, padded);
    }

    private void Add(LogRecordKind kind, LogStream stream, LogIndex index, Term term) =>
        LogRecord.WriteIndexed(Take(LogRecord.IndexedBytes), kind, stream, index, term);

    private Span<byte> Take(int length)
    {
        int needed = checked(_length + length);
        Reserve(needed);
        Span<byte> taken = _bytes.AsSpan(_length, length);
        _length = needed;
        return taken;
    }

    private void Reserve(int needed)
    {
        if (needed > _bytes.Length)
        {
            // A large batch is of few large entries: twice what it has would be memory for nothing.
            long more = _bytes.Length > keptBytesMax ? _bytes.Length / 4 : _bytes.Length;
            byte[] larger = GC.AllocateUninitializedArray<byte>(
                (int)Math.Min(Array.MaxLength, Math.Max(needed, _bytes.Length + more)));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            _bytes = larger;
        }
    }
}
