using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Disk;
using Quorate.Storage.Encryption;

namespace Quorate.Storage.Log;

/// <summary>
/// Finds out what a log's files hold. The newest file whose first batch is whole is the log's last segment; each
/// segment names the one before it and up to where that one counts. Files that none names are left over from an opening
/// that was cut short, from a release, or made ready for later, and do not count.
/// <para>Since a batch is begun only when the one before it is durable, all but the last batch of the last segment is
/// known to be durable. That one, the tail, may be in the page cache alone, even if its sync seemed to succeed later
/// (pitfalls R28 and R11: after a failed sync the kernel takes the pages for clean); it is to be written anew before
/// anything acts on it.</para>
/// <para>Damage below a durable point that a later batch names is corruption; above it, a torn tail, which is cut.
/// The exception: rot inside the last whole batch of all looks like a torn tail.</para>
/// </summary>
internal sealed class LogRecovery(
    string prefix, NodeLogSettings settings, DiskJobs jobs, LogStreams streams, LogSegments segments, IEntropy entropy)
{
    private readonly LogFileWindow _window = new(jobs, settings.OpenPieceBytes);
    private readonly SortedDictionary<ulong, LogHead> _heads = [];
    private readonly List<(byte[] Records, long Offset)> _tail = [];
    private ulong _oldest;
    private ulong _last;
    private long _end;
    private uint _chain;

    /// <summary>Where the tail begins in the last segment, and the chain before it.</summary>
    private long _tailStart;
    private uint _tailChain;

    /// <summary>What headers of torn first batches say was durable before them.</summary>
    private readonly List<LogPoint> _provenBefore = [];

    /// <summary>Why the log can not be opened, for people; or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>The log's mark, unless the log can not be opened.</summary>
    public LogMark? Mark { get; private set; }
    private LogSecret Secret => Mark?.Secret ?? default;

    /// <summary>The sequence of the segment to begin, under which nothing was ever acknowledged.</summary>
    public ulong NextSequence { get; private set; }

    /// <summary>What the new segment must begin with.</summary>
    public LogHead Head { get; private set; }

    /// <summary>The log's last segment; zero for none.</summary>
    public ulong Last => _last;

    /// <summary>The records of batches that are not known to be durable, to be written anew.</summary>
    public IEnumerable<byte[]> Tail => _tail.Select(batch => batch.Records);

    /// <summary>The segments that do not count once the new one is durable, ascending.</summary>
    public List<ulong> LeftOver { get; } = [];

    /// <summary>The file that the next segment is made of: a spare, or its own; null when there is none.</summary>
    public ulong? Reused { get; private set; }

    /// <summary>Reads everything that counts.</summary>
    public IEnumerable<DiskStep> Run()
    {
        yield return new DiskOperation(0, DiskOperationKind.List, "");
        if (jobs.Completion.Status != DiskStatus.Done)
        {
            Failure = "The disk failed: the data folder could not be listed. Check the disk, then start again.";
            yield break;
        }

        IReadOnlyList<string> names = jobs.Completion.Names ?? [];
        List<ulong> sequences = LogBatch.Sequences(prefix, names);
        var reading = new LogMarkReading(prefix, jobs, entropy);
        yield return DiskStep.All(reading.Run(names, sequences));
        Mark = reading.Mark;
        foreach (ulong sequence in sequences)
        {
            yield return DiskStep.All(ReadHead(sequence));
        }

        // A version before this one's had segments and no mark, which their headers tell better.
        Failure ??= reading.Failure;
        if (Failure is not null)
        {
            yield break;
        }

        _last = _heads.Count == 0 ? 0 : _heads.Keys.Last();
        NextSequence = _last == 0 ? 1 : sequences[^1] + 1;
        foreach (ulong sequence in sequences.Where(sequence => sequence > _last && Failure is null))
        {
            yield return DiskStep.All(LookForEvidence(sequence, 0));
        }

        Failure ??= LogMarkReading.BeforeGone(prefix, Mark, sequences, _heads.Keys);
        // The first segment of all may be torn, for nothing was said to be durable before it was. A later one never
        // stands alone without having been durable.
        Failure ??= _last == 0 && sequences.Exists(sequence => sequence != 1)
            ? LogSentences.NothingLeft(LogBatch.FileName(prefix, sequences[^1]))
            : null;

        List<ulong> chain = Chain(sequences);
        _oldest = chain.Count > 0 ? chain[0] : 0;
        for (int i = 0; i < chain.Count && Failure is null; i++)
        {
            yield return DiskStep.All(
                ReadSegment(chain[i], isFirst: i == 0, i + 1 < chain.Count ? _heads[chain[i + 1]] : null));
        }

        // While the last segment is not known to be durable, what was copied into it may be nowhere else than in the
        // segments before it: those wait until the next one is (seed 7400027).
        bool lastMayVanish = _last != 0 && _tailStart == 0 && _tail.Count <= 1;
        LeftOver.AddRange(sequences.Where(sequence => !segments.Sequences.Contains(sequence)));
        ulong? spare = LeftOver.Exists(IsSpare) ? LeftOver.FindLast(IsSpare) : null;
        Reused = sequences.Contains(NextSequence) ? NextSequence : spare;
        LeftOver.RemoveAll(sequence => sequence == Reused);
        bool IsSpare(ulong sequence) => sequence != _last
            && sequence != NextSequence
            && ((sequence != Mark!.Newest && sequence != Mark.Before) || !Guards.NewestSegmentIsWitnessed)
            && !(lastMayVanish && _heads.ContainsKey(sequence));
    }

    /// <summary>After all is replayed: entries that only a missing segment held make the log incomplete.</summary>
    public void CheckComplete()
    {
        NodeLogStream? incomplete = streams.Join();
        if (Failure is null && incomplete is not null)
        {
            (LogIndex from, LogIndex to) = incomplete.Contents.Missing!.Value;
            Failure = LogSentences.EntriesMissing(
                LogBatch.FileName(prefix, _heads[_oldest].Previous),
                incomplete.Id,
                $"from {from} to {to}");
        }
    }

    /// <summary>The segments that count, ascending.</summary>
    private List<ulong> Chain(List<ulong> sequences)
    {
        var chain = new List<ulong>();
        for (ulong at = _last; at != 0 && Failure is null; at = _heads[at].Previous)
        {
            chain.Insert(0, at);
            ulong previous = _heads[at].Previous;
            if (previous == 0 || !sequences.Contains(previous))
            {
                break;
            }

            if (!_heads.ContainsKey(previous))
            {
                Failure = LogSentences.DamagedBelow(LogBatch.FileName(prefix, previous), 0, _heads[at].PreviousEnd);
            }
        }

        return chain;
    }

    /// <summary>Reads the first batch of a segment, if it is whole.</summary>
    private IEnumerable<DiskStep> ReadHead(ulong sequence)
    {
        string file = LogBatch.FileName(prefix, sequence);
        _window.Begin(file, LogBatch.BlockBytes);
        yield return DiskStep.All(_window.Ensure(0, LogBatch.BlockBytes));
        if (IsReadable(file) && LogBatch.TryReadHeader(_window.From(0), Secret, sequence, 0, out LogBatch batch))
        {
            yield return DiskStep.All(_window.Ensure(0, batch.Length));
            ReadOnlySpan<byte> bytes = _window.From(0);
            if (IsReadable(file)
                && bytes.Length >= batch.Length
                && batch.IsWholeAfter(
                    bytes[..batch.Length], Secret, LogBatch.ChainStart(sequence, Secret), sequence))
            {
                bool isHead = LogRecord.TryRead(batch.Body(bytes), 0, out LogRecord record)
                    && record.Kind == LogRecordKind.Head;
                Failure ??= isHead ? null : LogSentences.Foreign(file, 0);
                _heads.Add(sequence, record.Head);
            }
            else
            {
                _provenBefore.Add(batch.DurableBefore);
            }
        }
        else if (LogBatch.IsForeign(_window.From(0)))
        {
            Failure ??= LogSentences.Foreign(file, 0);
        }
    }

    /// <summary>
    /// Reads a segment's batches up to where the next one says that it counts, or the last one's to its end.
    /// </summary>
    private IEnumerable<DiskStep> ReadSegment(ulong sequence, bool isFirst, LogHead? next)
    {
        string file = LogBatch.FileName(prefix, sequence);
        long limit = next?.PreviousEnd ?? long.MaxValue;
        bool isStarted = false;
        _window.Begin(file, settings.OpenPieceBytes);
        _end = 0;
        _chain = LogBatch.ChainStart(sequence, Secret);
        segments.Add(sequence);
        while (Failure is null && _end < limit)
        {
            if (!_window.Has(_end, LogBatch.BlockBytes))
            {
                yield return DiskStep.All(_window.Ensure(_end, LogBatch.BlockBytes));
            }

            if (!IsReadable(file)
                || !LogBatch.TryReadHeader(_window.From(_end), Secret, sequence, _end, out LogBatch batch))
            {
                break;
            }

            isStarted = true;
            if (!_window.Has(_end, batch.Length))
            {
                yield return DiskStep.All(_window.Ensure(_end, batch.Length));
            }

            if (!IsReadable(file) || !TakeBatch(batch, sequence, isFirst, isLast: next is null))
            {
                break;
            }

            isStarted = false;
        }

        if (Failure is null && next is LogHead after)
        {
            Failure = _end == after.PreviousEnd && _chain == after.PreviousChain
                ? null
                : LogSentences.DamagedBelow(file, _end, after.PreviousEnd);
        }
        else if (Failure is null)
        {
            Failure = isStarted && !Guards.TornTailIsNotCorruption
                ? LogSentences.DamagedBelow(file, _end, _end + 1)
                : null;
            foreach (LogPoint proven in _provenBefore)
            {
                Failure ??= proven.Segment == sequence && proven.Offset > _end && Guards.DamageBelowDurableIsCorruption
                    ? LogSentences.DamagedBelow(file, _end, proven.Offset)
                    : null;
            }

            yield return DiskStep.All(LookForEvidence(sequence, _end));
            EndLast();
        }
    }

    private bool TakeBatch(in LogBatch batch, ulong sequence, bool isFirst, bool isLast)
    {
        ReadOnlySpan<byte> bytes = _window.From(_end);
        if (bytes.Length < batch.Length || !batch.IsWholeAfter(bytes[..batch.Length], Secret, _chain, sequence))
        {
            return false;
        }

        ReadOnlySpan<byte> body = batch.Body(bytes);
        int start = _end == 0 ? TakeStandings(body, isFirst) : 0;
        if (isLast && Guards.RecoveredTailMadeDurable)
        {
            Postpone(body[start..], batch, sequence, start);
        }
        else
        {
            Replay(body[start..], sequence, _end + LogBatch.HeaderBytes + start);
        }

        _end = batch.End;
        _chain = batch.Chain;
        return true;
    }

    /// <summary>
    /// Takes what the first batch of a segment says of the time before it; the offset of the records after that.
    /// </summary>
    private int TakeStandings(ReadOnlySpan<byte> body, bool isFirst)
    {
        int at = 0;
        while (at < body.Length
            && LogRecord.TryRead(body, at, out LogRecord record)
            && record.Kind is LogRecordKind.Head or LogRecordKind.Stream)
        {
            at += record.Length;
            if (record.Kind == LogRecordKind.Stream && isFirst)
            {
                streams.GetOrAdd(record.Stream).Contents.Stand(record.Standing);
            }
            else if (record.Kind == LogRecordKind.Stream)
            {
                Invariant.Check(
                    streams.GetOrAdd(record.Stream).Contents.Standing == record.Standing,
                    $"a segment begins with what the segments before it say of {record.Stream}");
            }
        }

        return at;
    }

    /// <summary>
    /// Keeps the records of the last segment's batches back: all of them while they are few enough to be written anew
    /// together, else those of the last batch.
    /// </summary>
    private void Postpone(ReadOnlySpan<byte> records, in LogBatch batch, ulong sequence, int start)
    {
        if (_tail.Count > 0 && (batch.End > settings.OpenCopyBytesMax || _tailStart > 0))
        {
            foreach ((byte[] kept, long offset) in _tail)
            {
                Replay(kept, sequence, offset);
            }

            _tail.Clear();
            _tailStart = batch.Offset;
            _tailChain = batch.ChainBefore;
        }

        _tail.Add((records.ToArray(), batch.Offset + LogBatch.HeaderBytes + start));
    }

    private void Replay(ReadOnlySpan<byte> records, ulong sequence, long offset)
    {
        int at = 0;
        while (at < records.Length && Failure is null)
        {
            if (!LogRecord.TryRead(records, at, out LogRecord record))
            {
                Failure = LogSentences.Foreign(LogBatch.FileName(prefix, sequence), offset + at);
                return;
            }

            streams.Apply(record, sequence, offset + at);
            at += record.Length;
        }
    }

    /// <summary>The last segment has been read: what the next one must begin with.</summary>
    private void EndLast()
    {
        if (!Guards.RecoveredTailMadeDurable)
        {
            Head = new(_last, _end, _chain);
        }
        else if (_tailStart == 0)
        {
            Head = _heads[_last];
            segments.RemoveCurrent();

            // Without its second batch the very first segment was never opened: it is begun over under its own name, so
            // that a name behind the first always tells of a log that was.
            NextSequence = _last == 1 && _tail.Count == 1 ? 1 : NextSequence;
        }
        else
        {
            Head = new(_last, _tailStart, _tailChain);
        }
    }

    /// <summary>
    /// Looks beyond damage for a batch that says that what is damaged was durable. It is found by its header alone, for
    /// the length in a damaged one proves nothing.
    /// </summary>
    private IEnumerable<DiskStep> LookForEvidence(ulong sequence, long damaged)
    {
        string file = LogBatch.FileName(prefix, sequence);
        if (damaged == 0)
        {
            _window.Begin(file, settings.OpenPieceBytes);
        }

        for (long at = damaged + LogBatch.BlockBytes; ; at += LogBatch.BlockBytes)
        {
            if (!_window.Has(at, LogBatch.HeaderBytes))
            {
                yield return DiskStep.All(_window.Ensure(at, LogBatch.BlockBytes));
            }

            if (!IsReadable(file) || _window.From(at).IsEmpty || Failure is not null)
            {
                yield break;
            }

            bool isEvidence = LogBatch.TryReadHeader(_window.From(at), Secret, sequence, at, out LogBatch batch)
                && batch.DurableBefore.Segment == sequence
                && batch.DurableBefore.Offset > damaged;
            Failure = isEvidence && Guards.DamageBelowDurableIsCorruption
                ? LogSentences.DamagedBelow(file, damaged, batch.DurableBefore.Offset)
                : null;
        }
    }

    private bool IsReadable(string file)
    {
        Failure ??= _window.IsFailed ? LogSentences.Unreadable(file) : null;
        return !_window.IsFailed;
    }
}
