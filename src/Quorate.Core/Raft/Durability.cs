using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// What a step writes to the log, and what of it is known to be durable.
/// <para>Invariants: writes are numbered 1, 2, 3...; <see cref="Index"/> never counts an entry that was put in the
/// place of another after the write whose completion is reported (pitfall R15); a message that depends on a write
/// is handed out with it.</para>
/// </summary>
internal sealed class Durability(LogIndex recovered)
{
    private readonly List<InFlight> _inFlight = [];
    private readonly List<RaftMessage> _sendAfter = [];
    private readonly List<Entry> _entries = [];
    private ulong _nextSequence = 1;
    private ulong _hardStateSequence;
    private ulong _completedSequence;
    private LogIndex _truncateFrom;
    private LogIndex _releaseTo;
    private SnapshotMeta? _resetTo;
    private bool _hardStateChanged;

    /// <summary>Entries up to here are durable in this replica's log.</summary>
    public LogIndex Index { get; private set; } = recovered;

    /// <summary>Writes handed out and not yet reported.</summary>
    public int InFlightCount => _inFlight.Count;

    /// <summary>Term and vote, as they are now, are durable.</summary>
    public bool HardStateIsDurable => !_hardStateChanged && _hardStateSequence <= _completedSequence;

    private bool MustSync =>
        _entries.Count > 0 || _truncateFrom > LogIndex.Zero || _resetTo is not null || _hardStateChanged;

    public void Append(Entry entry) => _entries.Add(entry);

    public void TruncateFrom(LogIndex index)
    {
        Invariant.Check(_entries.Count == 0, "a step cuts before it appends");
        _truncateFrom = index;
        if (!Guards.TruncationClampsCompletions)
        {
            return;
        }

        Index = LogIndex.Min(Index, index.Previous);
        foreach (ref InFlight write in CollectionsMarshal.AsSpan(_inFlight))
        {
            write.Last = LogIndex.Min(write.Last, index.Previous);
        }
    }

    public void ResetTo(SnapshotMeta meta)
    {
        _resetTo = meta;
        Index = meta.Index;
        foreach (ref InFlight write in CollectionsMarshal.AsSpan(_inFlight))
        {
            write.Last = LogIndex.Zero;
        }
    }

    public void ReleaseTo(LogIndex index) => _releaseTo = index;

    public void HardStateChanged() => _hardStateChanged = true;

    /// <summary>Sends when all that has been written so far, this step included, is durable.</summary>
    public void SendWhenDurable(in RaftMessage message)
    {
        if (_sendAfter.Count == 0 || !TryJoin(_sendAfter[^1], message, out RaftMessage joined))
        {
            _sendAfter.Add(message);
        }
        else
        {
            _sendAfter[^1] = joined;
        }
    }

    /// <summary>A write is durable. True when that made anything durable that was not known to be.</summary>
    public bool Completed(ulong sequence)
    {
        int at = _inFlight.FindIndex(write => write.Sequence == sequence);
        Invariant.Check(at >= 0, $"write {sequence} is reported durable once");
        if (!Guards.CompletionsCountInOrder)
        {
            Complete(_inFlight[at]);
            _inFlight.RemoveAt(at);
            return true;
        }

        CollectionsMarshal.AsSpan(_inFlight)[at].Done = true;
        int done = 0;
        while (done < _inFlight.Count && _inFlight[done].Done)
        {
            Complete(_inFlight[done]);
            done++;
        }

        _inFlight.RemoveRange(0, done);
        return done > 0;
    }

    /// <summary>Hands out what the step has gathered, as one write; or sends at once what waits for nothing.</summary>
    public void Flush(in HardState hardState, LogIndex last, RaftOutput output)
    {
        if (!MustSync && _releaseTo == LogIndex.Zero && (_sendAfter.Count == 0 || _inFlight.Count == 0))
        {
            output.SendNow.AddRange(_sendAfter);
            _sendAfter.Clear();
            return;
        }

        bool mustSync = MustSync;
        var persist = new Persist
        {
            Sequence = _nextSequence,
            ResetTo = _resetTo,
            TruncateFrom = _truncateFrom,
            Entries = _entries.Count == 0 ? [] : [.. _entries],
            HardState = mustSync ? hardState : null,
            ReleaseTo = _releaseTo,
            MustSync = mustSync,
            SendAfter = _sendAfter.Count == 0 ? [] : [.. _sendAfter],
        };
        _inFlight.Add(new() { Sequence = _nextSequence, Last = _entries.Count > 0 ? last : LogIndex.Zero });
        if (_hardStateChanged)
        {
            _hardStateSequence = _nextSequence;
        }

        output.Persists.Add(persist);
        _nextSequence++;
        _entries.Clear();
        _sendAfter.Clear();
        _truncateFrom = LogIndex.Zero;
        _releaseTo = LogIndex.Zero;
        _resetTo = null;
        _hardStateChanged = false;
    }

    /// <summary>Of two appends that are acknowledged together, the word on the later one says it all.</summary>
    private static bool TryJoin(in RaftMessage first, in RaftMessage second, out RaftMessage joined)
    {
        joined = second;
        bool areAlike = first.Kind == MessageKind.AppendResponse && second.Kind == MessageKind.AppendResponse
            && !first.Reject && !second.Reject && first.To == second.To && first.Term == second.Term;
        if (areAlike)
        {
            joined = second with
            {
                Index = LogIndex.Max(first.Index, second.Index),
                Round = Math.Max(first.Round, second.Round),
                SentAt = Instant.Max(first.SentAt, second.SentAt),
            };
        }

        return areAlike;
    }

    private void Complete(in InFlight write)
    {
        Index = LogIndex.Max(Index, write.Last);
        _completedSequence = Math.Max(_completedSequence, write.Sequence);
    }

    [StructLayout(LayoutKind.Auto)]
    private struct InFlight
    {
        public ulong Sequence;

        /// <summary>The last of its entries that is still in the log; zero when none is.</summary>
        public LogIndex Last;
        public bool Done;
    }
}
