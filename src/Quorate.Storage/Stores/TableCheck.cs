using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Walks one table's file from end to end: every block is read and verified, every row is where it has to be, and the
/// properties are true.
/// </summary>
internal sealed class TableCheck(StoreContext context, ManifestTable entry, string file)
{
    /// <summary>One sentence; null when nothing is wrong.</summary>
    public string? Problem { get; private set; }

    /// <summary>The open table, when it could be opened at all.</summary>
    public StoreTable? Table { get; private set; }

    public IEnumerable<StoreStep> Steps()
    {
        var opening = new TableOpening(context, entry, file);
        yield return StoreStep.All(opening.Steps(isTrusted: false));

        if (context.IsDead)
        {
            yield break;
        }

        Table = opening.Table;
        Problem = opening.Problem;
        if (Table is null || !Guards.CheckpointsAreVerified)
        {
            yield break;
        }

        var window = new TableWindow(context, Table);
        var cursor = new SSTableCursor(Table.Reader, window);
        cursor.Start(new([], RowBounds.AfterAll));
        var seen = new Walk(Table.Reader.Info, context.Settings.Slots);
        while (Problem is null && cursor.State != CursorState.End)
        {
            if (cursor.State == CursorState.Cold)
            {
                yield return StoreStep.All(window.Read(cursor.ColdBlock));

                if (context.IsDead)
                {
                    yield break;
                }

                Problem = window.Problem;
                if (Problem is null)
                {
                    cursor.Resume();
                }
            }

            int bytes = seen.Take(cursor);
            yield return StoreStep.Pause(bytes);
        }

        Problem ??= seen.Problem(file);
    }

    /// <summary>Compares the rows with what the file says of itself.</summary>
    private sealed class Walk(SSTableInfo info, SlotRange slots)
    {
        private long _rows;
        private long _tombstones;
        private long _outside;
        private RowVersion _versionMax;

        /// <summary>Takes the rows that are there; how many bytes they were.</summary>
        public int Take(SSTableCursor cursor)
        {
            int bytes = 0;
            while (cursor.State == CursorState.Row)
            {
                Row row = cursor.Row;
                bytes += cursor.RowKey.Length + row.Value.Length;
                _rows++;
                _tombstones += row.IsTombstone ? 1 : 0;
                _outside += slots.Contains(RowKey.SlotOf(cursor.RowKey)) ? 0 : 1;
                _versionMax = row.Version > _versionMax ? row.Version : _versionMax;
                cursor.Next();
            }

            return bytes;
        }

        public string? Problem(string file) =>
            _rows == info.Rows && _tombstones == info.Tombstones && _versionMax == info.VersionMax && _outside == 0
                ? null
                : $"The file {file} holds other rows than it says. Restore it from a copy, or remove this replica's "
                    + "data and let the replica be built anew from the others.";
    }
}
