using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// When a leader appended what: a few moments of its term, close together where they are recent and ever farther apart
/// behind, so that the age of any entry is known to within a part of it in a bounded place.
/// </summary>
public sealed class AppendTimes
{
    /// <summary>Moments that are kept.</summary>
    private const int CountMax = 32;

    /// <summary>Entries that follow an earlier one so soon pass for as old as that, in microseconds.</summary>
    private const long GrainMicroseconds = 10_000;

    private readonly List<Moment> _moments = [];
    private Term _term;

    /// <summary>An entry was appended now; entries are told in their order.</summary>
    public void Note(in ReadToken place, Instant now)
    {
        if (place.Term != _term)
        {
            _moments.Clear();
            _term = place.Term;
        }

        if (_moments.Count > 0 && (now - _moments[^1].At).Microseconds < GrainMicroseconds)
        {
            return;
        }

        if (_moments.Count == CountMax)
        {
            _moments.RemoveAt(LeastMissed(now));
        }

        _moments.Add(new(place.Index, now));
    }

    /// <summary>
    /// How long ago an entry of this term was appended, at most that; of one from before it, how long the term's first
    /// one is. Zero while nothing was appended.
    /// </summary>
    public Duration AgeOf(LogIndex index, Instant now)
    {
        if (_moments.Count == 0)
        {
            return Duration.Zero;
        }

        int at = _moments.FindLastIndex(moment => moment.Index <= index);
        return now - _moments[Math.Max(0, at)].At;
    }

    /// <summary>The moment whose neighbours are nearest to each other for their age. Not the first or the
    /// last.</summary>
    private int LeastMissed(Instant now)
    {
        int least = 1;
        double leastGap = double.MaxValue;
        for (int i = 1; i + 1 < _moments.Count; i++)
        {
            double gap = (_moments[i + 1].At - _moments[i - 1].At).Microseconds
                / (double)Math.Max(1, (now - _moments[i - 1].At).Microseconds);
            if (gap < leastGap)
            {
                (least, leastGap) = (i, gap);
            }
        }

        return least;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Moment(LogIndex Index, Instant At);
}
