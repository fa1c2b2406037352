using Quorate.Storage.Rows;

namespace Quorate.Node.Tests.Evaluation;

/// <summary>Rows in a plain sorted dictionary: what any source of rows must look like.</summary>
public sealed class SortedRows : IRowSource
{
    private readonly SortedDictionary<byte[], Held> _rows =
        new(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b)));

    public int Count => _rows.Count;

    public void Change(in RowChange change, RowVersion version)
    {
        if (change.Type == RowType.Clear)
        {
            foreach (byte[] key in _rows.Keys.Where(key => RowKey.SpaceOf(key) == RowSpace.User).ToArray())
            {
                _rows.Remove(key);
            }
        }
        else if (change.Type == RowType.Tombstone)
        {
            _rows.Remove(change.RowKey.ToArray());
        }
        else
        {
            _rows[change.RowKey.ToArray()] = new Held(change.Type, version, change.Expiry, change.Value.ToArray());
        }
    }

    /// <summary>Applies an encoded list of changes, the first of which has this version.</summary>
    public void Apply(ReadOnlySpan<byte> changes, RowVersion first)
    {
        RowChangeReader reader = RowChanges.Read(changes);
        while (reader.TryNext(out RowChange change))
        {
            Change(change, first);
            first = new RowVersion(first.Packed + 1);
        }

        Assert.False(reader.IsDamaged);
    }

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        byte[] key = rowKey.ToArray();
        bool found = _rows.TryGetValue(key, out Held? held);
        row = found ? held!.ToRow(key) : default;
        return found ? Lookup.Found : Lookup.Absent;
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor)
    {
        byte[] from = range.From.ToArray();
        byte[] to = range.To.ToArray();
        IEnumerable<KeyValuePair<byte[], Held>> rows = _rows.Where(
            row => row.Key.AsSpan().SequenceCompareTo(from) >= 0 && row.Key.AsSpan().SequenceCompareTo(to) < 0);
        foreach ((byte[] key, Held held) in range.Descending ? rows.Reverse() : rows)
        {
            if (!visitor.Visit(key, held.ToRow(key)))
            {
                break;
            }
        }

        return Lookup.Found;
    }

    /// <summary>
    /// Removes what nobody can see any more: expired rows, and elements of a collection that is gone.
    /// </summary>
    public void Sweep(long milliseconds)
    {
        byte[][] expired = [.. _rows.Where(row => row.Value.Expiry != 0 && row.Value.Expiry <= milliseconds)
            .Select(row => row.Key)];
        foreach (byte[] key in expired)
        {
            _rows.Remove(key);
        }

        foreach (byte[] key in _rows.Keys.Where(IsGarbage).ToArray())
        {
            _rows.Remove(key);
        }
    }

    /// <summary>All rows as text, one a line.</summary>
    public string Dump() => DumpOf(this, [], [0xFF, 0xFF]);

    public static string DumpOf(
        IRowSource rows, byte[] from, byte[] to, bool descending = false, int max = int.MaxValue)
    {
        var dump = new DumpingVisitor(max);
        Assert.Equal(Lookup.Found, rows.Scan(new RowRange(from, to, descending), dump));
        return string.Join('\n', dump.Lines);
    }

    private bool IsGarbage(byte[] rowKey)
    {
        int element = RowKey.ElementStart(rowKey);
        if (element == rowKey.Length || RowKey.SpaceOf(rowKey) != RowSpace.User)
        {
            return false;
        }

        return !_rows.TryGetValue(rowKey[..element], out Held? header)
            || header.Value.Length < 8
            || !header.Value.AsSpan(0, 8).SequenceEqual(rowKey.AsSpan(element, 8));
    }

    private sealed record Held(RowType Type, RowVersion Version, long Expiry, byte[] Value)
    {
        public Row ToRow(byte[] key) => new(Type, Version, Expiry, Row.HashOf(key, Value), Value);
    }

    private sealed class DumpingVisitor(int max) : IRowVisitor
    {
        public List<string> Lines { get; } = [];

        public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
        {
            Lines.Add(
                $"{Convert.ToHexString(rowKey)} {row.Type} {row.Version} {row.Expiry} {row.Hash} " +
                Convert.ToHexString(row.Value));
            return Lines.Count < max;
        }
    }
}
