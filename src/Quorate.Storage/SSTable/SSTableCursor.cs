using Quorate.Core.Model;
using Quorate.Storage.Blocks;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>Where a cursor over a file finds blocks that are in memory.</summary>
public interface IBlockLookup
{
    /// <summary>Null when the block is not in memory.</summary>
    Block? Find(SSTableReader file, int block);
}

/// <summary>
/// Goes through the rows of one sorted file as far as its blocks are in memory; where one is not, it stands cold and
/// <see cref="ColdBlock"/> names it.
/// </summary>
public sealed class SSTableCursor(SSTableReader file, IBlockLookup blocks) : IRowCursor
{
    private readonly BlockCursor _cursor = new();
    private byte[] _from = [];
    private byte[] _to = [];
    private bool _isDescending;
    private Arrival _arrival;
    private int _block;

    /// <summary>How it goes on once it has the block that it waits for.</summary>
    private enum Arrival : byte
    {
        /// <summary>At the first row from the range's beginning on.</summary>
        Seeking,

        /// <summary>At the first row of the block, or the last when it goes down.</summary>
        Entering,
    }

    public SSTableReader File => file;

    public CursorState State { get; private set; }

    /// <summary>The block that is missing when it is cold.</summary>
    public int ColdBlock => _block;

    public ReadOnlySpan<byte> RowKey => _cursor.RowKey;

    public Row Row => _cursor.Row;

    public CursorState Start(in RowRange range)
    {
        _from = range.From.ToArray();
        _to = range.To.ToArray();
        _isDescending = range.Descending;
        if (file.BlocksOf(range).Count <= 0)
        {
            return State = CursorState.End;
        }

        _arrival = Arrival.Seeking;
        _block = _isDescending ? file.FindBlock(_to) : Math.Max(0, file.FindBlock(_from));
        return Resume();
    }

    public CursorState Next()
    {
        Invariant.Check(State == CursorState.Row, "a cursor goes on from a row");
        return Settle(_isDescending ? _cursor.Previous() : _cursor.Next());
    }

    public CursorState Resume()
    {
        if (blocks.Find(file, _block) is not Block block)
        {
            return State = CursorState.Cold;
        }

        _cursor.Enter(block);
        bool isAtRow = (_arrival, _isDescending) switch
        {
            (Arrival.Seeking, false) => _cursor.SeekFrom(_from),
            (Arrival.Seeking, true) => _cursor.SeekBefore(_to),
            (_, false) => _cursor.First(),
            (_, true) => _cursor.Last(),
        };
        return Settle(isAtRow);
    }

    /// <summary>Goes to the next block when this one has no more rows, and ends where the range does.</summary>
    private CursorState Settle(bool isAtRow)
    {
        if (!isAtRow)
        {
            _arrival = Arrival.Entering;
            _block += _isDescending ? -1 : 1;
            return _block < 0 || _block >= file.BlockCount ? State = CursorState.End : Resume();
        }

        bool isInside = _isDescending
            ? RowKey.SequenceCompareTo(_from) >= 0
            : RowKey.SequenceCompareTo(_to) < 0;
        return State = isInside ? CursorState.Row : CursorState.End;
    }
}
