using Quorate.Core.Model;

namespace Quorate.Storage.Stores;

/// <summary>
/// Merges neighbouring tables into one run, without what newer rows hide and what nobody can see any more. The
/// checkpoint stays the one that it was; newer ones may come meanwhile.
/// </summary>
internal sealed class CompactionJob
{
    private readonly StoreContext _context;
    private readonly TableSet _set;
    private readonly StoreTable[] _inputs;

    /// <summary>Tables of the set before this place are newer than the inputs.</summary>
    private readonly int _newer;

    /// <summary>Tables of the set from this place on are older than the inputs.</summary>
    private readonly int _older;

    public CompactionJob(StoreContext context, CompactionPlan plan)
    {
        _context = context;
        _set = context.Served!;
        _inputs = [.. _set.Tables.Skip(plan.First).Take(plan.Count)];
        _newer = plan.First;
        _older = plan.First + plan.Count;
        foreach (StoreTable input in _inputs)
        {
            _context.Tables.Hold(input);
        }
    }

    /// <summary>The merged tables have taken the place of those before.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The disk was full, so it was given up.</summary>
    public bool FoundFull { get; private set; }

    /// <summary>Whether the table is one of those that it merges.</summary>
    public bool Works(StoreTable table) => _inputs.Contains(table);

    public IEnumerable<StoreStep> Steps()
    {
        Manifest manifest = _set.Manifest;
        var garbage = new RowGarbage(
            manifest.Time,
            manifest.ClearedAt,
            rowKey => _set.MayHold(rowKey, _older, _set.Tables.Count),
            rowKey => _set.MayHold(rowKey, 0, _newer));
        var rows = new MergedTables(_context, _inputs);
        var output = new RunOutput(_context, manifest.Meta.Index, rows, garbage);
        yield return StoreStep.All(output.Steps());

        StepEnd end = output.End;
        if (end == StepEnd.Done && !output.IsOvertaken && NewSet(output.Tables) is TableSet next)
        {
            var commit = new ManifestCommit(_context, next, isServed: true);
            yield return StoreStep.All(commit.Steps());

            end = commit.End;
            IsDone = end == StepEnd.Done;
        }

        if (end == StepEnd.Dead)
        {
            yield break;
        }

        FoundFull = end == StepEnd.Full;
        output.Release();
        foreach (StoreTable input in _inputs)
        {
            _context.Tables.Release(input);
        }
    }

    /// <summary>
    /// The set as it is now, with the output in the place of the inputs; null when a received snapshot waits, so that
    /// the next manifest is not this store's to write.
    /// </summary>
    private TableSet? NewSet(IReadOnlyList<StoreTable> output)
    {
        TableSet now = _context.Served!;
        int first = now.Tables.ToList().IndexOf(_inputs[0]);
        if (first < 0 || _context.Durable != now)
        {
            return null;
        }

        Invariant.Check(
            now.Tables.Skip(first).Take(_inputs.Length).SequenceEqual(_inputs),
            "what was merged is still side by side");
        StoreTable[] tables =
        [
            .. now.Tables.Take(first),
            .. output,
            .. now.Tables.Skip(first + _inputs.Length),
        ];
        return new(now.Manifest with { Tables = [.. tables.Select(table => table.Entry)] }, tables);
    }
}
