using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Tests;

/// <summary>A row as a test keeps it.</summary>
internal sealed record ModelRow(byte[] RowKey, RowType Type, RowVersion Version, long Expiry, byte[] Value, bool Dirty)
{
    public bool Matches(ReadOnlySpan<byte> rowKey, in Row row) =>
        rowKey.SequenceEqual(RowKey) && row.Type == Type && row.Version == Version && row.Expiry == Expiry
        && row.Value.SequenceEqual(Value) && row.Hash == Row.HashOf(RowKey, Value);
}

/// <summary>Keeps the rows that a scan shows, up to a number of them.</summary>
internal sealed class RowList(int rowsMax = int.MaxValue) : IRowVisitor
{
    public List<ModelRow> Rows { get; } = [];

    public bool Visit(ReadOnlySpan<byte> rowKey, in Row row)
    {
        Rows.Add(new ModelRow(
            rowKey.ToArray(), row.Type, row.Version, row.Expiry, row.Value.ToArray(), Dirty: false));
        Assert.Equal(Row.HashOf(rowKey, row.Value), row.Hash);
        return Rows.Count % rowsMax != 0;
    }
}

/// <summary>
/// A memtable beside a sorted dictionary that is plainly right: random steps in both, then both must agree.
/// </summary>
internal sealed class MemtableModel : IDisposable
{
    private readonly SeededRandom _random;
    private readonly List<byte[]> _keys = [];
    private readonly SortedDictionary<byte[], ModelRow> _rows = new(new RowKeyOrder());
    private List<ModelRow> _frozen = [];
    private RowList _handedOut = new();
    private MemtableFreeze? _freeze;
    private ulong _index = 1;
    private int _ordinal;

    public MemtableModel(ulong seed, MemtableSettings settings, int keyCount, int tags)
    {
        _random = new SeededRandom(seed);
        Table = new Memtable(SlotRange.All, settings, Budget);
        for (int i = 0; i < keyCount; i++)
        {
            // A few tags, so that a few slots hold many rows; elements, so that keys share long beginnings.
            string key = _random.Next(2) == 0 ? $"{{{_random.Next(tags)}}}:{i}" : $"{{{_random.Next(tags)}}}";
            byte[] element = new byte[_random.Next(12)];
            Fill(element);
            _keys.Add(RowKey.Of(System.Text.Encoding.UTF8.GetBytes(key), element));
        }
    }

    public MemoryBudget Budget { get; } = new(1L << 40);

    public Memtable Table { get; }

    public int Count => _rows.Count;

    public void Dispose() => Table.Dispose();

    public void Step()
    {
        switch (_random.Next(20))
        {
            case < 10:
                Put(_random.Next(4) != 0);
                break;
            case < 12:
                Remove();
                break;
            case 12:
                Batch();
                break;
            case 13:
                Evict();
                break;
            case 14:
                Scan();
                break;
            case 15:
                Sweep();
                break;
            case 16:
                BeginOrEndFreeze();
                break;
            default:
                ReadFreeze();
                break;
        }
    }

    public void Compare()
    {
        Assert.Equal(_rows.Count, Table.Count);
        foreach (byte[] key in _keys)
        {
            bool found = Table.TryGet(key, out Row row);
            Assert.Equal(_rows.TryGetValue(key, out ModelRow? expected), found);
            Assert.True(!found || expected!.Matches(key, row));
        }

        CompareScan([0], [255, 255, 255], descending: false);
        CompareScan([0], [255, 255, 255], descending: true);
        long dirty = _rows.Values.Where(row => row.Dirty).Sum(row => (long)row.RowKey.Length + row.Value.Length);
        Assert.InRange(Table.DirtyBytes, dirty, dirty + (_rows.Count * 40L));
        Assert.Equal(Budget.UsedBytes, Table.UsedBytes);
        Assert.True(Table.NativeBytes >= Table.UsedBytes);
    }

    private byte[] AnyKey() => _keys[(int)_random.Next(_keys.Count)];

    private void Fill(Span<byte> bytes)
    {
        foreach (ref byte b in bytes)
        {
            b = (byte)_random.Next(256);
        }
    }

    private void Put(bool dirty)
    {
        byte[] key = AnyKey();
        byte[] value = new byte[_random.Next(50) == 0 ? _random.Next(20_000) : _random.Next(200)];
        Fill(value);
        if (_random.Next(3) == 0)
        {
            _index++;
            _ordinal = 0;
        }

        RowType type = _random.Next(5) == 0 ? RowType.Tombstone : RowType.Text;
        long expiry = type == RowType.Text && _random.Next(4) == 0 ? _random.Between(1, 1000) : 0;
        var row = new ModelRow(key, type, RowVersion.At(new(_index), _ordinal++), expiry, value, dirty);
        Table.Put(key, type, row.Version, expiry, value, dirty);
        _rows[key] = row;
    }

    private void Remove()
    {
        byte[] key = AnyKey();
        Assert.Equal(_rows.Remove(key), Table.Remove(key));
    }

    private void Batch()
    {
        Table.BeginBatch();
        for (int i = 0; i < 5; i++)
        {
            Put(dirty: true);
            Remove();
        }

        Table.EndBatch();
    }

    /// <summary>Evicted rows are clean ones; which of them is the table's choice.</summary>
    private void Evict()
    {
        Table.EvictClean(_random.Next(2000));
        foreach (ModelRow row in _rows.Values.ToArray())
        {
            if (!Table.TryGet(row.RowKey, out _))
            {
                Assert.False(row.Dirty);
                _rows.Remove(row.RowKey);
            }
        }
    }

    private void Scan()
    {
        byte[] from = AnyKey();
        byte[] to = AnyKey();
        CompareScan(from, to, _random.Next(2) == 0);
    }

    private void CompareScan(byte[] from, byte[] to, bool descending)
    {
        var order = new RowKeyOrder();
        IEnumerable<ModelRow> expected = _rows.Values
            .Where(row => order.Compare(row.RowKey, from) >= 0 && order.Compare(row.RowKey, to) < 0);
        var left = new Queue<ModelRow>(descending ? expected.Reverse() : expected);
        MemtableCursor cursor = Table.Seek(new RowRange(from, to, descending));
        while (cursor.TryNext(out ReadOnlySpan<byte> rowKey, out Row row))
        {
            Assert.True(left.TryDequeue(out ModelRow? next) && next.Matches(rowKey, row));
        }

        Assert.Empty(left);
        Assert.False(cursor.TryNext(out _, out _));
    }

    /// <summary>After a round all expired rows have been shown, and no others.</summary>
    private void Sweep()
    {
        long time = _random.Next(1000);
        HashSet<string> shown = [];
        int before = 0;
        int still = 0;
        while (still < 80)
        {
            var rows = new RowList();
            Table.SweepExpired(time, 50, rows);
            Assert.All(rows.Rows, row => Assert.InRange(row.Expiry, 1, time));
            shown.UnionWith(rows.Rows.Select(row => Convert.ToHexString(row.RowKey)));
            still = shown.Count == before ? still + 1 : 0;
            before = shown.Count;
        }

        IEnumerable<string> expired = _rows.Values
            .Where(row => row.Expiry != 0 && row.Expiry <= time)
            .Select(row => Convert.ToHexString(row.RowKey));
        Assert.Equal(expired.Order(), shown.Order());
    }

    private void BeginOrEndFreeze()
    {
        if (_freeze is null)
        {
            _freeze = Table.Freeze(new(_index));
            _frozen = [.. _rows.Values.Where(row => row.Dirty)];
            _handedOut = new RowList((int)_random.Between(1, 100));
            _index++;
            _ordinal = 0;
        }
        else if (_freeze.IsPassed)
        {
            Table.Saved(_freeze);
            foreach (ModelRow row in _frozen.Where(row => _rows.GetValueOrDefault(row.RowKey) == row))
            {
                _rows[row.RowKey] = row with { Dirty = false };
            }

            _freeze = null;
        }
        else if (_random.Next(10) == 0)
        {
            Table.Abandon(_freeze);
            _freeze = null;
        }
    }

    private void ReadFreeze()
    {
        if (_freeze is null || _freeze.IsPassed)
        {
            return;
        }

        if (_freeze.Next((int)_random.Between(1, 3000), _handedOut))
        {
            return;
        }

        Assert.Equal(_frozen.Count, _handedOut.Rows.Count);
        for (int i = 0; i < _frozen.Count; i++)
        {
            ModelRow row = _handedOut.Rows[i];
            var seen = new Row(row.Type, row.Version, row.Expiry, Row.HashOf(row.RowKey, row.Value), row.Value);
            Assert.True(_frozen[i].Matches(row.RowKey, seen));
        }
    }

    /// <summary>Row keys by memcmp.</summary>
    private sealed class RowKeyOrder : IComparer<byte[]>
    {
        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
