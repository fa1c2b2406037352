using Quorate.Core.Checking;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// What a group's committed entries mean, by a state machine of the checks' own that applies each once, in order.
/// </summary>
internal interface IGroupModel
{
    /// <summary>
    /// The hash that a replica must have after the newest entry; null when the model can not tell, and then the first
    /// replica that shows one binds the others.
    /// </summary>
    ulong? StateHash { get; }

    /// <summary>Applies the next committed entry and notes what it wrote.</summary>
    void Apply(Entry entry, CommittedHistory history);

    /// <summary>
    /// The attempt whose execution answers this one: itself, or an earlier one of the same request. Null when none was
    /// committed.
    /// </summary>
    Attempt? ExecutedFor(Attempt attempt);

    /// <summary>How an acknowledged write's result differs from the one of its place in the log; or null.</summary>
    string? ResultDiffers(Attempt attempt, Attempt executed);
}
