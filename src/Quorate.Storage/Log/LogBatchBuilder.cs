using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>
/// Composes one batch at a time. Its bytes are reused, so a batch must be on the disk before the next is begun.
/// </summary>
internal sealed class LogBatchBuilder(int keptBytesMax)
{
    private byte[] _bytes = new byte[4096];
    private int _length;
    private long _offset;

    /// <summary>The batch as composed so far, its header included, in bytes.</summary>
    public int Length => _length;

    /// <summary>Where in the segment the next record will begin.</summary>
    public long NextOffset => _offset + _length;

    public void Begin(long offset)
    {
        if (_bytes.Length > keptBytesMax * 2L)
        {
            _bytes = new byte[4096];
        }

        _offset = offset;
        _length = LogBatch.HeaderBytes;
    }

    /// <summary>
    /// Adds a write's records and lets <paramref name="contents"/> follow, in the order that a write names.
    /// </summary>
    public void Compose(Persist persist, LogContents contents, ulong segment)
    {
        if (persist.ResetTo is SnapshotMeta snapshot)
        {
            Add(LogRecordKind.Reset, snapshot.Index, snapshot.Term);
            contents.Reset(snapshot.Index, snapshot.Term);
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            Add(LogRecordKind.Truncate, persist.TruncateFrom, Term.Zero);
            contents.Truncate(persist.TruncateFrom);
        }

        foreach (Entry entry in persist.Entries)
        {
            long offset = NextOffset;
            Add(entry);
            contents.Append(entry.Index, new(segment, offset, (int)(NextOffset - offset), entry.Term));
        }

        if (persist.HardState is HardState state && state != contents.HardState)
        {
            Add(state);
            contents.HardState = state;
        }

        if (persist.ReleaseTo > contents.Base)
        {
            Invariant.Check(contents.Has(persist.ReleaseTo), $"released entry {persist.ReleaseTo} is in the log");
            Term term = contents[persist.ReleaseTo].Term;
            Add(LogRecordKind.Release, persist.ReleaseTo, term);
            contents.Release(persist.ReleaseTo, term);
        }
    }

    private void Add(Entry entry) =>
        LogRecord.WriteEntry(Take(checked(LogRecord.EntryBytes + entry.Payload.Length)), entry);

    private void Add(LogRecordKind kind, LogIndex index, Term term) =>
        LogRecord.WriteIndexed(Take(LogRecord.LengthOf(kind)), kind, index, term);

    private void Add(in HardState state) =>
        LogRecord.WriteHardStateRecord(Take(LogRecord.LengthOf(LogRecordKind.HardState)), state);

    public void Add(in SegmentHead head) => LogRecord.WriteHead(Take(LogRecord.HeadBytes), head);

    /// <summary>Adds a record that was written before, as it is.</summary>
    public void Add(ReadOnlySpan<byte> record) => record.CopyTo(Take(record.Length));

    public ReadOnlyMemory<byte> Finish(ulong sequence, long durableBefore, uint chainBefore, out uint chain)
    {
        chain = LogBatch.WriteHeader(_bytes.AsSpan(0, _length), sequence, _offset, durableBefore, chainBefore);
        return _bytes.AsMemory(0, _length);
    }

    private Span<byte> Take(int length)
    {
        int needed = checked(_length + length);
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(needed, _bytes.Length * 2L)));
        }

        Span<byte> taken = _bytes.AsSpan(_length, length);
        _length = needed;
        return taken;
    }
}
