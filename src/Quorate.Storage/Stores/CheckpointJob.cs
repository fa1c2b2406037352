using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Stores;

/// <summary>
/// A checkpoint: the dirty rows as of its beginning become a run of tables, and a manifest that names it makes rows,
/// applied index and logged time durable together.
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
            var garbage = new RowGarbage(
                time, clearedAt, rowKey => served is not null && served.MayHold(rowKey), newerMayHold: _ => false);
            var output = new RunOutput(context, meta.Index, new FrozenRows(_freeze), garbage);
            yield return StoreStep.All(output.Steps());

            if (output.End != StepEnd.Done)
            {
                Discard(output, output.End);
                GiveUp(output.End);
                yield break;
            }

            if (!IsCovered)
            {
                var commit = new ManifestCommit(context, NewSet(output.Tables), isServed: true);
                yield return StoreStep.All(commit.Steps());

                if (commit.End != StepEnd.Done)
                {
                    Discard(output, commit.End);
                    GiveUp(commit.End);
                    yield break;
                }

                output.Release();
                memory.Saved(_freeze);
            }
            else
            {
                Discard(output, StepEnd.Done);
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

    private TableSet NewSet(IReadOnlyList<StoreTable> run)
    {
        StoreTable[] tables = [.. run, .. context.Served?.Tables ?? []];
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

    private static void Discard(RunOutput output, StepEnd end)
    {
        if (end != StepEnd.Dead)
        {
            output.Release();
        }
    }
}
