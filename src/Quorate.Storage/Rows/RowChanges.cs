using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Quorate.Storage.Rows;

/// <summary>One change of a row, as the log carries it: a new content, or a tombstone.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly ref struct RowChange(
    ReadOnlySpan<byte> rowKey, RowType type, long expiry, ReadOnlySpan<byte> value)
{
    public ReadOnlySpan<byte> RowKey { get; } = rowKey;

    public RowType Type { get; } = type;

    /// <summary>In milliseconds since 1970; zero when never.</summary>
    public long Expiry { get; } = expiry;

    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>What it takes in an encoded list, in bytes.</summary>
    public int EncodedBytes => RowChanges.HeaderBytes + RowKey.Length + Value.Length;
}

/// <summary>
/// A list of row changes as bytes: for each one type (1 byte), expiry (8), length of the row key (4), length of the
/// value (4), all little-endian, then both. The ordinal of a change in its list is the ordinal of its version.
/// </summary>
public static class RowChanges
{
    internal const int HeaderBytes = 17;

    public static void Write(IBufferWriter<byte> writer, in RowChange change)
    {
        Span<byte> bytes = writer.GetSpan(change.EncodedBytes);
        bytes[0] = (byte)change.Type;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[1..], change.Expiry);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[9..], change.RowKey.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[13..], change.Value.Length);
        change.RowKey.CopyTo(bytes[HeaderBytes..]);
        change.Value.CopyTo(bytes[(HeaderBytes + change.RowKey.Length)..]);
        writer.Advance(change.EncodedBytes);
    }

    public static RowChangeReader Read(ReadOnlySpan<byte> list) => new(list);
}

/// <summary>
/// Reads an encoded list of changes. <see cref="TryNext"/> ends at the list's end or, with <see cref="IsDamaged"/> set,
/// at the first byte that can not be one.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public ref struct RowChangeReader(ReadOnlySpan<byte> list)
{
    private ReadOnlySpan<byte> _rest = list;

    public bool IsDamaged { get; private set; }

    [SuppressMessage("Design", "MA0102", Justification = "It moves on.")]
    public bool TryNext(out RowChange change)
    {
        change = default;
        if (_rest.IsEmpty)
        {
            return false;
        }

        if (_rest.Length < RowChanges.HeaderBytes)
        {
            IsDamaged = true;
            return false;
        }

        int keyLength = BinaryPrimitives.ReadInt32LittleEndian(_rest[9..]);
        int valueLength = BinaryPrimitives.ReadInt32LittleEndian(_rest[13..]);
        long total = RowChanges.HeaderBytes + (long)(uint)keyLength + (uint)valueLength;
        if (keyLength <= RowKey.PrefixBytes || valueLength < 0 || total > _rest.Length)
        {
            IsDamaged = true;
            return false;
        }

        change = new RowChange(
            _rest.Slice(RowChanges.HeaderBytes, keyLength),
            (RowType)_rest[0],
            BinaryPrimitives.ReadInt64LittleEndian(_rest[1..]),
            _rest.Slice(RowChanges.HeaderBytes + keyLength, valueLength));
        _rest = _rest[(int)total..];
        return true;
    }
}
