using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>
/// Finds out what a log's files hold. Segments are asked for one at a time, newest first: the newest whose first
/// batch is whole is the log's last, and each names the one before it and up to where that one counts. Files that
/// none names are left over from an opening that was cut short or from a release, and do not count.
/// <para>The last segment is divided at the offset below which it is known to be durable. What lies above it, the
/// tail, may be in the page cache alone, even if its sync seemed to succeed later (pitfalls R28 and R11: after a
/// failed sync the kernel takes the pages for clean); it is to be written anew before anything acts on it.</para>
/// <para>Damage below a durable offset that a later batch names is corruption; above it, a torn tail, which is cut.
/// The exception: rot inside the last whole batch of all looks like a torn tail.</para>
/// </summary>
internal sealed class LogRecovery
{
    private const string Advice =
        "This replica can not prove what it holds: restore its data folder from a copy, "
        + "or remove it and let the replica be built anew from the others.";

    private readonly string _prefix;
    private readonly List<ulong> _sequences;
    private readonly List<LogSegment> _chain = [];
    private readonly List<MembershipAt> _memberships = [];
    private int _next;

    public LogRecovery(string prefix, IEnumerable<string> names)
    {
        _prefix = prefix;
        _sequences = LogBatch.Sequences(prefix, names);
        _next = _sequences.Count - 1;
        NextSequence = _sequences.Count == 0 ? 1 : _sequences[^1] + 1;
    }

    /// <summary>The segment to offer next; null when all that counts has been read, or the log has failed.</summary>
    public ulong? Wanted => _next >= 0 && Failure is null ? _sequences[_next] : null;

    /// <summary>Why the log can not be opened, for people; or null.</summary>
    public string? Failure { get; private set; }

    /// <summary>The sequence of the segment to begin, never used before.</summary>
    public ulong NextSequence { get; }

    /// <summary>What the log holds below <see cref="Head"/>; the tail's records come on top.</summary>
    public LogContents Contents { get; private set; } = new(default);

    /// <summary>What the new segment must begin with.</summary>
    public SegmentHead Head { get; private set; }

    /// <summary>The last segment's bytes, in which the tail's records lie.</summary>
    public ReadOnlyMemory<byte> TailBytes { get; private set; } = Array.Empty<byte>();

    /// <summary>The records that are not known to be durable, to be written anew.</summary>
    public IReadOnlyList<LogRecord> Tail { get; private set; } = [];

    /// <summary>The segments below <see cref="Head"/> that still count, ascending.</summary>
    public List<ulong> Kept { get; } = [];

    /// <summary>The segments that do not count, ascending; they may go once the new one is durable.</summary>
    public List<ulong> LeftOver { get; } = [];

    /// <summary>The memberships in (Base, Last], the tail's included once it has been replayed.</summary>
    public MembershipAt[] Memberships => [.. _memberships.Where(m => m.Index > Contents.Base)];

    /// <summary>The file and length up to which each segment that counts is known to be durable.</summary>
    public IEnumerable<DurableRange> KnownDurable()
    {
        for (int i = _chain.Count - 1; i >= 0; i--)
        {
            bool last = i == 0;
            yield return new(FileName(_chain[i].Sequence), last ? _chain[i].Durable : _chain[i].End);
        }
    }

    /// <summary>Takes the bytes of the segment that is <see cref="Wanted"/>.</summary>
    public void Offer(ReadOnlyMemory<byte> bytes)
    {
        ulong sequence = _sequences[_next];
        if (_chain.Count == 0)
        {
            OfferLast(bytes, sequence);
        }
        else
        {
            SegmentHead after = _chain[^1].Head;
            OfferEarlier(bytes.Span[..(int)Math.Min(bytes.Length, after.PreviousEnd)], sequence, after);
        }
    }

    /// <summary>
    /// Puts together what was read. A segment that is at most <paramref name="copiedBytesMax"/> long is taken for
    /// tail as a whole, so that many restarts do not leave many small segments.
    /// </summary>
    public void Finish(long copiedBytesMax)
    {
        if (Failure is not null)
        {
            return;
        }

        LeftOver.AddRange(_sequences.Where(sequence => _chain.TrueForAll(segment => segment.Sequence != sequence)));
        if (_chain.Count == 0)
        {
            // The first segment of all may be torn, for nothing was said to be durable before it was. A later one
            // never stands alone without having been durable.
            if (_sequences.Count > 0 && _sequences[0] != 1)
            {
                string file = FileName(_sequences[^1]);
                Failure = $"The log file {file} is damaged at byte 0 and no older one is left. {Advice}";
            }

            return;
        }

        LogSegment last = _chain[0];
        bool whole = (last.Durable == 0 || last.End <= copiedBytesMax) && Guards.RecoveredTailMadeDurable;
        Contents = new(_chain[^1].Head);
        for (int i = _chain.Count - 1; i > 0; i--)
        {
            Kept.Add(_chain[i].Sequence);
            ReplayInPlace(_chain[i], _chain[i].Records.Count);
        }

        if (whole)
        {
            LeftOver.Add(last.Sequence);
            Head = last.Head;
            Invariant.Check(
                Contents.Last == Head.Last && Contents.Base == Head.Base && Contents.HardState == Head.HardState,
                $"{FileName(last.Sequence)} begins with what the segments before it say");
            Tail = last.Records;
        }
        else if (!Guards.RecoveredTailMadeDurable)
        {
            Kept.Add(last.Sequence);
            ReplayInPlace(last, last.Records.Count);
            Head = Contents.Head(last.Sequence, last.End, last.Chain);
        }
        else
        {
            Kept.Add(last.Sequence);
            ReplayInPlace(last, last.DurableRecords);
            Head = Contents.Head(last.Sequence, last.Durable, last.DurableChain);
            Tail = last.Records.GetRange(last.DurableRecords, last.Records.Count - last.DurableRecords);
        }
    }

    /// <summary>
    /// Applies one record; entries lie where <paramref name="offset"/> of <paramref name="segment"/> says.
    /// </summary>
    public void Replay(in LogRecord record, ulong segment, long offset)
    {
        switch (record.Kind)
        {
            case LogRecordKind.Entry:
                Contents.Append(record.Index, new(segment, offset, record.Length, record.Term));
                if (record.Membership is not null)
                {
                    _memberships.Add(new(record.Index, record.Membership));
                }

                break;
            case LogRecordKind.Truncate:
                LogIndex from = record.Index;
                Contents.Truncate(from);
                _memberships.RemoveAll(m => m.Index >= from);
                break;
            case LogRecordKind.HardState:
                Contents.HardState = record.HardState;
                break;
            case LogRecordKind.Reset:
                Contents.Reset(record.Index, record.Term);
                _memberships.Clear();
                break;
            default:
                Contents.Release(record.Index, record.Term);
                break;
        }
    }

    /// <summary>After all is replayed: entries that only a missing segment held make the log incomplete.</summary>
    public void CheckComplete()
    {
        if (Failure is null && !Contents.IsComplete)
        {
            ulong before = _chain[^1].Head.Previous;
            Failure = $"The log file {FileName(before)} is missing, and with it the entries from "
                + $"{Contents.Base.Next} to {Contents.First.Previous}. {Advice}";
        }
    }

    private void OfferLast(ReadOnlyMemory<byte> bytes, ulong sequence)
    {
        LogSegment segment = LogSegment.Read(bytes.Span, sequence);
        if (segment.IsForeign)
        {
            Failure = Foreign(segment);
            return;
        }

        if (segment.End < bytes.Length)
        {
            long evidence = LogSegment.EvidenceBeyond(bytes.Span, segment.End, sequence);
            if (!Guards.TornTailIsNotCorruption || (evidence > segment.End && Guards.DamageBelowDurableIsCorruption))
            {
                Failure = Damaged(segment, Math.Max(evidence, segment.End + 1));
                return;
            }
        }

        _next--;
        if (segment.Counts)
        {
            TailBytes = bytes[..(int)segment.End];
            Take(segment);
        }
    }

    private void OfferEarlier(ReadOnlySpan<byte> bytes, ulong sequence, in SegmentHead after)
    {
        LogSegment segment = LogSegment.Read(bytes, sequence);
        if (segment.IsForeign)
        {
            Failure = Foreign(segment);
        }
        else if (segment.End != after.PreviousEnd || segment.Chain != after.PreviousChain)
        {
            Failure = Damaged(segment, after.PreviousEnd);
        }
        else
        {
            Take(segment);
        }
    }

    private void Take(LogSegment segment)
    {
        _chain.Add(segment);
        _next = segment.Head.Previous == 0 ? -1 : _sequences.IndexOf(segment.Head.Previous);
    }

    private void ReplayInPlace(LogSegment segment, int records)
    {
        for (int i = 0; i < records; i++)
        {
            LogRecord record = segment.Records[i];
            Replay(record, segment.Sequence, record.Offset);
        }
    }

    private string FileName(ulong sequence) => LogBatch.FileName(_prefix, sequence);

    private string Damaged(LogSegment segment, long durable) =>
        $"The log file {FileName(segment.Sequence)} is damaged at byte {segment.End}, where bytes up to {durable} are "
        + $"known to have been durable; so acknowledged entries may be lost. {Advice}";

    private string Foreign(LogSegment segment) =>
        $"The log file {FileName(segment.Sequence)} holds a record at byte {segment.End} or after it that this version "
        + "can not read. Start the version that wrote it.";
}
