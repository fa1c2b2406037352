using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Shows the checks what a leader calls committed, with the memberships that were its own while it counted: the one
/// before the input and the one after it.
/// </summary>
internal sealed class CommitCounting(GroupChecks checks)
{
    private Membership? _before;
    private LogIndex _commit;

    public Membership[] Memberships(RaftGroup group) => [_before ?? group.Membership, group.Membership];

    public void AfterInput(RaftGroup group)
    {
        if (group.Role == Role.Leader && group.CommitIndex > _commit && group.CommitIndex.Value > checks.Committed.Last)
        {
            checks.CommittedByLeader(group.Id, group.Term, group.CommitIndex, Memberships(group));
        }

        _commit = group.CommitIndex;
        _before = group.Membership;
    }
}
