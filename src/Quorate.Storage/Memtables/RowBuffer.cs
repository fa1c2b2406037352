using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// Where a concurrent reader of memtables copies a row to, and its place among the readers. One reader at a time uses
/// it; it is kept for many reads, since the first ones make it as large as the rows are.
/// </summary>
public sealed class RowBuffer : IDisposable
{
    /// <summary>A buffer that has grown beyond this for one large row gives it back with the next small one.</summary>
    private const int KeptBytesMax = 1024 * 1024;

    private readonly MemtableReaders _readers;
    private byte[] _value = [];
    private int _length;

    private RowBuffer(MemtableReaders readers, int cell)
    {
        _readers = readers;
        Cell = cell;
    }

    public RowType Type { get; private set; }

    public RowVersion Version { get; private set; }

    /// <summary>In milliseconds since 1970; zero when never.</summary>
    public long Expiry { get; private set; }

    public ulong Hash { get; private set; }

    public ReadOnlySpan<byte> Value => _value.AsSpan(0, _length);

    public Row Row => new(Type, Version, Expiry, Hash, Value);

    internal int Cell { get; private set; }

    internal MemtableReaders Readers => _readers;

    /// <summary>Null when there are <see cref="MemtableReaders.ReadersMax"/> buffers already.</summary>
    public static RowBuffer? TryMake(MemtableReaders readers)
    {
        int cell = readers.Claim();
        return cell == MemtableReaders.None ? null : new RowBuffer(readers, cell);
    }

    public void Dispose()
    {
        if (Cell != MemtableReaders.None)
        {
            _readers.Yield(Cell);
            Cell = MemtableReaders.None;
        }
    }

    internal void Take(in Row row)
    {
        Type = row.Type;
        Version = row.Version;
        Expiry = row.Expiry;
        Hash = row.Hash;
        _length = row.Value.Length;
        bool tooLarge = _value.Length > KeptBytesMax && _length <= KeptBytesMax;
        if (_value.Length < _length || tooLarge)
        {
            _value = GC.AllocateUninitializedArray<byte>(Math.Max(256, _length + (_length / 4)));
        }

        row.Value.CopyTo(_value);
    }
}
