using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Log;

/// <summary>
/// Opens a log: lets recovery read what is there, writes a new segment with all that was not known to be durable
/// (pitfall R28), and a second, empty batch behind it, which says that the first one is durable: from then on rot in
/// what was recovered is told from a torn tail. Only then may the files go that the new segment replaces.
/// </summary>
internal sealed class LogOpening
{
    private readonly string _prefix;
    private readonly NodeLogSettings _settings;
    private readonly LogStreams _streams;
    private readonly LogSegments _segments;
    private readonly LogBatchBuilder _builder;
    private readonly DiskJobs _jobs;
    private readonly LogRecovery _recovery;
    private readonly LogFileMaker _maker;

    public LogOpening(
        IDisk disk,
        string prefix,
        NodeLogSettings settings,
        LogStreams streams,
        LogSegments segments,
        LogBatchBuilder builder,
        IEntropy entropy)
    {
        _prefix = prefix;
        _settings = settings;
        _streams = streams;
        _segments = segments;
        _builder = builder;
        _jobs = new(disk, jobsMax: 1);
        _recovery = new(prefix, settings, _jobs, streams, segments, entropy);
        _maker = new(_jobs, prefix);
    }

    /// <summary>Why the log can not be opened, for people; or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>The log's mark, unless the log can not be opened.</summary>
    public LogMark? Mark => _recovery.Mark;

    /// <summary>The files that may be recycled once the log is open.</summary>
    public IReadOnlyList<ulong> LeftOver => _recovery.LeftOver;

    /// <summary>In the new segment: its length in bytes, where the last batch ends, and the chain there.</summary>
    public int SegmentBytes { get; private set; }

    public long Written { get; private set; }

    public uint Chain { get; private set; }

    public void Start(Action done) => _jobs.Add(Run(done));

    private IEnumerable<DiskStep> Run(Action done)
    {
        yield return DiskStep.All(_recovery.Run());
        Failure = _recovery.Failure;
        if (Failure is null)
        {
            _builder.Secret = _recovery.Mark!.Secret;
            yield return DiskStep.All(MakeMark());
        }

        ulong sequence = _recovery.NextSequence;
        ReadOnlyMemory<byte> first = Failure is null ? ComposeFirst(sequence) : default;
        if (Failure is null)
        {
            SegmentBytes = Math.Max(_settings.SegmentBytes, first.Length + LogBatch.BlockBytes);
            yield return DiskStep.All(Unname(sequence));
        }

        if (Failure is null)
        {
            yield return DiskStep.All(
                _maker.Make(_recovery.Reused, sequence, SegmentBytes, isNew: true, isProven: false));
            if (_maker.IsFull)
            {
                // A node must start on a full disk: nothing else can release what fills it.
                SegmentBytes = first.Length + Math.Min(_settings.OpenReserveBytes, _settings.SegmentBytes / 2);
                yield return DiskStep.All(_maker.Make(null, sequence, SegmentBytes, isNew: true, isProven: false));
            }

            Failure = _maker.Sentence;
        }

        if (Failure is null && Core.Guards.NewestSegmentIsWitnessed)
        {
            string mark = LogMark.FileName(_prefix);
            ulong before = _recovery.Last == sequence ? 0 : _recovery.Last;
            ReadOnlyMemory<byte> named = _recovery.Mark!.Begin(sequence, SegmentBytes, before, out long offset);
            yield return new DiskOperation(0, DiskOperationKind.WriteDurable, mark, offset, named);
            CheckEnd(mark);
        }

        string file = LogBatch.FileName(_prefix, sequence);
        if (Failure is null)
        {
            yield return new DiskOperation(0, DiskOperationKind.WriteDurable, file, 0, first);
            CheckEnd(file);
            Written += first.Length;
        }

        if (Failure is null)
        {
            _builder.Begin(sequence, Written);
            ReadOnlyMemory<byte> second = _builder.Finish(new(sequence, Written), Chain, out uint chain);
            Chain = chain;
            yield return new DiskOperation(0, DiskOperationKind.WriteDurable, file, Written, second);
            CheckEnd(file);
            Written += second.Length;
        }

        done();
    }

    /// <summary>
    /// The very first segment may be begun over under its own name. While it is, the mark must not say how long it is.
    /// </summary>
    private IEnumerable<DiskStep> Unname(ulong sequence)
    {
        if (_recovery.Mark!.Newest == sequence)
        {
            string file = LogMark.FileName(_prefix);
            ReadOnlyMemory<byte> bytes = _recovery.Mark.Begin(0, 0, before: 0, out long offset);
            yield return new DiskOperation(0, DiskOperationKind.WriteDurable, file, offset, bytes);
            CheckEnd(file);
        }
    }

    /// <summary>The mark, made durable; of a new log, its name too, before there is a segment.</summary>
    private IEnumerable<DiskStep> MakeMark()
    {
        string file = LogMark.FileName(_prefix);
        ReadOnlyMemory<byte> bytes = _recovery.Mark!.Again(out long offset);
        bool isNew = _recovery.Mark.Newest == 0;
        yield return new DiskOperation(0, DiskOperationKind.WriteDurable, file, offset, bytes);
        CheckEnd(file);
        if (Failure is null && isNew && Core.Guards.NewFilesAreMadeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");
            CheckEnd("of the data folder");
        }
    }

    private void CheckEnd(string file)
    {
        DiskStatus status = _jobs.Completion.Status;
        bool isFine = status == DiskStatus.Done
            || (status == DiskStatus.Failed && !Core.Guards.FailedSyncIsFatal);
        Failure = isFine ? null : LogSentences.DiskFailed("writing", $"the log file {file}", status);
    }

    /// <summary>The new segment's first batch, with the records of the tail, which are replayed at once.</summary>
    private ReadOnlyMemory<byte> ComposeFirst(ulong sequence)
    {
        _builder.Begin(sequence, 0);
        _builder.AddStandings(_recovery.Head, _streams);
        _segments.Add(sequence);
        foreach (byte[] records in _recovery.Tail)
        {
            int at = 0;
            while (at < records.Length)
            {
                if (!LogRecord.TryRead(records, at, out LogRecord record))
                {
                    Failure = LogSentences.Foreign(LogBatch.FileName(_prefix, sequence - 1), at);
                    return default;
                }

                _streams.Apply(record, sequence, _builder.NextOffset);
                _builder.Add(records.AsSpan(at, record.Length));
                at += record.Length;
            }
        }

        _recovery.CheckComplete();
        Failure = _recovery.Failure;
        ReadOnlyMemory<byte> batch = _builder.Finish(
            new(sequence, 0), LogBatch.ChainStart(sequence, _builder.Secret), out uint chain);
        Chain = chain;
        return batch;
    }
}
