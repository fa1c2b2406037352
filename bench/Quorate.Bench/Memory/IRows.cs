using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Bench.Memory;

/// <summary>Somewhere to keep rows in memory, as the figures compare them: keys of 16 bytes, values of 64.</summary>
internal interface IRows : IDisposable
{
    const int KeyBytes = 16;
    const int ValueBytes = 64;

    string Name { get; }

    void Put(long number, ReadOnlySpan<byte> value);

    /// <summary>
    /// The sum of some of the value's bytes, so that nobody skips reading it; zero when it is not there.
    /// </summary>
    int Get(long number);

    /// <summary>What it says about its own memory, for print.</summary>
    string Describe(long rows);

    /// <summary>`key:` and twelve digits.</summary>
    static void WriteKey(Span<byte> key, long number)
    {
        "key:000000000000"u8.CopyTo(key);
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out int length);
        digits[..length].CopyTo(key[(KeyBytes - length)..]);
    }
}

/// <summary>The memtable, read as concurrent readers do.</summary>
internal sealed class MemtableRows : IRows
{
    private const int RowKeyBytes = RowKey.PrefixBytes + IRows.KeyBytes + 2;

    private readonly MemtableReaders _readers = new();
    private readonly Memtable _table;
    private readonly RowBuffer _buffer;
    private ulong _version = 1 << 16;

    private readonly bool _oneSlot;

    /// <summary>One slot: all keys have the tag `t`.</summary>
    public MemtableRows(bool oneSlot = false)
    {
        _oneSlot = oneSlot;
        _table = new Memtable(SlotRange.All, new(), new MemoryBudget(1L << 40), _readers);
        _buffer = RowBuffer.TryMake(_readers)!;
    }

    public string Name => "memtable";

    public void Put(long number, ReadOnlySpan<byte> value)
    {
        Span<byte> rowKey = stackalloc byte[RowKeyBytes];
        MakeRowKey(rowKey, number);
        _table.Put(rowKey, RowType.Text, new(_version++), 0, value, dirty: true);
    }

    public int Get(long number)
    {
        Span<byte> rowKey = stackalloc byte[RowKeyBytes];
        MakeRowKey(rowKey, number);
        return _table.TryRead(rowKey, _buffer) == MemtableRead.Found ? _buffer.Value[0] + _buffer.Value[^1] : 0;
    }

    /// <summary>As <see cref="Get"/>, but as the writer looks rows up.</summary>
    public int GetAsWriter(long number)
    {
        Span<byte> rowKey = stackalloc byte[RowKeyBytes];
        MakeRowKey(rowKey, number);
        return _table.TryGet(rowKey, out Row row) ? row.Value[0] + row.Value[^1] : 0;
    }

    public string Describe(long rows) =>
        $"in use {(double)_table.UsedBytes / rows:F1} B a row, held {(double)_table.NativeBytes / rows:F1} B a row";

    public void Dispose()
    {
        _buffer.Dispose();
        _table.Dispose();
    }

    private void MakeRowKey(Span<byte> rowKey, long number)
    {
        Span<byte> key = stackalloc byte[IRows.KeyBytes];
        IRows.WriteKey(key, number);
        if (_oneSlot)
        {
            "{t}"u8.CopyTo(key);
        }

        RowKey.Write(rowKey, key);
    }
}

/// <summary>A ConcurrentDictionary of byte arrays, looked up by span.</summary>
internal sealed class DictionaryRows : IRows
{
    private readonly ConcurrentDictionary<byte[], byte[]> _rows = new(new Bytes());
    private readonly ConcurrentDictionary<byte[], byte[]>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;

    public DictionaryRows() => _bySpan = _rows.GetAlternateLookup<ReadOnlySpan<byte>>();

    public string Name => "ConcurrentDictionary<byte[], byte[]>";

    public void Put(long number, ReadOnlySpan<byte> value)
    {
        Span<byte> key = stackalloc byte[IRows.KeyBytes];
        IRows.WriteKey(key, number);
        _bySpan[key] = value.ToArray();
    }

    public int Get(long number)
    {
        Span<byte> key = stackalloc byte[IRows.KeyBytes];
        IRows.WriteKey(key, number);
        return _bySpan.TryGetValue(key, out byte[]? value) ? value[0] + value[^1] : 0;
    }

    public string Describe(long rows) =>
        $"managed heap {(double)GC.GetTotalMemory(forceFullCollection: true) / rows:F1} B a row";

    public void Dispose() => _rows.Clear();

    private sealed class Bytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)KeyHash.Of(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
