using Quorate.Node.Runtime;
using Quorate.Simulator.Workload;
using Quorate.Storage.Memory;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Holds a node to its memory. What is over the total is either given back, or it is rows that no checkpoint has yet;
/// and while there are too many of those the node takes no more writes.
/// </summary>
internal sealed class MemoryWatch(MemoryBudget budget, NodeSettings settings, string node)
{
    /// <summary>The node is so far over its memory that it must refuse writes.</summary>
    public bool MustRefuse => budget.OverBytes > AllowedOver;

    private long AllowedOver => budget.TotalBytes / settings.MemoryOverDivisor;

    /// <summary>
    /// The node has no work left and no request is under way: whatever is not needed has been given back.
    /// </summary>
    /// <param name="dirtyBytes">Of rows that are in memory only.</param>
    public void CheckQuiet(long dirtyBytes)
    {
        if (budget.UsedBytes - dirtyBytes > budget.TotalBytes + AllowedOver)
        {
            RunClaims.Break(
                RunClaims.MemoryBudget,
                $"{node} has nothing left to do and uses {budget.UsedBytes} bytes of memory of {budget.TotalBytes}, "
                    + $"{dirtyBytes} for rows that are in memory only; {ByUse()}");
        }
    }

    private string ByUse() => string.Join(
        ", ", Enum.GetValues<MemoryUse>().Select(use => $"{use} {budget.UsedBy(use)}"));

    /// <summary>A write was asked for while the node was too far over its memory.</summary>
    public void CheckRefused(Attempt attempt)
    {
        if (attempt.Answer is not { Outcome: Core.Raft.Outcome.Refused })
        {
            RunClaims.Break(
                RunClaims.MemoryBudget,
                $"{node} takes {attempt} while it uses more than {budget.TotalBytes} + {AllowedOver} bytes of memory");
        }
    }
}
