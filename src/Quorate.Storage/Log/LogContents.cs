using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Storage.Log;

/// <summary>Where an entry's record lies, in bytes, and the entry's term.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LogPosition(ulong Segment, long Offset, int Length, Term Term);

/// <summary>
/// What the log holds: hard state, base, and a position for each entry.
/// <para>Invariants: positions cover (First - 1, Last] without a gap, their places ascend; Base is before First.
/// First may lie beyond Base + 1 only while a log is replayed whose older segments are gone: unless the rest of
/// the replay makes up for it, entries are missing.</para>
/// </summary>
internal sealed class LogContents
{
    private readonly List<LogPosition> _positions = [];

    /// <summary>How many of the positions, from the front, are released; they are dropped in bulk.</summary>
    private int _dropped;

    public LogContents(in SegmentHead head)
    {
        HardState = head.HardState;
        Base = head.Base;
        BaseTerm = head.BaseTerm;
        First = head.Last.Next;
    }

    public HardState HardState { get; set; }

    public LogIndex Base { get; private set; }

    public Term BaseTerm { get; private set; }

    /// <summary>The first entry that has a position; the one after <see cref="Last"/> when none has.</summary>
    public LogIndex First { get; private set; }

    public LogIndex Last => new(First.Value + (ulong)(_positions.Count - _dropped) - 1);

    public bool IsComplete => First == Base.Next;

    public LogPosition this[LogIndex index] => _positions[_dropped + (int)(index.Value - First.Value)];

    public bool Has(LogIndex index) => index >= First && index <= Last;

    /// <summary>The oldest segment that holds an entry, or <paramref name="none"/> when none does.</summary>
    public ulong OldestSegment(ulong none) => _positions.Count > _dropped ? _positions[_dropped].Segment : none;

    public void Append(LogIndex index, in LogPosition position)
    {
        Invariant.Check(index == Last.Next, $"entry {index} follows the log's last entry {Last}");
        _positions.Add(position);
    }

    public void Truncate(LogIndex from)
    {
        Invariant.Check(from > Base, $"entries from {from} on are cut, but those up to {Base} are released");
        if (from < First)
        {
            Clear(from);
        }
        else if (from <= Last)
        {
            int keep = _dropped + (int)(from.Value - First.Value);
            _positions.RemoveRange(keep, _positions.Count - keep);
        }
    }

    /// <summary>An installed snapshot takes the place of all entries.</summary>
    public void Reset(LogIndex index, Term term)
    {
        Base = index;
        BaseTerm = term;
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
        if (to < First)
        {
            return;
        }

        _dropped += (int)(to.Value - First.Value + 1);
        First = to.Next;
        if (_dropped * 2 > _positions.Count)
        {
            _positions.RemoveRange(0, _dropped);
            _dropped = 0;
        }
    }

    /// <summary>Where the terms in (Base, Last] begin.</summary>
    public TermStart[] TermStarts()
    {
        var starts = new List<TermStart>();
        Term before = BaseTerm;
        for (LogIndex index = First; index <= Last; index = index.Next)
        {
            Term term = this[index].Term;
            if (term != before)
            {
                starts.Add(new(term, index));
                before = term;
            }
        }

        return [.. starts];
    }

    public SegmentHead Head(ulong previous, long previousEnd, uint previousChain) =>
        new(previous, previousEnd, previousChain, HardState, Base, BaseTerm, Last);

    private void Clear(LogIndex first)
    {
        _positions.Clear();
        _dropped = 0;
        First = first;
    }
}
