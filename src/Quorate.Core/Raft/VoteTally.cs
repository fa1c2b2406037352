using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>How an election stands.</summary>
internal enum ElectionResult
{
    Pending,
    Won,
    Lost,
}

/// <summary>The votes of one campaign. A joint membership needs a majority of each half (Raft, section 6).</summary>
internal sealed class VoteTally
{
    private readonly SortedDictionary<ReplicaId, bool> _votes = [];

    public void Clear() => _votes.Clear();

    /// <summary>Counts a vote; the first word of a voter counts.</summary>
    public void Record(ReplicaId voter, bool granted) => _votes.TryAdd(voter, granted);

    public ElectionResult Result(Membership membership)
    {
        if (!Guards.JointNeedsBothMajorities && membership.IsJoint)
        {
            return Of(new SortedSet<ReplicaId>([.. membership.Voters, .. membership.Outgoing]).ToArray());
        }

        ElectionResult incoming = Of(membership.Voters);
        ElectionResult outgoing = membership.IsJoint ? Of(membership.Outgoing) : incoming;
        if (incoming == ElectionResult.Lost || outgoing == ElectionResult.Lost)
        {
            return ElectionResult.Lost;
        }

        return incoming == outgoing ? incoming : ElectionResult.Pending;
    }

    private ElectionResult Of(ReadOnlySpan<ReplicaId> voters)
    {
        int granted = 0;
        int open = 0;
        foreach (ReplicaId voter in voters)
        {
            if (!_votes.TryGetValue(voter, out bool vote))
            {
                open++;
            }
            else if (vote)
            {
                granted++;
            }
        }

        int majority = Quorum.Majority(voters.Length);
        return granted >= majority ? ElectionResult.Won
            : granted + open < majority ? ElectionResult.Lost
            : ElectionResult.Pending;
    }
}
