using Quorate.Core;
using Quorate.Storage.Memory;

namespace Quorate.Storage.Stores;

/// <summary>
/// Decides when tables are merged, and which. One merge at leisure, by tiers; and when there are too many tables all
/// the same, since checkpoints bring new ones faster than a large merge ends, an urgent one between: of a few
/// neighbours that are newer than what that merge works on, the smallest together.
/// <para>Invariants: two merges never work on the same table. With more than
/// <see cref="PartitionStoreSettings.TablesMax"/> and <see cref="PartitionStoreSettings.TablesOverMax"/> runs
/// together no checkpoint begins, unless nothing can be merged (the disk is full): so the number of runs is bounded,
/// whatever is written, and that of tables by the rows that there are. A merge begins when there is memory for
/// it.</para>
/// </summary>
/// <param name="context">The store.</param>
/// <param name="again">Called when a merge that had to wait for memory may begin.</param>
internal sealed class StoreCompactions(StoreContext context, Action again)
{
    private readonly StoreWork _leisure = context.NewWork(WorkKind.Leisure, again);
    private readonly StoreWork _urgent = context.NewWork(WorkKind.Needed, again);
    private CompactionJob? _leisurely;
    private int _worksBeforeRetry;

    /// <summary>Compactions done so far.</summary>
    public int Done { get; private set; }

    /// <summary>A checkpoint has to wait for tables to become fewer.</summary>
    public bool MustComeFirst => IsFarBehind && (context.Jobs.Has(StoreJobRank.Urgent) || _urgent.IsWaiting);

    /// <summary>Some table is to be written again, since its data key was retired.</summary>
    public bool HasRetiredKeys => context.Served is TableSet served
        && CompactionPlan.OfRetiredKeys(served, context.Encryption).Count > 0;

    private PartitionStoreSettings Settings => context.Settings;

    private bool IsFarBehind => Guards.TablesStayBounded
        && context.Served?.Runs.Count > Settings.TablesMax + Settings.TablesOverMax;

    /// <summary>Begins what is worth merging; to be called at every opportunity to work.</summary>
    public void GoOn()
    {
        _worksBeforeRetry -= _worksBeforeRetry > 0 ? 1 : 0;
        if (_worksBeforeRetry > 0 || context.Served is not TableSet served || served != context.Durable)
        {
            return;
        }

        // An urgent merge that is under way or waits is about to replace tables, so none begins over them.
        bool isFree = !context.Jobs.Has(StoreJobRank.Urgent) || !Guards.MergesSpareEachOther;
        if (!context.Jobs.Has(StoreJobRank.Leisure) && isFree)
        {
            CompactionPlan plan = CompactionPlan.Of(served.Runs.Sizes(), Settings);
            plan = plan.Count > 2 ? plan.OfAtMost(StoreWork.RunsMax(context, served)) : plan;
            plan = plan.Count > 1
                ? served.Runs.TablesOf(plan)
                : CompactionPlan.OfRetiredKeys(served, context.Encryption);
            if (plan.Count > 0 && _leisure.TryBegin(SizeOf(served, plan)))
            {
                _leisurely = new(context, plan);
                context.Jobs.Add(Steps(_leisurely, _leisure), StoreJobRank.Leisure);
            }
        }

        if (IsFarBehind && !context.Jobs.Has(StoreJobRank.Urgent))
        {
            var free = new TableRuns([.. served.Tables.TakeWhile(table => _leisurely?.Works(table) != true)]);
            int runs = Math.Min(Settings.TierTablesMin, StoreWork.RunsMax(context, served));
            CompactionPlan plan = CompactionPlan.Smallest(free.Sizes(), runs);
            CompactionPlan tables = plan.Count > 1 ? free.TablesOf(plan) : default;
            if (plan.Count > 1 && _urgent.TryBegin(SizeOf(served, tables)))
            {
                context.Jobs.Add(Steps(new(context, tables), _urgent), StoreJobRank.Urgent);
            }
        }
    }

    /// <summary>Memory that merges have waited for and do not want any more goes to others.</summary>
    public void ReturnUnused()
    {
        _leisure.ReturnUnused();
        _urgent.ReturnUnused();
    }

    /// <summary>The disk was full: nothing is begun for a while.</summary>
    public void FoundFull() => _worksBeforeRetry = Settings.WorksBeforeRetry;

    private static WorkSize SizeOf(TableSet set, CompactionPlan plan)
    {
        StoreTable[] tables = [.. set.Tables.Skip(plan.First).Take(plan.Count)];
        return new(
            tables.Sum(table => table.Reader.BlocksMemoryBytes),
            tables.Max(table => table.Reader.LargestBlockMemoryBytes),
            new TableRuns(tables).Count);
    }

    private IEnumerable<StoreStep> Steps(CompactionJob job, StoreWork work)
    {
        yield return StoreStep.All(job.Steps());

        work.End();
        Done += job.IsDone ? 1 : 0;
        _leisurely = _leisurely == job ? null : _leisurely;
        if (job.FoundFull)
        {
            FoundFull();
        }
    }
}
