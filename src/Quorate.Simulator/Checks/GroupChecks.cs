using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Watches one group from outside: who leads, what is committed, what was acknowledged and on how many disks it
/// lay. It knows all and is known by none of the code under test.
/// </summary>
internal sealed class GroupChecks(int group, List<Attempt> attempts, Membership bootstrap)
{
    private readonly SortedDictionary<ReplicaId, ReplicaRecord> _records = [];
    private readonly SortedDictionary<ulong, (ReplicaId Leader, uint Life)> _leaders = [];
    private readonly LogMatching _matching = new();

    public CommittedLog Committed { get; } = new(group, attempts, bootstrap);

    /// <summary>The greatest term in which anyone was elected.</summary>
    public Term LastElected { get; private set; }

    /// <summary>What is known of a replica, over all its lives.</summary>
    public ReplicaRecord RecordOf(ReplicaId replica)
    {
        if (!_records.TryGetValue(replica, out ReplicaRecord? record))
        {
            record = new ReplicaRecord(replica, _matching);
            _records.Add(replica, record);
        }

        return record;
    }

    /// <summary>
    /// The memberships that are in force or may yet come about: the committed one, and those that lie uncommitted
    /// in any log whose disk is not lost.
    /// </summary>
    public IEnumerable<Membership> PossibleMemberships()
    {
        yield return Committed.Membership;
        foreach (ReplicaRecord record in _records.Values)
        {
            for (ulong index = Committed.Last + 1; !record.Lost && index <= record.Written.Last; index++)
            {
                if (record.Written.At(index) is { Kind: EntryKind.Membership } entry)
                {
                    yield return Membership.TryDecode(entry.Payload.Span)!;
                }
            }
        }
    }

    /// <param name="life">The life of the leader's process: a leader that restarts is a follower.</param>
    public void Elected(ReplicaId leader, Term term, uint life)
    {
        if (!_leaders.TryAdd(term.Value, (leader, life)) && _leaders[term.Value] != (leader, life))
        {
            RunClaims.Break(
                RunClaims.ElectionSafety,
                $"group {group + 1} elected {_leaders[term.Value].Leader} and {leader} in term {term}");
        }

        LastElected = Term.Max(LastElected, term);
        Committed.CheckLeader(leader, term, RecordOf(leader).Written);
    }

    /// <summary>A leader says that everything up to an index is committed.</summary>
    public void CommittedByLeader(ReplicaId leader, Term term, LogIndex commit, Membership current)
    {
        ShadowLog log = RecordOf(leader).Written;
        for (ulong index = Committed.Last + 1; index <= commit.Value; index++)
        {
            Entry? entry = log.At(index);
            if (entry is null)
            {
                RunClaims.Break(
                    RunClaims.StateMachineSafety,
                    $"replica {leader} of group {group + 1} says that {index} is committed, which its log does "
                        + "not hold");
            }

            Committed.Add(leader, entry, term);
        }

        // The leader counted under the membership that it had then: the newest, or the one that has just been left.
        Term last = Committed.TermAt(commit.Value);
        bool Holds(ReplicaId id) =>
            _records.TryGetValue(id, out ReplicaRecord? record) && record.DurableLog.Holds(commit.Value, last);
        if (!Counting(current).Any(m => MembershipChecks.IsQuorum(m, Holds)))
        {
            RunClaims.Break(
                RunClaims.CommitDurable,
                $"replica {leader} of group {group + 1} commits {commit}@{last}, which no majority of {current} holds");
        }
    }

    private IEnumerable<Membership> Counting(Membership current)
    {
        yield return current;
        yield return Committed.Memberships[^1].Membership;
        yield return Committed.Memberships[Math.Max(0, Committed.Memberships.Count - 2)].Membership;
    }

    /// <summary>A node has answered an attempt. Called once per attempt, before the answer leaves.</summary>
    public void Answered(Attempt attempt, RaftGroup? at)
    {
        Answer answer = attempt.Answer!;
        if (answer.Outcome == Outcome.Refused && attempt.CommittedAt != LogIndex.Zero)
        {
            RunClaims.Break(
                RunClaims.RefusedExecuted, $"{attempt} was committed at {attempt.CommittedAt} and then refused "
                    + $"({answer.Reason})");
        }

        if (answer.Outcome == Outcome.Done && attempt.IsWrite)
        {
            CheckAcknowledged(attempt, answer, at!);
        }
    }

    private void CheckAcknowledged(Attempt attempt, Answer answer, RaftGroup leader)
    {
        ulong index = answer.Token.Index.Value;
        if (attempt.WriteLevel.Kind == WriteLevelKind.Leader)
        {
            if (!RecordOf(leader.Id).DurableLog.Holds(index, answer.Token.Term))
            {
                Undurable(attempt, answer, "its leader's disk does not hold it");
            }

            return;
        }

        if (Committed.TermAt(index) != answer.Token.Term || attempt.CommittedAt != answer.Token.Index)
        {
            RunClaims.Break(
                RunClaims.AcknowledgedDurability,
                $"{attempt} is acknowledged at {answer.Token}; committed there is an entry of term "
                    + $"{Committed.TermAt(index)}");
        }

        if (!answer.Result.Span.SequenceEqual(attempt.TrueResult.Span))
        {
            RunClaims.Break(
                RunClaims.WrongResult, $"{attempt} is given another result than its entry at {answer.Token} has");
        }

        CheckDurable(attempt, answer, leader.Membership);
    }

    private void CheckDurable(Attempt attempt, Answer answer, Membership current)
    {
        bool Holds(ReplicaId id) =>
            _records.TryGetValue(id, out ReplicaRecord? record)
            && record.DurableLog.Holds(answer.Token.Index.Value, answer.Token.Term);

        // The leader may have counted under the membership before the newest; either must be met.
        Membership before = Committed.Memberships[^1].Membership;
        Membership earlier = Committed.Memberships[Math.Max(0, Committed.Memberships.Count - 2)].Membership;
        Membership[] memberships = [current, before, earlier];
        if (!memberships.Any(m => MembershipChecks.IsQuorum(m, Holds)))
        {
            Undurable(attempt, answer, $"no majority of {current} holds it");
        }

        int count = _records.Keys.Count(Holds);
        if (attempt.WriteLevel.Kind == WriteLevelKind.Count && count < attempt.WriteLevel.Replicas)
        {
            Undurable(attempt, answer, $"{count} replicas hold it");
        }

        if (attempt.WriteLevel.Kind == WriteLevelKind.All && !memberships.Any(m => Counted(m).All(Holds)))
        {
            Undurable(attempt, answer, $"not all of {current} hold it");
        }
    }

    private static IEnumerable<ReplicaId> Counted(Membership membership)
    {
        List<ReplicaId> counted = [.. membership.Voters, .. membership.Outgoing];
        foreach (Learner learner in membership.Learners)
        {
            if (learner.Kind == LearnerKind.Standing)
            {
                counted.Add(learner.Id);
            }
        }

        return counted;
    }

    private void Undurable(Attempt attempt, Answer answer, string how) =>
        RunClaims.Break(
            RunClaims.DurableBeforeAcknowledged, $"{attempt} is acknowledged at {answer.Token} in group "
                + $"{group + 1}, but {how}");
}
