using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Tables, newest first, as runs: what one checkpoint or merge wrote is cut into tables whose making fits into memory
/// (<see cref="SSTableSettings.BuildBytesMax"/>), one behind the other in the order of row keys, and counts as one (as
/// the sorted runs of RocksDB's universal compaction do). The manifest says which table continues the run of the one
/// before it; that is a hint, and the row keys decide, so that a merge of a part of a run leaves no wrong one behind.
/// </summary>
internal sealed class TableRuns
{
    private readonly IReadOnlyList<StoreTable> _tables;

    /// <summary>The first table of each run, and behind them how many tables there are.</summary>
    private readonly List<int> _starts = [];

    public TableRuns(IReadOnlyList<StoreTable> tables)
    {
        _tables = tables;
        for (int i = 0; i < tables.Count; i++)
        {
            if (i == 0 || !Continues(tables[i - 1], tables[i]))
            {
                _starts.Add(i);
            }
        }

        _starts.Add(tables.Count);
    }

    public int Count => _starts.Count - 1;

    /// <summary>Of each run, newest first, in bytes.</summary>
    public long[] Sizes()
    {
        long[] sizes = new long[Count];
        for (int run = 0; run < Count; run++)
        {
            for (int i = _starts[run]; i < _starts[run + 1]; i++)
            {
                sizes[run] += _tables[i].Entry.Bytes;
            }
        }

        return sizes;
    }

    /// <summary>The tables of a plan that is made of runs.</summary>
    public CompactionPlan TablesOf(CompactionPlan runs)
    {
        int first = _starts[runs.First];
        return new(first, _starts[runs.First + runs.Count] - first);
    }

    /// <summary>A cursor for each run, of a cursor for each table.</summary>
    public IRowCursor[] CursorsOf(SSTableCursor[] tables)
    {
        var cursors = new IRowCursor[Count];
        for (int run = 0; run < Count; run++)
        {
            int start = _starts[run];
            int count = _starts[run + 1] - start;
            cursors[run] = count == 1
                ? tables[start]
                : new RunCursor(new ArraySegment<SSTableCursor>(tables, start, count));
        }

        return cursors;
    }

    private static bool Continues(StoreTable before, StoreTable table) =>
        table.Entry.Continues
        && before.Reader.Info.Largest.Span.SequenceCompareTo(table.Reader.Info.Smallest.Span) < 0;
}
