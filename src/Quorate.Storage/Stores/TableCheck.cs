using Quorate.Core;
using Quorate.Storage.Rows;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>
/// Walks one table's file from end to end (<see cref="SSTableStrictCheck"/>), and demands that its rows belong to this
/// store.
/// </summary>
internal sealed class TableCheck(StoreContext context, ManifestTable entry, string file)
{
    /// <summary>One sentence; null when nothing is wrong.</summary>
    public string? Problem { get; private set; }

    public IEnumerable<StoreStep> Steps()
    {
        var opening = new TableOpening(context, entry, file);
        yield return StoreStep.All(opening.Steps(isTrusted: false));

        if (context.IsDead)
        {
            yield break;
        }

        Problem = opening.Problem;
        if (opening.Table is not StoreTable table || !Guards.CheckpointsAreVerified)
        {
            yield break;
        }

        using SSTableReader reader = table.Reader;
        var check = new SSTableStrictCheck(reader);
        while (check.Wanted is { } wanted)
        {
            yield return wanted;

            if (context.IsDead)
            {
                yield break;
            }

            check.Take(context.Jobs.Completion);
            yield return StoreStep.Pause(wanted.Length);
        }

        bool isOurs = context.Settings.Slots.Contains(RowKey.SlotOf(reader.Info.Smallest.Span))
            && context.Settings.Slots.Contains(RowKey.SlotOf(reader.Info.Largest.Span));
        Problem = check.Problems.Count > 0
            ? check.Problems[0]
            : isOurs ? null : $"The file {file} holds rows of other slots.";
    }
}
