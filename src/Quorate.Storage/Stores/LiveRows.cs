using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// Tells rows that count from rows that nobody can see: tombstones, rows whose expiry has come, and elements of a
/// collection that was deleted or made anew since (their generation is not their header's). Stores drop the latter kind
/// when it suits them, so only the former may be compared.
/// <para>Rows are shown in order, all of a key; a header stands before its elements.</para>
/// </summary>
[StructLayout(LayoutKind.Auto)]
public struct LiveRows(HybridTime time)
{
    /// <summary>Bytes of a generation, at the beginning of a header's value and of an element.</summary>
    public const int GenerationBytes = 8;

    private byte[]? _header;
    private int _headerLength;
    private ulong _generation;

    public static bool IsExpired(long expiry, HybridTime time) => expiry != 0 && expiry <= time.Milliseconds;

    /// <summary>The types whose rows have elements.</summary>
    public static bool IsCollection(RowType type) => type is >= RowType.Hash and <= RowType.SortedSet;

    /// <summary>True when the row counts.</summary>
    public bool Show(ReadOnlySpan<byte> rowKey, in Row row)
    {
        bool isAlive = !row.IsTombstone && !IsExpired(row.Expiry, time);
        if (RowKey.SpaceOf(rowKey) != RowSpace.User)
        {
            return isAlive;
        }

        int element = RowKey.ElementStart(rowKey);
        if (element >= 0 && element < rowKey.Length)
        {
            return isAlive
                && _header is not null
                && rowKey[..element].SequenceEqual(_header.AsSpan(0, _headerLength))
                && GenerationOf(rowKey[element..]) == _generation;
        }

        _headerLength = 0;
        if (isAlive && IsCollection(row.Type))
        {
            if (_header is null || _header.Length < rowKey.Length)
            {
                _header = new byte[rowKey.Length * 2];
            }

            rowKey.CopyTo(_header);
            _headerLength = rowKey.Length;
            _generation = GenerationOf(row.Value);
        }

        return isAlive;
    }

    /// <summary>The generation at the beginning of a header's value or of an element; zero when it has none.</summary>
    public static ulong GenerationOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length < GenerationBytes ? 0 : BinaryPrimitives.ReadUInt64BigEndian(bytes);
}

/// <summary>
/// The hash of a partition's state: over the rows that count (<see cref="LiveRows"/>), in order, with all that they
/// are. It is the same for all replicas that have applied the same prefix, whatever each has dropped.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public struct StateHasher(HybridTime time)
{
    private LiveRows _live = new(time);

    public ulong Hash { get; private set; }

    public void Show(ReadOnlySpan<byte> rowKey, in Row row)
    {
        if (!_live.Show(rowKey, row))
        {
            return;
        }

        Span<byte> numbers = stackalloc byte[25];
        BinaryPrimitives.WriteUInt64LittleEndian(numbers, row.Version.Packed);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[8..], row.Expiry);
        BinaryPrimitives.WriteUInt64LittleEndian(numbers[16..], Hash);
        numbers[24] = (byte)row.Type;
        Hash = KeyHash.Of(numbers, KeyHash.Of(row.Value, KeyHash.Of(rowKey)));
    }
}
