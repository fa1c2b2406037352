using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// A checkpoint: the dirty rows as of its beginning become a table, and a manifest that names it makes rows, applied
/// index and logged time durable together.
/// </summary>
internal sealed class CheckpointJob(
    StoreContext context, Memtable memory, SnapshotMeta meta, HybridTime time, RowVersion clearedAt)
{
    private readonly int _exchanges = context.Exchanges;
    private readonly MemtableFreeze _freeze = memory.Freeze(meta.Index);

    public SnapshotMeta Meta => meta;

    /// <summary>It, or what covers it, is durable.</summary>
    public bool IsSaved { get; private set; }

    /// <summary>The rows were exchanged since it began, so there is nothing left to save.</summary>
    private bool IsOvertaken => context.Exchanges != _exchanges;

    /// <summary>A checkpoint that covers it, a received snapshot, is durable.</summary>
    private bool IsCovered => IsOvertaken || context.Durable?.Manifest.Meta.Index >= meta.Index;

    public IEnumerable<StoreStep> Steps()
    {
        if (!IsCovered)
        {
            TableSet? served = context.Served;
            var garbage = new RowGarbage(time, clearedAt, rowKey => served is not null && served.MayHold(rowKey));
            using var output = new TableOutput(context, meta.Index, new FrozenRows(_freeze), garbage);
            yield return StoreStep.All(output.Steps());

            if (output.End != StepEnd.Done)
            {
                GiveUp(output.End);
                yield break;
            }

            if (!IsCovered)
            {
                var commit = new ManifestCommit(context, NewSet(output.Table), isServed: true);
                yield return StoreStep.All(commit.Steps());

                if (commit.End != StepEnd.Done)
                {
                    Discard(output.Table, commit.End);
                    GiveUp(commit.End);
                    yield break;
                }

                memory.Saved(_freeze);
            }
            else
            {
                Discard(output.Table, StepEnd.Done);
                GiveUp(StepEnd.Done);
            }
        }
        else
        {
            yield return StoreStep.Pause(0);

            GiveUp(StepEnd.Done);
        }

        IsSaved = true;
    }

    private TableSet NewSet(StoreTable? table)
    {
        StoreTable[] tables = [.. table is null ? [] : new[] { table }, .. context.Served?.Tables ?? []];
        var manifest = new Manifest
        {
            Partition = context.Settings.Partition,
            Slots = context.Settings.Slots,
            Meta = meta,
            Time = time,
            ClearedAt = clearedAt,
            Tables = [.. tables.Select(each => each.Entry)],
        };
        return new(manifest, tables);
    }

    /// <summary>The rows stay dirty; with rows that were exchanged, the memtable of before is gone.</summary>
    private void GiveUp(StepEnd end)
    {
        if (end != StepEnd.Dead && !IsOvertaken)
        {
            memory.Abandon(_freeze);
        }
    }

    private void Discard(StoreTable? table, StepEnd end)
    {
        if (table is not null && end != StepEnd.Dead)
        {
            context.Tables.Release(context.Tables.Hold(table));
        }
    }
}
