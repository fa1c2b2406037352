using System.Buffers;
using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>A row as an object, with its key.</summary>
internal sealed record MemoryRow(byte[] RowKey, RowType Type, RowVersion Version, long Expiry, byte[] Value)
{
    /// <summary>What it takes in a file, beside key and value, in bytes.</summary>
    public const int HeaderBytes = 33;

    public ulong Hash { get; } = Row.HashOf(RowKey, Value);

    public Row Seen => new(Type, Version, Expiry, Hash, Value);

    public int Bytes => HeaderBytes + RowKey.Length + Value.Length;
}

/// <summary>
/// Rows in a list that is sorted by memcmp of the row keys: slow to change when large, and plainly right. As bytes: for
/// each row type (1), version (8), expiry (8), hash (8), length of the row key (4) and of the value (4), little-endian,
/// then both.
/// </summary>
internal sealed class MemoryRows
{
    private readonly List<MemoryRow> _rows = [];

    public int Count => _rows.Count;

    /// <summary>Of users' rows.</summary>
    public long UserBytes => _rows.Where(IsUsers).Sum(static row => (long)row.Bytes);

    /// <summary>A user's row, drawn by this number; null when there is none.</summary>
    public MemoryRow? Sample(ulong draw)
    {
        MemoryRow[] rows = [.. _rows.Where(IsUsers)];
        return rows.Length == 0 ? null : rows[draw % (ulong)rows.Length];
    }

    public MemoryRow? Find(ReadOnlySpan<byte> rowKey)
    {
        int at = FirstFrom(rowKey);
        return at < _rows.Count && rowKey.SequenceEqual(_rows[at].RowKey) ? _rows[at] : null;
    }

    public void Put(MemoryRow row)
    {
        int at = FirstFrom(row.RowKey);
        if (at < _rows.Count && row.RowKey.AsSpan().SequenceEqual(_rows[at].RowKey))
        {
            _rows[at] = row;
        }
        else
        {
            _rows.Insert(at, row);
        }
    }

    public void Remove(ReadOnlySpan<byte> rowKey)
    {
        int at = FirstFrom(rowKey);
        if (at < _rows.Count && rowKey.SequenceEqual(_rows[at].RowKey))
        {
            _rows.RemoveAt(at);
        }
    }

    public void RemoveUserRows() => _rows.RemoveAll(IsUsers);

    public void Scan(in RowRange range, IRowVisitor visitor)
    {
        int from = FirstFrom(range.From);
        int to = FirstFrom(range.To);
        for (int i = 0; i < to - from; i++)
        {
            MemoryRow row = _rows[range.Descending ? to - 1 - i : from + i];
            if (!visitor.Visit(row.RowKey, row.Seen))
            {
                return;
            }
        }
    }

    public ulong StateHash(HybridTime time)
    {
        var hasher = new StateHasher(time);
        foreach (MemoryRow row in _rows)
        {
            hasher.Show(row.RowKey, row.Seen);
        }

        return hasher.Hash;
    }

    public void Encode(IBufferWriter<byte> writer)
    {
        foreach (MemoryRow row in _rows)
        {
            Span<byte> bytes = writer.GetSpan(row.Bytes);
            bytes[0] = (byte)row.Type;
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[1..], row.Version.Packed);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[9..], row.Expiry);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[17..], row.Hash);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[25..], row.RowKey.Length);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[29..], row.Value.Length);
            row.RowKey.CopyTo(bytes[MemoryRow.HeaderBytes..]);
            row.Value.CopyTo(bytes[(MemoryRow.HeaderBytes + row.RowKey.Length)..]);
            writer.Advance(row.Bytes);
        }
    }

    /// <summary>Null when these can not be the bytes of rows: out of order, cut off, or with a wrong hash.</summary>
    public static MemoryRows? TryDecode(ReadOnlySpan<byte> bytes)
    {
        var rows = new MemoryRows();
        while (!bytes.IsEmpty)
        {
            if (bytes.Length < MemoryRow.HeaderBytes)
            {
                return null;
            }

            int keyLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[25..]);
            int valueLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[29..]);
            long total = MemoryRow.HeaderBytes + (long)(uint)keyLength + (uint)valueLength;
            if (total > bytes.Length)
            {
                return null;
            }

            var row = new MemoryRow(
                bytes.Slice(MemoryRow.HeaderBytes, keyLength).ToArray(),
                (RowType)bytes[0],
                new(BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..])),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[9..]),
                bytes.Slice(MemoryRow.HeaderBytes + keyLength, valueLength).ToArray());
            bool follows = rows.Count == 0 || rows._rows[^1].RowKey.AsSpan().SequenceCompareTo(row.RowKey) < 0;
            if (!follows || row.Hash != BinaryPrimitives.ReadUInt64LittleEndian(bytes[17..]))
            {
                return null;
            }

            rows._rows.Add(row);
            bytes = bytes[(int)total..];
        }

        return rows;
    }

    private static bool IsUsers(MemoryRow row) => RowKey.SpaceOf(row.RowKey) == RowSpace.User;

    /// <summary>Where the first row stands whose key is not before this one.</summary>
    private int FirstFrom(ReadOnlySpan<byte> rowKey)
    {
        int low = 0;
        int high = _rows.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (rowKey.SequenceCompareTo(_rows[middle].RowKey) > 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
