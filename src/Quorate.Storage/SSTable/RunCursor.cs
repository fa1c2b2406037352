using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Goes through files that follow one another in the order of row keys as through one. A file is looked at only when
/// those before it have been gone through, so that one block at a time is needed of all of them.
/// </summary>
/// <param name="files">Ascending; no row key of one is above one of the next.</param>
public sealed class RunCursor(IReadOnlyList<SSTableCursor> files) : IRowCursor
{
    private byte[] _from = [];
    private byte[] _to = [];
    private bool _isDescending;
    private int _at;

    public CursorState State { get; private set; }

    public ReadOnlySpan<byte> RowKey => files[_at].RowKey;

    public Row Row => files[_at].Row;

    public CursorState Start(in RowRange range)
    {
        _from = range.From.ToArray();
        _to = range.To.ToArray();
        _isDescending = range.Descending;
        _at = _isDescending ? files.Count - 1 : 0;
        return Settle(files[_at].Start(range));
    }

    public CursorState Next()
    {
        Invariant.Check(State == CursorState.Row, "a cursor goes on from a row");
        return Settle(files[_at].Next());
    }

    public CursorState Resume() => Settle(files[_at].Resume());

    /// <summary>Goes to the next file when this one has no more rows.</summary>
    private CursorState Settle(CursorState state)
    {
        int step = _isDescending ? -1 : 1;
        while (state == CursorState.End && _at + step >= 0 && _at + step < files.Count)
        {
            _at += step;
            state = files[_at].Start(new RowRange(_from, _to, _isDescending));
        }

        return State = state;
    }
}
