using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Log;

/// <summary>
/// The log of a node, shared by all its replicas: each has a stream in it. One write is under way at a time; what
/// arrives meanwhile, of whichever stream, forms the next batch and shares its sync (group commit, as in Gray and
/// Reuter, Transaction Processing, section 9.4; one log for many groups as in CockroachDB's and TiKV's raft engines).
/// <para>Invariants: nothing that counts is overwritten; truncation, release and drop are records. A batch is begun
/// when the one before it is durable, and a write is reported after its batch is; a write that needs no sync may be
/// reported before it is written at all, once everything before it is durable. A segment's file is used again only
/// when every stream has released what lies in it and the records that say so are durable (pitfalls R14, R16). After a
/// failure the log is dead: it reports nothing more.</para>
/// <para>Each segment begins with where every stream stands, so that hard states and bases outlive the segments in
/// which they were written.</para>
/// </summary>
public sealed class NodeLog : IDiskClient
{
    private readonly IDisk _disk;
    private readonly string _prefix;
    private readonly INodeLogClient _client;
    private readonly IEntropy _entropy;
    private readonly NodeLogSettings _settings;
    private readonly LogBatchBuilder _builder;
    private readonly LogSegments _segments;
    private readonly LogStreams _streams;
    private readonly LogSpares _spares;
    private readonly LogTurns _turns;
    private readonly StuckEntries _stuck;
    private readonly LogQueue _queue;
    private List<LogWrite> _reports = [];
    private readonly List<NodeLogStream> _opening = [];

    private Step _step = Step.Closed;
    private string _segmentName = "";
    private ulong _batchTicket;
    private ulong _markTicket;
    private LogMark? _mark;
    private ulong _nextTicket = 1;

    /// <summary>In the segment being written: its length, where the last batch ends, and the chain there.</summary>
    private int _segmentBytes;
    private long _written;
    private uint _chain;
    private long _batchEnd;
    private uint _batchChain;
    private bool _batchBeginsSegment;

    /// <summary>Where the durable log ends: at the last batch, since one is under way at a time.</summary>
    private LogPoint _durableBefore;
    private bool _spaceWasLow;
    private long _retryAt;

    /// <summary>With so many entries a stream is asked for a checkpoint.</summary>
    private long _entriesAskAt;

    /// <param name="entropy">Gives a new log its secret.</param>
    /// <param name="keys">Those that entries are sealed with, if any are: each stays while a segment needs it.</param>
    public NodeLog(
        IDisk disk,
        string prefix,
        NodeLogSettings settings,
        INodeLogClient client,
        IEntropy entropy,
        KeyRing? keys = null)
    {
        Invariant.Check(settings.SegmentBytes % LogBatch.BlockBytes == 0, "a segment has whole blocks");
        _disk = disk;
        _prefix = prefix;
        _settings = settings;
        _client = client;
        _entropy = entropy;
        _segments = new(keys);
        _builder = new(settings.BatchBytesMax);
        _streams = new(_segments, settings.ReadBytesMax);
        _spares = new(disk, prefix, settings, SparesChanged, Fail);
        _turns = new(disk, prefix, settings.ReadsUnderWayBytesMax, View, Fail);
        _stuck = new(disk, prefix, settings, _streams, _segments, WriteNext, Fail);
        _queue = new(settings.WritesWaitingMax, settings.LazyWritesMax);
        _entriesAskAt = settings.EntriesKeptMax + 1;
    }

    private enum Step
    {
        Closed,
        Opening,
        Idle,
        Writing,

        /// <summary>
        /// The next batch does not fit, and the next segment is not ready; on a full disk until there is space.
        /// </summary>
        AwaitingSegment,
        Dead,
    }

    /// <summary>The segments that hold something of the log, ascending.</summary>
    public IReadOnlyList<string> Segments =>
        [.. _segments.Sequences.Select(sequence => LogBatch.FileName(_prefix, sequence))];

    /// <summary>Entries that nobody could release and that were written again since the log was opened.</summary>
    public long EntriesWrittenAgain => _stuck.Count;

    /// <summary>Reads what is there; then <see cref="INodeLogClient.LogOpened"/>.</summary>
    public void Open()
    {
        Invariant.Check(_step == Step.Closed, "a log is opened once");
        _step = Step.Opening;
        var opening = new LogOpening(_disk, _prefix, _settings, _streams, _segments, _builder, _entropy);
        opening.Start(() => CompleteOpening(opening));
    }

    /// <summary>
    /// The log of one replica, to be opened by its owner, before or after the node's has been read. One owner at a
    /// time.
    /// </summary>
    public IGroupLog For(LogStream stream, IGroupLogClient client)
    {
        NodeLogStream found = _streams.GetOrAdd(stream);
        found.Attach(this, client);
        return found;
    }

    /// <summary>
    /// The stream and all that it holds are no longer needed; its owner, if any, is told nothing more. Becomes durable
    /// with the next batch, of which <paramref name="dropped"/> tells; until then a restart may find the stream again.
    /// </summary>
    public void Drop(LogStream stream, Action? dropped = null)
    {
        if (_step == Step.Dead || !_streams.TryFind(stream, out NodeLogStream? found))
        {
            return;
        }

        Invariant.Check(_step is not (Step.Closed or Step.Opening), "a stream is dropped after the log was read");
        found.Detach();
        Enqueue(new(found, null, dropped));
    }

    /// <summary>
    /// Looks for space again, when there was too little: to be called now and then, for a log to which nothing is
    /// written, or which waits for its next segment, can not know that there is some.
    /// </summary>
    public void LookForSpace()
    {
        if (_spares.IsLow && _step is Step.Idle or Step.Writing or Step.AwaitingSegment)
        {
            _spares.Go();
        }
    }

    void IDiskClient.Complete(in DiskCompletion completion)
    {
        if (_step == Step.Dead)
        {
            return;
        }

        if (completion.Ticket == _batchTicket)
        {
            _batchTicket = 0;
            CheckWritten(completion.Status, _segmentName);
        }
        else if (completion.Ticket == _markTicket)
        {
            _markTicket = 0;
            CheckWritten(completion.Status, LogMark.FileName(_prefix));
        }

        // What is in a segment's first batch is acknowledged once the mark, too, says that the segment was begun.
        if (_step == Step.Writing && _batchTicket == 0 && _markTicket == 0)
        {
            CompleteBatch();
        }
    }

    internal void OpenStream(NodeLogStream stream)
    {
        if (_step is Step.Closed or Step.Opening)
        {
            _opening.Add(stream);
        }
        else if (_step != Step.Dead)
        {
            _turns.Open(stream, _segmentName);
        }
    }

    internal void Write(NodeLogStream stream, Persist persist)
    {
        if (_step != Step.Dead)
        {
            stream.NoteWaiting(persist);
            Enqueue(new(stream, persist));
        }
    }

    internal void Read(NodeLogStream stream, LogRead read)
    {
        if (_step == Step.Dead)
        {
            return;
        }

        Invariant.Check(stream.IsOpened, "a log is read after it has been opened");
        Invariant.Check(stream.Reads.Count < _settings.ReadsWaitingMax, "the group bounds its reads in flight");
        _turns.Read(stream, read);
    }

    private void Enqueue(in LogWrite write)
    {
        _queue.Add(write);
        WriteNext();
    }

    private void CompleteOpening(LogOpening opening)
    {
        if (opening.Failure is string failure)
        {
            Fail(failure);
            return;
        }

        _mark = opening.Mark;
        (_segmentBytes, _written, _chain) = (opening.SegmentBytes, opening.Written, opening.Chain);
        _durableBefore = new(_segments.Current, _written);
        _segmentName = LogBatch.FileName(_prefix, _segments.Current);
        _spares.Start(_segments.Current + 1, opening.LeftOver);
        RecycleFree();
        LogStream[] known = [.. _streams.All.Where(s => !s.Contents.IsBlank).Select(s => s.Id)];
        _step = Step.Writing;
        _client.LogOpened(known);
        foreach (NodeLogStream stream in _opening)
        {
            stream.Client?.LogOpened(stream.Recovered());
        }

        _opening.Clear();
        GoOn();
    }

    /// <summary>Writes the next batch if there is something to write and the one before it is durable.</summary>
    private void WriteNext()
    {
        if (_step is not (Step.Idle or Step.AwaitingSegment))
        {
            return;
        }

        // What frees a segment goes first, and alone while nothing else can.
        bool frees = MayFree() && TryBegin(_stuck.Bytes);
        if (!frees && !_queue.HasWork)
        {
            return;
        }

        if (!frees && !TryBegin(checked((int)_queue.NextBytes)))
        {
            _step = Step.AwaitingSegment;
            return;
        }

        if (frees)
        {
            _stuck.Compose(_builder);
        }
        else
        {
            Compose(_queue.Take());
        }

        while (_queue.NextBytes <= Math.Min(_settings.BatchBytesMax, _segmentBytes - _written) - _builder.Length)
        {
            Compose(_queue.Take());
        }

        WriteBatch();
    }

    /// <summary>
    /// Entries that are stuck may be written again: while space is low, into half of what is left, for the other half
    /// is for releases, drops and hard states.
    /// </summary>
    private bool MayFree() => _stuck.IsReady
        && (!_spares.IsLow || LogBatch.LengthFor(_stuck.Bytes) <= (_segmentBytes - _written) / 2);

    /// <summary>
    /// Begins a batch with room for so many bytes; false when it needs the next segment, which is not ready.
    /// </summary>
    private bool TryBegin(int bytes)
    {
        if (_written + LogBatch.LengthFor(bytes) > _segmentBytes)
        {
            return BeginSegment(bytes);
        }

        _batchBeginsSegment = false;
        _builder.Begin(_segments.Current, _written);
        return true;
    }

    /// <summary>
    /// Starts a batch that begins the next segment and has room for so many bytes; false when that is not ready.
    /// </summary>
    private bool BeginSegment(int bytes)
    {
        int needed = LogBatch.LengthFor(checked(LogRecord.HeadBytes + _streams.StandingsBytes + bytes));
        if (!_spares.TryTake(Math.Max(needed, _settings.SegmentBytes), out ulong sequence, out int length))
        {
            return false;
        }

        var head = new LogHead(_segments.Current, _written, _chain);
        _segments.Add(sequence);
        _segmentName = LogBatch.FileName(_prefix, sequence);
        _segmentBytes = length;
        _durableBefore = new(head.Previous, _written);
        _written = 0;
        _chain = LogBatch.ChainStart(sequence, _builder.Secret);
        _retryAt = 0;
        _batchBeginsSegment = true;
        _builder.Begin(sequence, 0);
        _builder.AddStandings(head, _streams);
        return true;
    }

    private void Compose(in LogWrite write)
    {
        if (write.Persist is Persist persist)
        {
            _builder.Compose(write.Stream.Id, persist, write.Stream.Contents);
            write.Stream.NoteComposed(persist.Sequence);
        }
        else
        {
            _builder.AddDrop(write.Stream.Id);
            _streams.Remove(write.Stream.Id);
        }
    }

    private void WriteBatch()
    {
        ReadOnlyMemory<byte> bytes = _builder.Finish(_durableBefore, _chain, out _batchChain);
        _batchEnd = _written + bytes.Length;
        _step = Step.Writing;
        _batchTicket = _nextTicket++;
        _markTicket = _batchBeginsSegment && Guards.NewestSegmentIsWitnessed ? _nextTicket++ : 0;
        if (_markTicket != 0)
        {
            ulong before = _segments.BeforeCurrent;
            ReadOnlyMemory<byte> named = _mark!.Begin(_segments.Current, _segmentBytes, before, out long at);
            _disk.Submit(new(_markTicket, DiskOperationKind.WriteDurable, LogMark.FileName(_prefix), at, named), this);
        }

        _disk.Submit(new(_batchTicket, DiskOperationKind.WriteDurable, _segmentName, _written, bytes), this);
        if (!Guards.OldLogOutlivesInstall)
        {
            RecycleFree();
        }
    }

    private void CheckWritten(DiskStatus status, string file)
    {
        if (status != DiskStatus.Done && (status == DiskStatus.Full || Guards.FailedSyncIsFatal))
        {
            Fail(LogSentences.DiskFailed("writing", $"the log file {file}", status));
        }
    }

    private void CompleteBatch()
    {
        long bytes = _batchEnd - _written;
        _written = _batchEnd;
        _chain = _batchChain;
        _durableBefore = new(_segments.Current, _written);
        RecycleFree();
        _reports = _queue.Complete(_reports);
        Report();
        _turns.StartPostponed();
        if (_batchBeginsSegment)
        {
            _stuck.Ask(_client.CheckpointWanted);
        }

        _stuck.Completed(bytes);

        AskForFewerEntries();
        if (_spares.IsLow && _written >= _retryAt)
        {
            _retryAt = _written + (_segmentBytes / 8);
            _spares.Go();
        }

        GoOn();
    }

    /// <summary>
    /// Reports writes that need no sync if nothing before them is missing from the disk, and goes on with the rest.
    /// </summary>
    private void GoOn()
    {
        if (_step != Step.Dead)
        {
            _queue.CompleteLazy(_reports);
            Report();
        }

        if (_step != Step.Dead)
        {
            _step = Step.Idle;
            WriteNext();
        }
    }

    private void Report()
    {
        foreach (LogWrite write in _reports)
        {
            if (_step != Step.Dead)
            {
                write.Report();
            }
        }

        _reports.Clear();
    }

    private void RecycleFree()
    {
        while (_segments.OldestIsFree)
        {
            _spares.Recycle(_segments.RemoveOldest());
        }
    }

    private void AskForFewerEntries()
    {
        if (_segments.Entries <= _settings.EntriesKeptMax)
        {
            _entriesAskAt = _settings.EntriesKeptMax + 1;
        }
        else if (_segments.Entries >= _entriesAskAt)
        {
            _entriesAskAt = _segments.Entries + (_settings.EntriesKeptMax / 8) + 1;
            NodeLogStream? heaviest = _streams.All.MaxBy(stream => stream.Contents.Count);
            if (heaviest is not null)
            {
                _client.CheckpointWanted(heaviest.Id);
            }
        }
    }

    private void SparesChanged()
    {
        if (_spares.IsLow != _spaceWasLow)
        {
            _spaceWasLow = _spares.IsLow;
            _client.SpaceIsLow(_spaceWasLow);
        }

        if (_spaceWasLow)
        {
            // No segment is begun, which would ask.
            _stuck.Ask(_client.CheckpointWanted);
        }

        WriteNext();
    }

    private LogView View(NodeLogStream stream) =>
        new(stream.Contents, _segments.Current, _written, stream.LastWaiting, stream.Cut);

    private void Fail(string sentence)
    {
        if (_step != Step.Dead)
        {
            _step = Step.Dead;
            _spares.Stop();
            _turns.Stop();
            _stuck.Stop();
            _client.LogFailed(sentence);
        }
    }
}
