using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// The simplest honest log: one group's, in segment files of its own. One write is under way at a time; those that
/// arrive meanwhile form the next batch, so batches form by themselves (group commit).
/// <para>Invariants: nothing is overwritten in place, truncation and release are records; a write is reported after
/// its batch and all before it are synced (at most one batch, of writes that need no sync, is ahead of the disk);
/// a segment counts as durable once it and its name are; a segment goes only when nothing in it is needed and the
/// record that made it so is durable (pitfall R16). After a failure the log is dead: it reports nothing more.</para>
/// <para>Every open begins a new segment with all that was not known to be durable (pitfall R28). Ordering and
/// group commit as in Gray and Reuter, Transaction Processing, section 9.4.</para>
/// </summary>
public sealed class SimpleLog : IGroupLog, IDiskClient
{
    private readonly IDisk _disk;
    private readonly string _prefix;
    private readonly IGroupLogClient _client;
    private readonly SimpleLogSettings _settings;
    private readonly LogBatchBuilder _builder;
    private readonly LogReads _reads;
    private readonly Queue<Persist> _waiting = new();

    /// <summary>The segments that count, ascending; the last is being written.</summary>
    private readonly List<ulong> _segments = [];

    /// <summary>The writes in the batch under way: the first one's sequence and the last one's.</summary>
    private (ulong First, ulong Last) _underWay;

    private string _segmentName = "";
    private LogContents _contents = new(default);
    private LogRecovery? _recovery;
    private RecoveredLog? _recovered;
    private LogStep _step = LogStep.Closed;
    private ulong _stepTicket;
    private ulong _nextTicket = 1;
    private ulong _lastSequence;
    private LogIndex _lastWaiting;

    /// <summary>
    /// In the segment being written: where the last written batch ends, and what is durable, in bytes.
    /// </summary>
    private long _written;
    private long _durable;
    private uint _chain;
    private long _batchEnd;
    private uint _batchChain;
    private bool _batchNeedsSync;
    private bool _batchBeginsSegment;

    public SimpleLog(IDisk disk, string prefix, IGroupLogClient client, SimpleLogSettings? settings = null)
    {
        _disk = disk;
        _prefix = prefix;
        _client = client;
        _settings = settings ?? new();
        _builder = new(_settings.BatchBytesMax);
        _reads = new(disk, this, prefix, _settings.ReadsWaitingMax);
    }

    private ulong Segment => _segments[^1];

    public void Open()
    {
        Invariant.Check(_step == LogStep.Closed, "a log is opened once");
        _step = LogStep.Opening;
        new LogOpening(_disk, _prefix, _settings.OpenPieceBytes, BeginFirstSegment, Fail).Start();
    }

    public void Write(Persist persist)
    {
        if (_step == LogStep.Dead)
        {
            return;
        }

        Invariant.Check(_recovered is not null, "a log is written after it has been opened");
        Invariant.Check(persist.Sequence == _lastSequence + 1, $"write {persist.Sequence} follows {_lastSequence}");
        Invariant.Check(_waiting.Count < _settings.WritesWaitingMax, "the group bounds its writes in flight");
        _lastSequence = persist.Sequence;
        NoteCuts(persist);
        _waiting.Enqueue(persist);
        WriteNext();
    }

    public void Read(ulong tag, LogIndex first, LogIndex last, int maxBytes)
    {
        if (_step == LogStep.Dead)
        {
            return;
        }

        Invariant.Check(_recovered is not null, "a log is read after it has been opened");
        _reads.Start(new(tag, first, last, maxBytes), View(), _nextTicket++);
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_step == LogStep.Dead)
        {
            return;
        }

        if (completion.Ticket == _stepTicket)
        {
            _stepTicket = 0;
            CompleteStep(completion);
        }
        else if (_reads.TryTake(completion.Ticket, out LogRead? read))
        {
            CompleteRead(read, completion);
        }
        else if (completion.Status == DiskStatus.Failed)
        {
            Fail($"The disk refused to delete an old log file of {_prefix}. Check the disk, then start again.");
        }
    }

    private void CompleteStep(in DiskCompletion completion)
    {
        bool isSync = _step is LogStep.SyncingOld or LogStep.Syncing or LogStep.SyncingFolder;
        if (completion.Status != DiskStatus.Done && (Guards.FailedSyncIsFatal || !isSync))
        {
            FailStep(completion.Status);
            return;
        }

        switch (_step)
        {
            case LogStep.SyncingOld:
                _durable = _written;
                DeleteUnneeded();
                _step = LogStep.Idle;
                WriteNext();
                break;
            case LogStep.Writing when _batchNeedsSync:
                Go(LogStep.Syncing, new(0, DiskOperationKind.Sync, _segmentName));
                break;
            case LogStep.Syncing when _batchBeginsSegment && Guards.NewFilesAreMadeNamed:
                Go(LogStep.SyncingFolder, new(0, DiskOperationKind.SyncFolder, ""));
                break;
            default:
                CompleteBatch();
                break;
        }
    }

    private void BeginFirstSegment(LogRecovery recovery)
    {
        recovery.Finish(_settings.SegmentBytes / 2);
        _recovery = recovery;
        _contents = recovery.Contents;
        _segments.AddRange(recovery.Kept);
        BeginSegment(recovery.NextSequence, recovery.Head);
        foreach (LogRecord record in recovery.Tail)
        {
            recovery.Replay(record, Segment, _builder.NextOffset);
            _builder.Add(recovery.TailBytes.Span.Slice(record.Offset, record.Length));
        }

        recovery.CheckComplete();
        if (recovery.Failure is not null)
        {
            Fail(recovery.Failure);
            return;
        }

        WriteBatch();
    }

    /// <summary>Starts a batch that begins a segment; the writes that it is to hold are added after its head.</summary>
    private void BeginSegment(ulong sequence, in SegmentHead head)
    {
        _segments.Add(sequence);
        _segmentName = LogBatch.FileName(_prefix, sequence);
        _written = 0;
        _durable = 0;
        _chain = LogBatch.ChainStart(sequence);
        _batchBeginsSegment = true;
        _batchNeedsSync = true;
        _builder.Begin(0);
        _builder.Add(head);
    }

    private void WriteNext()
    {
        if (_step != LogStep.Idle || _waiting.Count == 0)
        {
            return;
        }

        if (_written < _settings.SegmentBytes)
        {
            _batchBeginsSegment = false;
            _batchNeedsSync = _durable < _written;
            _builder.Begin(_written);
        }
        else if (_durable < _written)
        {
            Go(LogStep.SyncingOld, new(0, DiskOperationKind.Sync, _segmentName));
            return;
        }
        else
        {
            BeginSegment(Segment + 1, _contents.Head(Segment, _written, _chain));
        }

        _underWay = (_waiting.Peek().Sequence, 0);
        do
        {
            Persist persist = _waiting.Dequeue();
            _batchNeedsSync |= persist.MustSync;
            _underWay.Last = persist.Sequence;
            _builder.Compose(persist, _contents, Segment);
        }
        while (_waiting.Count > 0 && _builder.Length < _settings.BatchBytesMax);

        WriteBatch();
        if (!Guards.OldLogOutlivesInstall)
        {
            DeleteUnneeded();
        }
    }

    private void WriteBatch()
    {
        ReadOnlyMemory<byte> bytes = _builder.Finish(Segment, _durable, _chain, out _batchChain);
        _batchEnd = _written + bytes.Length;
        Go(LogStep.Writing, new(0, DiskOperationKind.Write, _segmentName, _written, bytes));
    }

    private void CompleteBatch()
    {
        _written = _batchEnd;
        _chain = _batchChain;
        if (_batchNeedsSync)
        {
            _durable = _written;
        }

        if (_recovered is null)
        {
            CompleteOpening();
            return;
        }

        DeleteUnneeded();
        (ulong first, ulong last) = _underWay;
        _underWay = default;
        for (ulong sequence = _settings.NotifyEachWrite ? first : last; sequence <= last; sequence++)
        {
            _client.LogDurable(sequence);
        }

        if (_reads.HasPostponed)
        {
            _reads.StartPostponed(View(), ref _nextTicket);
        }

        _step = LogStep.Idle;
        WriteNext();
    }

    /// <summary>
    /// The new segment's first batch is durable. An empty batch after it says so, and from then on rot in what was
    /// recovered is told from a torn tail; only then do the files go that this segment replaces.
    /// </summary>
    private void CompleteOpening()
    {
        LogRecovery recovery = _recovery!;
        if (_batchBeginsSegment)
        {
            _batchBeginsSegment = false;
            _batchNeedsSync = true;
            _builder.Begin(_written);
            WriteBatch();
            return;
        }

        foreach (ulong sequence in recovery.LeftOver)
        {
            Delete(sequence);
        }

        DeleteUnneeded();
        _recovery = null;
        _recovered = new(
            _contents.HardState,
            _contents.Base,
            _contents.BaseTerm,
            _contents.Last,
            _contents.TermStarts(),
            recovery.Memberships);
        _lastWaiting = _contents.Last;
        _client.LogOpened(_recovered);
        _step = LogStep.Idle;
        WriteNext();
    }

    /// <summary>Deletes the oldest segments that hold no entry of the log, if all that says so is durable.</summary>
    private void DeleteUnneeded()
    {
        if (_durable < _written && Guards.OldLogOutlivesInstall)
        {
            return;
        }

        ulong oldest = _contents.OldestSegment(none: Segment);
        while (_segments[0] < oldest)
        {
            Delete(_segments[0]);
            _segments.RemoveAt(0);
        }
    }

    private void Delete(ulong sequence) =>
        _disk.Submit(new(_nextTicket++, DiskOperationKind.Delete, LogBatch.FileName(_prefix, sequence)), this);

    /// <summary>Follows where the log will end once all waiting writes are in, and what they take from reads.</summary>
    private void NoteCuts(Persist persist)
    {
        if (persist.ResetTo is SnapshotMeta snapshot)
        {
            _reads.Cut(LogIndex.Zero);
            _lastWaiting = snapshot.Index;
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            _reads.Cut(persist.TruncateFrom);
            _lastWaiting = LogIndex.Min(_lastWaiting, persist.TruncateFrom.Previous);
        }

        if (persist.Entries.Length > 0)
        {
            Invariant.Check(
                persist.Entries[0].Index == _lastWaiting.Next,
                $"entry {persist.Entries[0].Index} follows the log's last entry {_lastWaiting}");
            _lastWaiting = persist.Entries[^1].Index;
        }
    }

    private LogView View()
    {
        var cut = new LogIndex(ulong.MaxValue);
        foreach (Persist persist in _waiting)
        {
            LogIndex from = persist.ResetTo is null ? persist.TruncateFrom : new(1);
            cut = from == LogIndex.Zero ? cut : LogIndex.Min(cut, from);
        }

        return new(_contents, Segment, _written, _lastWaiting, cut);
    }

    private void CompleteRead(LogRead read, in DiskCompletion completion)
    {
        if (LogReads.Decode(read, completion, _contents.Base) is Entry[] entries)
        {
            _client.LogRead(read.Tag, entries);
            return;
        }

        Fail(LogSentences.Damaged(LogBatch.FileName(_prefix, read.Segment), read));
    }

    private void FailStep(DiskStatus status) => Fail(LogSentences.DiskFailed(_step, _segmentName, status));

    private void Fail(string sentence)
    {
        _step = LogStep.Dead;
        _client.LogFailed(sentence);
    }

    private void Go(LogStep step, in DiskOperation operation)
    {
        _step = step;
        _stepTicket = _nextTicket++;
        _disk.Submit(operation with { Ticket = _stepTicket }, this);
    }
}
