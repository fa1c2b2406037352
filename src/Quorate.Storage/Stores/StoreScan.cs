using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>Goes through a range of rows, in memory and in all tables, the newest of each.</summary>
internal static class StoreScan
{
    /// <summary>Whether a row is one that anybody may see.</summary>
    public static bool Counts(ReadOnlySpan<byte> rowKey, in Row row, RowVersion clearedAt) =>
        !row.IsTombstone && (row.Version >= clearedAt || RowKey.SpaceOf(rowKey) != RowSpace.User);

    public static Lookup Go(
        StoreContext context, StoreFetches fetches, Memtable rows, RowVersion clearedAt, in RowRange range,
        IRowVisitor visitor)
    {
        SSTableCursor[] tables = NewCursors(context);
        var merged = new MergeCursor(context.Served?.Runs.CursorsOf(tables) ?? []);
        merged.Start(range);
        MemtableCursor memory = rows.Seek(range);
        bool hasRow = memory.TryNext(out ReadOnlySpan<byte> rowKey, out Row row);
        while (merged.State != CursorState.Cold && (hasRow || merged.State == CursorState.Row))
        {
            int order = Order(hasRow, rowKey, merged, range.Descending);
            bool goesOn = order <= 0
                ? !Counts(rowKey, row, clearedAt) || visitor.Visit(rowKey, row)
                : !Counts(merged.RowKey, merged.Row, clearedAt) || visitor.Visit(merged.RowKey, merged.Row);
            if (!goesOn)
            {
                return Lookup.Found;
            }

            if (order >= 0)
            {
                merged.Next();
            }

            hasRow = order > 0 ? hasRow : memory.TryNext(out rowKey, out row);
        }

        if (merged.State == CursorState.Cold)
        {
            WantCold(context, fetches, tables, range);
            return Lookup.Cold;
        }

        return Lookup.Found;
    }

    /// <summary>Below zero: the row in memory comes first. Zero: it hides the table's.</summary>
    private static int Order(bool hasRow, ReadOnlySpan<byte> rowKey, MergeCursor merged, bool isDescending)
    {
        if (!hasRow || merged.State != CursorState.Row)
        {
            return hasRow ? -1 : 1;
        }

        int order = rowKey.SequenceCompareTo(merged.RowKey);
        return isDescending ? -order : order;
    }

    private static SSTableCursor[] NewCursors(StoreContext context) =>
        [.. (context.Served?.Tables ?? []).Select(table => new SSTableCursor(table.Reader, context.Cache))];

    /// <summary>Wants what the cursors lack, and, since a scan goes on, some of what lies behind it.</summary>
    private static void WantCold(
        StoreContext context, StoreFetches fetches, SSTableCursor[] cursors, in RowRange range)
    {
        for (int i = 0; i < cursors.Length; i++)
        {
            if (cursors[i].State != CursorState.Cold)
            {
                continue;
            }

            StoreTable table = context.Served!.Tables[i];
            BlockRun all = table.Reader.BlocksOf(range);
            int at = cursors[i].ColdBlock;
            int count = range.Descending ? at - all.First + 1 : all.First + all.Count - at;
            int passed = Math.Max(0, all.Count - count);

            // A cursor may have to look at one block beyond the range to know that it has come to its end.
            count = Math.Clamp(count, 1, AheadOf(context, table, at, passed, range.Descending));
            fetches.Want(table, new(range.Descending ? at - count + 1 : at, count));
        }
    }

    /// <summary>How many blocks to read from here on, when the scan has passed so many.</summary>
    private static int AheadOf(StoreContext context, StoreTable table, int at, int passed, bool isDescending)
    {
        PartitionStoreSettings settings = context.Settings;
        long bytes = Math.Min(settings.ReadAheadBytesMax, Math.Min(settings.HeldBytesMax, context.Cache.BytesMax) / 4);
        int count = 0;
        for (int i = at; count < passed && i >= 0 && i < table.Reader.BlockCount; i += isDescending ? -1 : 1)
        {
            bytes -= table.Reader.BlockMemoryBytes(i);
            if (bytes < 0)
            {
                break;
            }

            count++;
        }

        return Math.Max(settings.ReadAheadBlocks, count);
    }
}
