using Quorate.Core.Model;

namespace Quorate.Storage.Stores;

/// <summary>
/// Writes rows that it is fed as a run of tables, each of which ends when its writer holds as much as it may. The
/// tables are held from their end on, so that their indexes and filters are counted; their owner releases them when it
/// has named them, or has given up.
/// </summary>
internal sealed class RunOutput(StoreContext context, LogIndex createdAt, IRowFeed rows, RowGarbage garbage)
{
    private readonly List<StoreTable> _tables = [];
    private readonly int _exchanges = context.Exchanges;

    public StepEnd End { get; private set; }

    /// <summary>The rows were exchanged meanwhile, so the tables are of no use.</summary>
    public bool IsOvertaken => context.Exchanges != _exchanges;

    /// <summary>In the order of row keys; none when no row was left to write.</summary>
    public IReadOnlyList<StoreTable> Tables => _tables;

    public IEnumerable<StoreStep> Steps()
    {
        bool isAtEnd = false;
        while (!isAtEnd && End == StepEnd.Done && !IsOvertaken)
        {
            using var output = new TableOutput(context, createdAt, rows, garbage, continues: _tables.Count > 0);
            yield return StoreStep.All(output.Steps());

            End = output.End;
            isAtEnd = output.IsAtEnd;
            if (output.Table is StoreTable table)
            {
                _tables.Add(context.Tables.Hold(table));
            }
        }
    }

    /// <summary>The files go unless a set holds them now. Not to be called when the store is dead.</summary>
    public void Release()
    {
        foreach (StoreTable table in _tables)
        {
            context.Tables.Release(table);
        }

        _tables.Clear();
    }
}
