using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Where each term begins in a log: enough to tell any entry's term, to skip whole terms when two logs are
/// compared (Raft, section 5.3, the optimisation of nextIndex), and to judge session tokens long after the
/// entries themselves are gone.
/// <para>Invariants: terms and first indexes both rise strictly.</para>
/// </summary>
internal sealed class TermStarts
{
    private readonly List<TermStart> _starts = [];

    public int Count => _starts.Count;

    public void Reset(IEnumerable<TermStart> starts)
    {
        _starts.Clear();
        _starts.AddRange(starts);
    }

    /// <summary>Takes note of an entry behind all others.</summary>
    public void Append(LogIndex index, Term term)
    {
        if (_starts.Count > 0)
        {
            TermStart last = _starts[^1];
            if (last.Term == term)
            {
                return;
            }

            Invariant.Check(
                last.Term < term && last.First < index,
                $"terms rise along a log: {term} at {index} follows {last.Term}");
        }

        _starts.Add(new(term, index));
    }

    /// <summary>Forgets the entries from <paramref name="index"/> on.</summary>
    public void TruncateFrom(LogIndex index)
    {
        int keep = _starts.Count;
        while (keep > 0 && _starts[keep - 1].First >= index)
        {
            keep--;
        }

        _starts.RemoveRange(keep, _starts.Count - keep);
    }

    /// <summary>
    /// Forgets the oldest terms beyond <paramref name="max"/>, but none that reaches beyond <paramref
    /// name="released"/>.
    /// </summary>
    public void Forget(int max, LogIndex released)
    {
        int drop = 0;
        while (_starts.Count - drop > max && _starts[drop + 1].First <= released)
        {
            drop++;
        }

        _starts.RemoveRange(0, drop);
    }

    /// <summary>
    /// The term of the entry at an index that the log has or had; null when it is older than what is remembered.
    /// </summary>
    public Term? TermAt(LogIndex index)
    {
        int at = FindLast(index);
        return at < 0 ? null : _starts[at].Term;
    }

    /// <summary>
    /// The largest index at or before <paramref name="from"/> whose term is at most <paramref name="term"/>.
    /// </summary>
    public LogIndex LastIndexWithTermAtMost(LogIndex from, Term term)
    {
        int at = FindLast(from);
        LogIndex index = from;
        while (at >= 0 && _starts[at].Term > term)
        {
            index = _starts[at].First.Previous;
            at--;
        }

        return index;
    }

    /// <summary>The starts of all terms up to the one of <paramref name="index"/>.</summary>
    public TermStart[] UpTo(LogIndex index) => [.. _starts.Take(FindLast(index) + 1)];

    private int FindLast(LogIndex index)
    {
        // Nearly every question is about the newest terms.
        for (int i = _starts.Count - 1, steps = 0; i >= 0 && steps < 4; i--, steps++)
        {
            if (_starts[i].First <= index)
            {
                return i;
            }
        }

        int low = 0;
        int high = _starts.Count - 1;
        int found = -1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_starts[middle].First <= index)
            {
                found = middle;
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return found;
    }
}
