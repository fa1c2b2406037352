using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// Frees the oldest segments of entries that no checkpoint releases: those of a group that has lost its quorum are
/// never committed, and would keep everybody's segments until the disk is full. They are read and written again at the
/// log's end, as TiKV's raft engine does with the entries of idle groups.
/// <para>Only streams that were asked for a checkpoint twice and have released nothing since are dealt with so: whoever
/// is about to release soon costs no copy. And only while less than half of the log is needed at all, and no more
/// bytes, with the padding of their batches, than others have written: so a log to which nothing is written comes to
/// rest, and one that is written to takes about its limit, or twice what writing all stuck entries again takes.</para>
/// <para>Invariants: one stretch of a segment at a time is read, composed, and durable before the next. An entry is
/// written again only while the stream holds it at the very place that was read; so one that was cut, released or
/// replaced meanwhile stays gone.</para>
/// </summary>
internal sealed class StuckEntries(
    IDisk disk,
    string prefix,
    NodeLogSettings settings,
    LogStreams streams,
    LogSegments segments,
    Action ready,
    Action<string> failed) : IDiskClient
{
    private readonly List<(LogIndex Index, LogPosition Position)> _planned = [];
    private Step _step = Step.Idle;
    private NodeLogStream? _stream;
    private byte[] _records = [];
    private int _bytes;

    /// <summary>Bytes that others have written and that stuck entries may cost, too.</summary>
    private long _credit;
    private ulong _ticket;

    private enum Step
    {
        Idle,
        Reading,

        /// <summary>What was read waits for a batch.</summary>
        Ready,

        /// <summary>The batch under way has it.</summary>
        Writing,
        Stopped,
    }

    /// <summary>There is something to be written again, as part of the next batch.</summary>
    public bool IsReady => _step == Step.Ready;

    /// <summary>What its records take, at most, in bytes.</summary>
    public int Bytes => _bytes;

    /// <summary>How many entries were written again since the log was opened.</summary>
    public long Count { get; private set; }

    public void Stop() => _step = Step.Stopped;

    /// <summary>
    /// Asks the streams that keep segments beyond the limit for a checkpoint, and begins to deal with those that were
    /// asked in vain. To be called when a segment was begun, and now and then while there is no space for one.
    /// </summary>
    public void Ask(Action<LogStream> checkpointWanted)
    {
        ulong beyond = segments.NewestBeyond(settings.SegmentsKeptMax);
        if (beyond == 0)
        {
            return;
        }

        NodeLogStream[] pinning =
            [.. streams.All.Where(stream => stream.Contents.OldestSegment(none: ulong.MaxValue) <= beyond)];
        foreach (NodeLogStream stream in pinning)
        {
            stream.NoteAsked();
        }

        foreach (NodeLogStream stream in pinning)
        {
            checkpointWanted(stream.Id);
        }

        Begin();
    }

    /// <summary>Writes what was read into the batch that is composed, as far as it is still held.</summary>
    public void Compose(LogBatchBuilder builder)
    {
        LogContents contents = _stream!.Contents;
        int at = 0;
        foreach ((LogIndex index, LogPosition position) in _planned)
        {
            ReadOnlySpan<byte> record = _records.AsSpan(at, position.Length);
            at += position.Length;
            bool isHeld = contents.Has(index)
                && (contents[index] == position || !Guards.OnlyHeldEntriesAreWrittenAgain);
            if (isHeld)
            {
                contents.Move(
                    index, contents.TermAt(index), builder.AddAgain(record), LogRecord.KeyIdOfRecord(record));
                Count++;
            }
        }

        _step = Step.Writing;
    }

    /// <summary>The batch under way is durable.</summary>
    /// <param name="bytes">Its length.</param>
    public void Completed(long bytes)
    {
        if (_step == Step.Writing)
        {
            _credit -= LogBatch.LengthFor(_bytes);
            _step = Step.Idle;
            Begin();
        }
        else
        {
            _credit = Math.Min(_credit + bytes, (long)settings.SegmentsKeptMax * settings.SegmentBytes);
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_step != Step.Reading || completion.Ticket != _ticket)
        {
            return;
        }

        if (!TryTake(completion))
        {
            _step = Step.Stopped;
            failed(LogSentences.Unreadable(LogBatch.FileName(prefix, _planned[0].Position.Segment)));
            return;
        }

        _step = Step.Ready;
        ready();
    }

    /// <summary>Reads the next stretch of the oldest segment, if all that keep it are stuck.</summary>
    private void Begin()
    {
        bool isWorth = segments.LiveBytes * 2 <= (long)segments.Count * settings.SegmentBytes;
        if (_step != Step.Idle
            || segments.Count <= settings.SegmentsKeptMax
            || !isWorth
            || _credit <= 0
            || !Guards.PinnedEntriesAreWrittenAgain)
        {
            return;
        }

        ulong oldest = segments.Oldest;
        _stream = null;
        foreach (NodeLogStream stream in streams.All)
        {
            bool pins = stream.Contents.OldestSegment(none: 0) == oldest;
            if (pins && !stream.IsStuck)
            {
                return;
            }

            _stream = pins ? _stream ?? stream : _stream;
        }

        if (_stream is not null && oldest != segments.Current)
        {
            Plan(_stream.Contents, oldest);
            long offset = _planned[0].Position.Offset;
            int length = (int)(_planned[^1].Position.Offset + _planned[^1].Position.Length - offset);
            _step = Step.Reading;
            _ticket++;
            string file = LogBatch.FileName(prefix, oldest);
            disk.Submit(new(_ticket, DiskOperationKind.Read, file, offset, Length: length), this);
        }
    }

    private void Plan(LogContents contents, ulong segment)
    {
        _planned.Clear();
        _bytes = 0;
        LogIndex index = contents.FirstIn(segment);
        LogPosition first = contents[index];
        for (long end = first.Offset; contents.Has(index); index = index.Next)
        {
            LogPosition position = contents[index];
            long stretch = position.Offset + position.Length - first.Offset;
            bool isTooMuch = _planned.Count > 0
                && (_bytes + position.Length > settings.AgainBytesMax || stretch > settings.ReadBytesMax);
            if (position.Segment != segment || position.Offset < end || isTooMuch)
            {
                break;
            }

            _planned.Add((index, position));
            _bytes += position.Length;
            end = position.Offset + position.Length;
        }
    }

    /// <summary>
    /// Keeps the records out of what was read; false when one that is still held is damaged. The file may be another
    /// segment's by now, if nothing is.
    /// </summary>
    private bool TryTake(in DiskCompletion completion)
    {
        if (_records.Length < _bytes || _records.Length > 2 * Math.Max(settings.AgainBytesMax, _bytes))
        {
            _records = new byte[Math.Max(_bytes, Math.Min(settings.AgainBytesMax, 64 * 1024))];
        }

        ReadOnlySpan<byte> data = completion.Status == DiskStatus.Done ? completion.Data.Span : default;
        LogContents contents = _stream!.Contents;
        long start = _planned[0].Position.Offset;
        int at = 0;
        foreach ((LogIndex index, LogPosition position) in _planned)
        {
            int from = (int)(position.Offset - start);
            ReadOnlySpan<byte> record = from + position.Length <= data.Length
                ? data.Slice(from, position.Length)
                : default;
            if (LogRecord.IsWhole(record, _stream.Id, index))
            {
                record.CopyTo(_records.AsSpan(at));
            }
            else if (contents.Has(index) && contents[index] == position)
            {
                return false;
            }

            at += position.Length;
        }

        return true;
    }
}
