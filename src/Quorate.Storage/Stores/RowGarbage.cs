using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>What becomes of a row when files are written anew.</summary>
internal enum RowFate : byte
{
    Keep,
    Drop,

    /// <summary>The row is dropped, but what is older must stay hidden.</summary>
    BecomeTombstone,
}

/// <summary>Whether some files beside those that are written anew may hold a row key.</summary>
internal delegate bool OthersMayHold(ReadOnlySpan<byte> rowKey);

/// <summary>
/// Judges rows that are written anew, shown in order: which of them nobody can see any more, by the logged time and the
/// clear of the checkpoint that the files belong to.
/// <para>Invariant: what is dropped never uncovers an older version of the row (pitfall S2). An element of a collection
/// that is gone hides only rows of the same generation, which are as invisible. A header is at least as old as its
/// elements, so when no older file can hold it, none holds its elements. An expired header tells of its elements only
/// when no newer file can hold it: what came later may have prolonged the collection, under the same generation.</para>
/// </summary>
internal sealed class RowGarbage(
    HybridTime time, RowVersion clearedAt, OthersMayHold olderMayHold, OthersMayHold newerMayHold)
{
    private byte[] _header = new byte[256];
    private int _headerLength;
    private ulong _generationMin;

    public RowFate Judge(ReadOnlySpan<byte> rowKey, in Row row)
    {
        bool isUsers = RowKey.SpaceOf(rowKey) == RowSpace.User;
        bool isExpired = LiveRows.IsExpired(row.Expiry, time);
        int element = isUsers ? RowKey.ElementStart(rowKey) : -1;
        bool isElement = element >= 0 && element < rowKey.Length;
        if (isExpired && isUsers && !isElement && LiveRows.IsCollection(row.Type) && MayBeProlonged(rowKey))
        {
            isExpired = false;
        }

        if (isUsers && !isElement)
        {
            Remember(rowKey, row, isExpired || row.Version < clearedAt);
        }

        if (isUsers && row.Version < clearedAt)
        {
            return RowFate.Drop;
        }

        if (isElement && IsOfOlderGeneration(rowKey, element))
        {
            return RowFate.Drop;
        }

        if (row.IsTombstone)
        {
            return Guards.TombstonesOutliveOlderRows && olderMayHold(rowKey) ? RowFate.Keep : RowFate.Drop;
        }

        if (!isExpired)
        {
            return RowFate.Keep;
        }

        return Guards.ExpiredRowsHideOlderOnes && olderMayHold(rowKey) ? RowFate.BecomeTombstone : RowFate.Drop;
    }

    /// <summary>A row that only hides older ones under its key.</summary>
    public static Row Tombstone(ReadOnlySpan<byte> rowKey, RowVersion version) =>
        new(RowType.Tombstone, version, 0, Row.HashOf(rowKey, default), default);

    private bool MayBeProlonged(ReadOnlySpan<byte> rowKey) =>
        Guards.ProlongedCollectionsKeepTheirElements && newerMayHold(rowKey);

    private void Remember(ReadOnlySpan<byte> rowKey, in Row row, bool isGone)
    {
        if (_header.Length < rowKey.Length)
        {
            _header = new byte[rowKey.Length * 2];
        }

        rowKey.CopyTo(_header);
        _headerLength = rowKey.Length;

        // Of a key that holds no collection now, all generations up to its version are gone.
        _generationMin = !isGone && LiveRows.IsCollection(row.Type)
            ? LiveRows.GenerationOf(row.Value)
            : row.Version.Packed + 1;
    }

    private bool IsOfOlderGeneration(ReadOnlySpan<byte> rowKey, int element) =>
        rowKey[..element].SequenceEqual(_header.AsSpan(0, _headerLength))
        && LiveRows.GenerationOf(rowKey[element..]) < _generationMin;
}
