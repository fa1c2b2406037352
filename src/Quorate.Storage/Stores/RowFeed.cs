using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>Rows that are written to a table, in order, tombstones included.</summary>
internal interface IRowFeed
{
    /// <summary>
    /// Shows rows until the visitor has enough or there are none to show. <see cref="CursorState.Row"/> when there may
    /// be more.
    /// </summary>
    CursorState Feed(IRowVisitor visitor);

    /// <summary>What one feed costs beside the rows that it shows, as bytes that are worked through.</summary>
    int LookBytes { get; }

    /// <summary>What it holds in memory of its own, in bytes.</summary>
    long MemoryBytes { get; }

    /// <summary>The steps that fetch what was cold.</summary>
    IEnumerable<StoreStep> ReadCold();
}

/// <summary>The dirty rows of a memtable as they were when a checkpoint began.</summary>
internal sealed class FrozenRows(MemtableFreeze freeze) : IRowFeed
{
    /// <summary>Rows that are looked at in one go, clean ones included.</summary>
    private const int RowsMax = 1024;

    public int LookBytes => RowsMax * 16;

    public long MemoryBytes => 0;

    public CursorState Feed(IRowVisitor visitor) =>
        freeze.Next(RowsMax, visitor) ? CursorState.Row : CursorState.End;

    public IEnumerable<StoreStep> ReadCold() => [];
}

/// <summary>Tables as one.</summary>
internal sealed class MergedTables : IRowFeed
{
    private readonly StoreContext _context;
    private readonly TableWindow[] _windows;
    private readonly SSTableCursor[] _cursors;
    private readonly MergeCursor _merged;
    private bool _isStarted;

    /// <param name="context">The store.</param>
    /// <param name="tables">Newest first.</param>
    public MergedTables(StoreContext context, IReadOnlyList<StoreTable> tables)
    {
        _context = context;
        var runs = new TableRuns(tables);
        _windows = [.. tables.Select(table => new TableWindow(context, table, runs.Count))];
        _cursors = [.. tables.Zip(_windows, (table, window) => new SSTableCursor(table.Reader, window))];
        _merged = new(runs.CursorsOf(_cursors));
    }

    public int LookBytes => 0;

    public long MemoryBytes => _windows.Sum(window => window.MemoryBytes);

    public CursorState Feed(IRowVisitor visitor)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _merged.Start(new([], RowBounds.AfterAll));
        }
        else if (_merged.State == CursorState.Cold)
        {
            _merged.Resume();
        }

        bool wantsMore = true;
        while (wantsMore && _merged.State == CursorState.Row)
        {
            wantsMore = visitor.Visit(_merged.RowKey, _merged.Row);
            _merged.Next();
        }

        return _merged.State;
    }

    public IEnumerable<StoreStep> ReadCold()
    {
        for (int i = 0; i < _cursors.Length; i++)
        {
            if (_cursors[i].State != CursorState.Cold)
            {
                if (_cursors[i].State == CursorState.End)
                {
                    _windows[i].Clear();
                }

                continue;
            }

            yield return StoreStep.All(_windows[i].Read(_cursors[i].ColdBlock));

            if (_windows[i].Problem is string problem)
            {
                _context.Fail(problem);
            }

            if (_context.IsDead)
            {
                yield break;
            }
        }
    }
}
