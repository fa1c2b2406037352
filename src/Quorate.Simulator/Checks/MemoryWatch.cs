using Quorate.Node.Runtime;
using Quorate.Simulator.Workload;
using Quorate.Storage.Memory;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Holds a node to its memory. What is over the total is either given back, or it is rows that no checkpoint has yet;
/// and while there are too many of those the node takes no more writes.
/// </summary>
internal sealed class MemoryWatch
{
    private readonly MemoryBudget _budget;
    private readonly NodeSettings _settings;
    private readonly Judgements _judgements;
    private readonly string _node;

    public MemoryWatch(MemoryBudget budget, NodeSettings settings, Judgements judgements, string node)
    {
        (_budget, _settings, _judgements, _node) = (budget, settings, judgements, node);
        budget.Work.Began = CheckBegan;
    }

    /// <summary>The node is so far over its memory that it must refuse writes.</summary>
    public bool MustRefuse => _budget.OverBytes > AllowedOver;

    private long AllowedOver => _budget.TotalBytes / _settings.MemoryOverDivisor;

    /// <summary>
    /// The node has no work left and no request is under way: whatever is not needed has been given back.
    /// </summary>
    /// <param name="dirtyBytes">Of rows that are in memory only.</param>
    public void CheckQuiet(long dirtyBytes)
    {
        if (_budget.UsedBytes - dirtyBytes > _budget.TotalBytes + AllowedOver)
        {
            RunClaims.Break(
                RunClaims.MemoryBudget,
                $"{_node} has nothing left to do and uses {_budget.UsedBytes} bytes of memory of {_budget.TotalBytes}, "
                    + $"{dirtyBytes} for rows that are in memory only; {ByUse()}");
        }
    }

    /// <summary>
    /// Work on files has begun: beside rows, indexes and all other work it has room, unless it is the only one of its
    /// kind.
    /// </summary>
    private void CheckBegan(WorkKind kind)
    {
        if (_budget.Work.UnderWayOf(kind) == 1)
        {
            return;
        }

        _judgements.Note(Judgements.WorkBesideOthers);
        long bytes = _budget.UsedBy(MemoryUse.Memtables) + _budget.UsedBy(MemoryUse.IndexesAndFilters)
            + Math.Max(_budget.UsedBy(MemoryUse.Work), _budget.Work.ReservedBytes);
        if (bytes > _budget.TotalBytes)
        {
            RunClaims.Break(
                RunClaims.MemoryBudget,
                $"{_node} has begun work on files beside others, which takes {_budget.Work.ReservedBytes} bytes in all "
                    + $"with theirs; that makes {bytes} of {_budget.TotalBytes}; {ByUse()}");
        }
    }

    /// <summary>At any moment work on files takes no more than was reserved for it when it began.</summary>
    /// <param name="readBytes">Of blocks that are on their way for requests, which no reservation is for.</param>
    public void CheckWork(long readBytes)
    {
        long bytes = _budget.UsedBy(MemoryUse.Work) - readBytes;
        if (bytes > 0)
        {
            _judgements.Note(Judgements.WorkReserved);
        }

        if (bytes > _budget.Work.ReservedBytes)
        {
            RunClaims.Break(
                RunClaims.MemoryBudget,
                $"{_node} holds {bytes} bytes for {_budget.Work.UnderWay} works on files, for which "
                    + $"{_budget.Work.ReservedBytes} were reserved");
        }
    }

    private string ByUse() => string.Join(
        ", ", Enum.GetValues<MemoryUse>().Select(use => $"{use} {_budget.UsedBy(use)}"));

    /// <summary>A write was asked for while the node was too far over its memory.</summary>
    public void CheckRefused(Attempt attempt)
    {
        if (attempt.Answer is not { Outcome: Core.Raft.Outcome.Refused })
        {
            RunClaims.Break(
                RunClaims.MemoryBudget,
                $"{_node} takes {attempt} while it uses more than {_budget.TotalBytes} + {AllowedOver} bytes of "
                    + "memory");
        }
    }
}
