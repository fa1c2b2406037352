namespace Quorate.Node.Evaluation;

/// <summary>
/// The keys of an overlay's changed rows in order. Most changes are never scanned: they cost a place in a list, and
/// only a scan sorts what has come since the one before.
/// </summary>
internal sealed class ChangedRowOrder
{
    private readonly SortedSet<byte[]> _sorted = new(RowKeyComparer.Instance);
    private readonly List<byte[]> _unsorted = [];

    /// <summary>Keys that are held, sorted or not.</summary>
    public int Count => _sorted.Count + _unsorted.Count;

    public void Add(byte[] key) => _unsorted.Add(key);

    /// <summary>A key is out of the rows, which are given as they are after that.</summary>
    public void Remove(byte[] key, Dictionary<byte[], ChangedRow> rows)
    {
        _sorted.Remove(key);
        if (rows.Count == 0)
        {
            Clear();
        }
        else if (_unsorted.Count > 16 + (2 * rows.Count))
        {
            // Keys that went away before any scan asked for them are still in the list: it must not grow for ever.
            Sort(rows);
        }
    }

    public void Clear()
    {
        _sorted.Clear();
        _unsorted.Clear();
    }

    /// <summary>The keys in [from, to), ascending or descending.</summary>
    public IEnumerable<byte[]> Between(
        Dictionary<byte[], ChangedRow> rows, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, bool descending)
    {
        Sort(rows);
        if (_sorted.Count == 0 || from.SequenceCompareTo(to) >= 0)
        {
            return [];
        }

        byte[] first = from.ToArray();
        byte[] end = to.ToArray();
        SortedSet<byte[]> view = _sorted.GetViewBetween(first, end);
        IEnumerable<byte[]> keys = descending ? view.Reverse() : view;
        return keys.Where(key => !key.AsSpan().SequenceEqual(end));
    }

    private void Sort(Dictionary<byte[], ChangedRow> rows)
    {
        foreach (byte[] key in _unsorted)
        {
            if (rows.ContainsKey(key))
            {
                _sorted.Add(key);
            }
        }

        _unsorted.Clear();
    }
}

/// <summary>The changes of an overlay in the order of their versions; they go at either end.</summary>
internal sealed class ChangeHistory
{
    private ChangedRow?[] _ring = new ChangedRow?[16];
    private int _first;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    public ChangedRow Oldest => _ring[_first]!;

    public ChangedRow Newest => _ring[At(Count - 1)]!;

    public void Add(ChangedRow change)
    {
        if (Count == _ring.Length)
        {
            var larger = new ChangedRow?[2 * Count];
            for (int i = 0; i < Count; i++)
            {
                larger[i] = _ring[At(i)];
            }

            _ring = larger;
            _first = 0;
        }

        _ring[At(Count)] = change;
        Count++;
        Bytes += change.Bytes;
    }

    public ChangedRow TakeOldest()
    {
        ChangedRow oldest = Oldest;
        _ring[_first] = null;
        _first = At(1);
        Count--;
        Bytes -= oldest.Bytes;
        return oldest;
    }

    public ChangedRow TakeNewest()
    {
        ChangedRow newest = Newest;
        _ring[At(Count - 1)] = null;
        Count--;
        Bytes -= newest.Bytes;
        return newest;
    }

    public void Clear()
    {
        Array.Clear(_ring);
        _first = 0;
        Count = 0;
        Bytes = 0;
    }

    /// <summary>The ring's length is a power of two.</summary>
    private int At(int position) => (_first + position) & (_ring.Length - 1);
}
