using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.SSTable;

/// <summary>
/// Goes through the rows of several sources as one: in the order of row keys, and of the rows under one row key the
/// newest source's alone. Tombstones are shown; what they mean is the reader's matter.
/// <para>Invariant: a newer source never holds an older version of a row.</para>
/// </summary>
/// <param name="sources">The newest first. A few, so each step looks at all of them.</param>
public sealed class MergeCursor(IReadOnlyList<IRowCursor> sources) : IRowCursor
{
    private int _current;
    private bool _isDescending;

    public CursorState State { get; private set; }

    /// <summary>The source of the row that it stands at.</summary>
    public int Source => _current;

    public ReadOnlySpan<byte> RowKey => sources[_current].RowKey;

    public Row Row => sources[_current].Row;

    public CursorState Start(in RowRange range)
    {
        _isDescending = range.Descending;
        foreach (IRowCursor source in sources)
        {
            source.Start(range);
        }

        return Choose();
    }

    public CursorState Next()
    {
        Invariant.Check(State == CursorState.Row, "a cursor goes on from a row");
        for (int i = _current + 1; i < sources.Count; i++)
        {
            IRowCursor source = sources[i];
            if (source.State == CursorState.Row && source.RowKey.SequenceEqual(RowKey))
            {
                Invariant.Check(source.Row.Version <= Row.Version, "a newer source holds no older version of a row");
                source.Next();
            }
        }

        sources[_current].Next();
        return Choose();
    }

    public CursorState Resume()
    {
        foreach (IRowCursor source in sources)
        {
            if (source.State == CursorState.Cold)
            {
                source.Resume();
            }
        }

        return Choose();
    }

    /// <summary>Stands at the first row of all; cold when any source is, since its row may come before.</summary>
    private CursorState Choose()
    {
        State = CursorState.End;
        for (int i = 0; i < sources.Count; i++)
        {
            if (sources[i].State == CursorState.Cold)
            {
                return State = CursorState.Cold;
            }

            if (sources[i].State == CursorState.Row && (State == CursorState.End || IsBefore(i, _current)))
            {
                State = CursorState.Row;
                _current = i;
            }
        }

        return State;
    }

    private bool IsBefore(int a, int b)
    {
        int order = sources[a].RowKey.SequenceCompareTo(sources[b].RowKey);
        return _isDescending ? order > 0 : order < 0;
    }
}
