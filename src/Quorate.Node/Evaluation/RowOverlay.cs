using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Node.Evaluation;

/// <summary>
/// Changes laid over another source of rows. Lookups go by a hash table, scans merge both in order; the order of the
/// changed rows is made when the first scan asks for it.
/// <para>Invariants: versions of changes rise; each row's changes hang together from the newest to the oldest; a change
/// hides what the source has under its key, and a <see cref="RowType.Clear"/> hides all user rows of lower
/// versions.</para>
/// </summary>
public sealed class RowOverlay(IRowSource source) : IRowOverlay
{
    private readonly Dictionary<byte[], ChangedRow> _rows = new(RowKeyComparer.Instance);
    private readonly ChangeHistory _history = new();
    private readonly List<RowVersion> _clears = [];
    private readonly ChangedRowOrder _order = new();

    /// <summary>What lies below. To be set anew where one overlay serves many evaluations, and only while
    /// empty.</summary>
    public IRowSource Source { get; set; } = source;

    public int Count => _history.Count;

    /// <summary>Bytes of row keys and values that are held.</summary>
    public long Bytes => _history.Bytes;

    internal int RowCount => _rows.Count;

    internal int OrderedCount => _order.Count;

    public void Change(in RowChange change, RowVersion version)
    {
        Invariant.Check(
            _history.Count == 0 || version > _history.Newest.Version, "changes are laid on in the order of versions");
        if (change.Type == RowType.Clear)
        {
            _clears.Add(version);
            _history.Add(new ChangedRow([], change.Type, 0, version, []));
            return;
        }

        _rows.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(change.RowKey, out ChangedRow? before);
        byte[] key = before is null ? change.RowKey.ToArray() : before.Key;
        var changed = new ChangedRow(key, change.Type, change.Expiry, version, change.Value.ToArray())
        {
            Older = before,
        };
        if (before is null)
        {
            _order.Add(changed.Key);
        }
        else
        {
            before.Newer = changed;
        }

        _rows[key] = changed;
        _history.Add(changed);
    }

    public void Applied(LogIndex index)
    {
        while (_history.Count > 0 && _history.Oldest.Version.Index <= index)
        {
            ChangedRow applied = _history.TakeOldest();
            if (applied.Type == RowType.Clear)
            {
                _clears.RemoveAt(0);
            }
            else if (applied.Newer is { } newer)
            {
                newer.Older = null;
            }
            else
            {
                Forget(applied.Key);
            }
        }
    }

    public void CutAfter(RowVersion version)
    {
        while (_history.Count > 0 && _history.Newest.Version > version)
        {
            ChangedRow cut = _history.TakeNewest();
            if (cut.Type == RowType.Clear)
            {
                _clears.RemoveAt(_clears.Count - 1);
            }
            else if (cut.Older is { } older && Guards.CutUncoversOlderChange)
            {
                older.Newer = null;
                _rows[cut.Key] = older;
            }
            else
            {
                Forget(cut.Key);
            }
        }
    }

    public void Clear()
    {
        _rows.Clear();
        _history.Clear();
        _clears.Clear();
        _order.Clear();
    }

    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        if (_rows.Count > 0
            && _rows.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(rowKey, out ChangedRow? changed))
        {
            row = changed.Type == RowType.Tombstone || IsCleared(rowKey, changed.Version) ? default : changed.ToRow();
            return row.IsTombstone ? Lookup.Absent : Lookup.Found;
        }

        if (_clears.Count > 0 && RowKey.SpaceOf(rowKey) == RowSpace.User)
        {
            row = default;
            return Lookup.Absent;
        }

        return Source.Get(rowKey, out row);
    }

    public Lookup Scan(in RowRange range, IRowVisitor visitor)
    {
        if (_rows.Count == 0 && _clears.Count == 0)
        {
            return Source.Scan(range, visitor);
        }

        using IEnumerator<byte[]> changed =
            _order.Between(_rows, range.From, range.To, range.Descending).GetEnumerator();
        var merge = new OverlayMerge(this, changed, range.Descending, visitor);
        Lookup result = Source.Scan(range, merge);
        if (result != Lookup.Cold)
        {
            merge.Finish();
        }

        return result;
    }

    internal ChangedRow? Find(byte[] key) => _rows.GetValueOrDefault(key);

    /// <summary>Whether a row of this version was cleared away with all the others.</summary>
    internal bool IsCleared(ReadOnlySpan<byte> rowKey, RowVersion version) =>
        _clears.Count > 0 && version < _clears[^1] && RowKey.SpaceOf(rowKey) == RowSpace.User;

    private void Forget(byte[] key)
    {
        _rows.Remove(key);
        _order.Remove(key, _rows);
    }
}

/// <summary>A change that an overlay holds, between the older and the newer ones of the same row.</summary>
internal sealed class ChangedRow(byte[] key, RowType type, long expiry, RowVersion version, byte[] value)
{
    private ulong _hash;
    private bool _isHashed;

    public byte[] Key { get; } = key;

    public RowType Type { get; } = type;

    public RowVersion Version { get; } = version;

    public long Bytes => Key.Length + value.Length;

    public ChangedRow? Older { get; set; }

    public ChangedRow? Newer { get; set; }

    public Row ToRow()
    {
        if (!_isHashed)
        {
            _hash = Row.HashOf(Key, value);
            _isHashed = true;
        }

        return new Row(Type, Version, expiry, _hash, value);
    }
}

/// <summary>Compares row keys as bytes, and finds them by a span.</summary>
internal sealed class RowKeyComparer
    : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>, IComparer<byte[]>
{
    public static readonly RowKeyComparer Instance = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => (int)KeyHash.Of(obj);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)KeyHash.Of(alternate);

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}

/// <summary>Shows the visitor the rows of a source and of the changes over it as one.</summary>
internal sealed class OverlayMerge : IRowVisitor
{
    private readonly RowOverlay _overlay;
    private readonly IEnumerator<byte[]> _changed;
    private readonly bool _isDescending;
    private readonly IRowVisitor _visitor;
    private byte[]? _next;
    private bool _isEnough;

    public OverlayMerge(RowOverlay overlay, IEnumerator<byte[]> changed, bool isDescending, IRowVisitor visitor)
    {
        _overlay = overlay;
        _changed = changed;
        _isDescending = isDescending;
        _visitor = visitor;
        Advance();
    }

    public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
    {
        while (_next is not null)
        {
            int order = _next.AsSpan().SequenceCompareTo(rowKey);
            if (order == 0)
            {
                return ShowChanged();
            }

            if (order < 0 == _isDescending)
            {
                break;
            }

            if (!ShowChanged())
            {
                return false;
            }
        }

        _isEnough = !_overlay.IsCleared(rowKey, row.Version) && !_visitor.Visit(rowKey, row);
        return !_isEnough;
    }

    /// <summary>Shows the changed rows behind the source's last one.</summary>
    public void Finish()
    {
        while (!_isEnough && _next is not null)
        {
            ShowChanged();
        }
    }

    private bool ShowChanged()
    {
        byte[] key = _next!;
        ChangedRow changed = _overlay.Find(key)!;
        if (changed.Type != RowType.Tombstone && !_overlay.IsCleared(key, changed.Version))
        {
            _isEnough = !_visitor.Visit(key, changed.ToRow());
        }

        Advance();
        return !_isEnough;
    }

    private void Advance() => _next = _changed.MoveNext() ? _changed.Current : null;
}
