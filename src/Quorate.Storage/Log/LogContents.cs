using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>Where an entry's record lies, in bytes.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogPosition(ulong Segment, long Offset, int Length);

/// <summary>
/// What the log holds of one stream: hard state, base, and a position for each entry, in 12 bytes; terms as runs.
/// <para>Invariants: positions cover (First - 1, Last] without a gap; Base is before First. Places ascend, but for
/// those of the first entries, which may have been written again. First may lie beyond Base + 1 only while a log is
/// replayed whose older segments are gone: unless the rest of the replay makes up for it, by releases or by entries
/// that were written again, entries are missing.</para>
/// </summary>
internal sealed class LogContents(LogSegments segments)
{
    private readonly List<Place> _places = [];

    /// <summary>The terms of the entries held; the first run may begin before the first of them.</summary>
    private readonly List<TermStart> _runs = [];

    /// <summary>Of the last run; null when there is none. It spares each append a look at the list.</summary>
    private Term? _lastTerm;

    /// <summary>While a log is replayed: entries before First that were written again; null for none.</summary>
    private SortedDictionary<LogIndex, (LogPosition Position, Term Term)>? _again;

    /// <summary>Of the entries that were written again, the last: behind it places ascend.</summary>
    private LogIndex _againTo;

    /// <summary>How many of the positions, from the front, are released; they are dropped in bulk.</summary>
    private int _dropped;

    public HardState HardState { get; set; }

    public LogIndex Base { get; private set; }

    public Term BaseTerm { get; private set; }

    /// <summary>The first entry that has a position; the one after <see cref="Last"/> when none has.</summary>
    public LogIndex First { get; private set; } = new(1);

    public LogIndex Last => new(First.Value + (ulong)(_places.Count - _dropped) - 1);

    /// <summary>Entries that have a position.</summary>
    public int Count => _places.Count - _dropped;

    public bool IsComplete => Missing is null && _again is null;

    /// <summary>The first entries that have no place; null when all have one.</summary>
    public (LogIndex From, LogIndex To)? Missing
    {
        get
        {
            LogIndex from = Base.Next;
            foreach (LogIndex index in (IEnumerable<LogIndex>?)_again?.Keys ?? [])
            {
                if (index > from)
                {
                    return (from, index.Previous);
                }

                from = index.Next;
            }

            return from < First ? (from, First.Previous) : null;
        }
    }

    /// <summary>Nothing was ever written, or so it might as well be.</summary>
    public bool IsBlank => HardState == default && Base == LogIndex.Zero && Last == LogIndex.Zero;

    /// <summary>How many of the entries held, from the first on, may lie out of order.</summary>
    private int AgainCount => _againTo < First ? 0 : Math.Min(Count, (int)(_againTo.Value - First.Value + 1));

    public LogStanding Standing => new(HardState, Base, BaseTerm, Last);

    public LogPosition this[LogIndex index] => _places[_dropped + (int)(index.Value - First.Value)].Position;

    public bool Has(LogIndex index) => index >= First && index <= Last;

    /// <summary>The oldest segment that holds an entry, or <paramref name="none"/> when none does.</summary>
    public ulong OldestSegment(ulong none)
    {
        if (Count == 0)
        {
            return none;
        }

        int again = AgainCount;
        ulong oldest = _places[Math.Min(_dropped + again, _places.Count - 1)].Position.Segment;
        for (int i = 0; i < again; i++)
        {
            oldest = Math.Min(oldest, _places[_dropped + i].Position.Segment);
        }

        return oldest;
    }

    /// <summary>The first entry that lies in a segment which is the oldest to hold any; zero when none does.</summary>
    public LogIndex FirstIn(ulong oldest)
    {
        int last = Math.Min(AgainCount, Count - 1);
        for (int i = 0; i <= last; i++)
        {
            if (_places[_dropped + i].Position.Segment == oldest)
            {
                return First + (ulong)i;
            }
        }

        return LogIndex.Zero;
    }

    /// <summary>The term of an entry that has a position.</summary>
    public Term TermAt(LogIndex index)
    {
        int low = 0;
        int high = _runs.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_runs[middle].First <= index)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return _runs[low].Term;
    }

    /// <summary>Takes over what a segment says of the time before it. Entries have no position.</summary>
    public void Stand(in LogStanding standing)
    {
        HardState = standing.HardState;
        Base = standing.Base;
        BaseTerm = standing.BaseTerm;
        LoseAgain(LogIndex.Zero, First);
        Clear(standing.Last.Next);
    }

    /// <param name="keyId">The data key that the entry is sealed with, which its segment needs then.</param>
    public void Append(LogIndex index, Term term, in LogPosition position, uint keyId)
    {
        Invariant.Check(index == Last.Next, $"entry {index} follows the log's last entry {Last}");
        _places.Add(new(position));
        segments.Gain(position, keyId);
        if (_lastTerm != term)
        {
            _runs.Add(new(term, index));
            _lastTerm = term;
        }
    }

    /// <summary>An entry that is held was written again, and lies there now. Nothing else changes.</summary>
    /// <param name="keyId">The data key that the entry is sealed with, which its new segment needs, too.</param>
    public void Move(LogIndex index, Term term, in LogPosition position, uint keyId)
    {
        Invariant.Check(index > Base && index <= Last, $"entry {index}, written again, is in ({Base}, {Last}]");
        segments.Gain(position, keyId);
        if (index >= First)
        {
            Invariant.Check(TermAt(index) == term, $"entry {index}, written again, is of term {TermAt(index)}");
            int at = _dropped + (int)(index.Value - First.Value);
            segments.Lose(_places[at].Position);
            _places[at] = new(position);
            _againTo = LogIndex.Max(_againTo, index);
        }
        else
        {
            _again ??= [];
            if (_again.Remove(index, out (LogPosition Position, Term Term) before))
            {
                segments.Lose(before.Position);
            }

            _again.Add(index, (position, term));
        }
    }

    /// <summary>
    /// All is replayed: entries whose first record is gone take their places from those that were written again.
    /// </summary>
    public void Join()
    {
        if (_again is null || Missing is not null)
        {
            return;
        }

        List<TermStart> later = [.. _runs];
        _places.RemoveRange(0, _dropped);
        _dropped = 0;
        _places.InsertRange(0, _again.Values.Select(held => new Place(held.Position)));
        _runs.Clear();
        foreach ((LogIndex index, (_, Term term)) in _again)
        {
            AddRun(term, index);
        }

        foreach (TermStart run in later)
        {
            AddRun(run.Term, LogIndex.Max(run.First, First));
        }

        _againTo = LogIndex.Max(_againTo, First.Previous);
        First = Base.Next;
        _again = null;
        NoteLastTerm();
    }

    public void Truncate(LogIndex from)
    {
        Invariant.Check(from > Base, $"entries from {from} on are cut, but those up to {Base} are released");
        _againTo = LogIndex.Min(_againTo, from.Previous);
        if (from < First)
        {
            LoseAgain(from, First);
            Clear(from);
        }
        else if (from <= Last)
        {
            int keep = _dropped + (int)(from.Value - First.Value);
            Lose(keep, _places.Count);
            _places.RemoveRange(keep, _places.Count - keep);
            _runs.RemoveAll(run => run.First >= from);
            NoteLastTerm();
        }
    }

    /// <summary>An installed snapshot takes the place of all entries.</summary>
    public void Reset(LogIndex index, Term term)
    {
        Base = index;
        BaseTerm = term;
        LoseAgain(LogIndex.Zero, First);
        Clear(index.Next);
    }

    public void Release(LogIndex to, Term term)
    {
        Invariant.Check(to <= Last, $"entries up to {to} are released, but the log ends at {Last}");
        if (to <= Base)
        {
            return;
        }

        Base = to;
        BaseTerm = term;
        LoseAgain(LogIndex.Zero, to);
        if (to < First)
        {
            return;
        }

        int count = (int)(to.Value - First.Value + 1);
        Lose(_dropped, _dropped + count);
        _dropped += count;
        First = to.Next;
        if (_dropped * 2 > _places.Count)
        {
            _places.RemoveRange(0, _dropped);
            _dropped = 0;
        }

        int past = 0;
        while (past + 1 < _runs.Count && _runs[past + 1].First <= First)
        {
            past++;
        }

        _runs.RemoveRange(0, past);
        if (_places.Count == _dropped)
        {
            _runs.Clear();
        }

        NoteLastTerm();
    }

    /// <summary>The stream is gone; its entries need no segment any more.</summary>
    public void Drop()
    {
        Stand(default);
    }

    /// <summary>Where the terms in (Base, Last] begin.</summary>
    public TermStart[] TermStarts()
    {
        var starts = new List<TermStart>();
        Term before = BaseTerm;
        foreach (TermStart run in _runs)
        {
            if (run.Term != before)
            {
                starts.Add(run with { First = LogIndex.Max(run.First, First) });
                before = run.Term;
            }
        }

        return [.. starts];
    }

    private void Clear(LogIndex first)
    {
        Lose(_dropped, _places.Count);
        _places.Clear();
        _runs.Clear();
        _dropped = 0;
        First = first;
        NoteLastTerm();
    }

    /// <summary>Entries that were written again are not held any more, and have no other place yet.</summary>
    private void LoseAgain(LogIndex from, LogIndex to)
    {
        if (_again is null)
        {
            return;
        }

        LogIndex[] lost = [.. _again.Keys.SkipWhile(index => index < from).TakeWhile(index => index <= to)];
        foreach (LogIndex index in lost)
        {
            segments.Lose(_again[index].Position);
            _again.Remove(index);
        }

        _again = _again.Count == 0 ? null : _again;
    }

    private void AddRun(Term term, LogIndex first)
    {
        if (_runs.Count == 0 || _runs[^1].Term != term)
        {
            _runs.Add(new(term, first));
        }
    }

    private void NoteLastTerm() => _lastTerm = _runs.Count == 0 ? null : _runs[^1].Term;

    private void Lose(int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            segments.Lose(_places[i].Position);
        }
    }

    /// <summary>A position in 12 bytes: sequences and offsets below 2^32 each.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private readonly struct Place(LogPosition position)
    {
        private readonly uint _segment = checked((uint)position.Segment);
        private readonly uint _offset = checked((uint)position.Offset);
        private readonly int _length = position.Length;

        public LogPosition Position => new(_segment, _offset, _length);
    }
}
