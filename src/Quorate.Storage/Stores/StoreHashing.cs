using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// The hash of all rows, taken in as many goes as the cold ones need: each goes on where the one before stood, as long
/// as nothing was applied meanwhile, so that no more than a part of the rows is in memory at one time.
/// </summary>
internal sealed class StoreHashing : IRowVisitor
{
    private StateHasher _hasher;
    private byte[] _from = [];
    private LogIndex _applied;
    private bool _isUnderWay;

    public void Forget() => _isUnderWay = false;

    /// <summary>Null when rows have to be fetched first.</summary>
    public ulong? GoOn(IRowSource rows, LogIndex applied, HybridTime time)
    {
        if (!_isUnderWay || _applied != applied)
        {
            _hasher = new(time);
            _from = [];
            _applied = applied;
            _isUnderWay = true;
        }

        if (rows.Scan(new(_from, RowBounds.AfterAll), this) == Lookup.Cold)
        {
            return null;
        }

        _isUnderWay = false;
        return _hasher.Hash;
    }

    bool IRowVisitor.Visit(ReadOnlySpan<byte> rowKey, in Row row)
    {
        _hasher.Show(rowKey, row);

        // The next row key there can be.
        _from = [.. rowKey, 0];
        return true;
    }
}
