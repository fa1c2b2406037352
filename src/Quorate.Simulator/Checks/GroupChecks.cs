using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Watches one group from outside: who leads, what is committed, what was acknowledged and on how many disks it
/// lay. It knows all and is known by none of the code under test.
/// </summary>
internal sealed class GroupChecks(int group, Membership bootstrap, IGroupModel model)
{
    private readonly SortedDictionary<ReplicaId, ReplicaRecord> _records = [];
    private readonly SortedDictionary<ulong, (ReplicaId Leader, uint Life)> _leaders = [];
    private readonly LogMatching _matching = new();

    /// <summary>All entries that were ever written.</summary>
    public LogMatching Matching => _matching;

    public CommittedLog Committed { get; } = new(group, bootstrap, model);

    public IGroupModel Model => model;

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
    /// <param name="memberships">Those that were the leader's while it was elected: either must have done so.</param>
    public void Elected(ReplicaId leader, Term term, uint life, ReadOnlySpan<Membership> memberships)
    {
        if (!_leaders.TryAdd(term.Value, (leader, life)) && _leaders[term.Value] != (leader, life))
        {
            RunClaims.Break(
                RunClaims.ElectionSafety,
                $"group {group + 1} elected {_leaders[term.Value].Leader} and {leader} in term {term}");
        }

        LastElected = Term.Max(LastElected, term);
        Committed.CheckLeader(leader, term, RecordOf(leader).Written);
        if (!IsQuorum(memberships, MayHaveVoted))
        {
            RunClaims.Break(
                RunClaims.ElectionQuorum,
                $"replica {leader} of group {group + 1} leads term {term} without the durable votes of a "
                    + $"majority of {memberships[^1]}");
        }

        // Who is in a later term may have voted in this one before.
        bool MayHaveVoted(ReplicaRecord record)
        {
            HardState durable = record.DurableLog.HardState;
            return durable.Term > term || (durable.Term == term && durable.Vote == leader);
        }
    }

    /// <summary>A leader says that everything up to an index is committed.</summary>
    /// <param name="memberships">Those that were the leader's while it counted: either must have the copies.</param>
    public void CommittedByLeader(ReplicaId leader, Term term, LogIndex commit, ReadOnlySpan<Membership> memberships)
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

        if (log.TermAt(commit.Value) != term)
        {
            RunClaims.Break(
                RunClaims.CommitQuorum,
                $"replica {leader} of group {group + 1} commits {commit}@{log.TermAt(commit.Value)} by counting "
                    + $"in term {term}");
        }

        if (!IsQuorum(memberships, record => record.DurableLog.Holds(commit.Value, term)))
        {
            RunClaims.Break(
                RunClaims.CommitQuorum,
                $"replica {leader} of group {group + 1} commits {commit}@{term}, which no majority of "
                    + $"{memberships[^1]} holds durably");
        }
    }

    /// <summary>A replica saves or takes a checkpoint: it must say what was in force at its index.</summary>
    public void CheckCheckpoint(ReplicaId replica, SnapshotMeta meta)
    {
        MembershipAt inForce = Committed.Memberships.FindLast(m => m.Index <= meta.Index);

        // The first membership is in no entry, so a replica that joined later and was sent the log from its very
        // beginning does not know it.
        bool isUntold = inForce.Index == LogIndex.Zero && meta.Membership.Equals(Membership.Empty);
        bool isRight = Committed.TermAt(meta.Index.Value) == meta.Term
            && meta.MembershipIndex == inForce.Index
            && (isUntold || meta.Membership.Equals(inForce.Membership));
        if (!isRight)
        {
            RunClaims.Break(
                RunClaims.CheckpointMeta,
                $"replica {replica} of group {group + 1} has {meta} with the membership of "
                    + $"{meta.MembershipIndex}; in force there was "
                    + $"{inForce.Membership} of {inForce.Index}, and the term was "
                        + $"{Committed.TermAt(meta.Index.Value)}");
        }
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

        Attempt? executed = model.ExecutedFor(attempt);
        bool isPlaced = executed is not null
            && (executed == attempt
                ? executed.CommittedAt == answer.Token.Index
                : executed.CommittedAt <= answer.Token.Index);
        if (Committed.TermAt(index) != answer.Token.Term || !isPlaced)
        {
            RunClaims.Break(
                RunClaims.AcknowledgedDurability,
                $"{attempt} is acknowledged at {answer.Token}; committed there is an entry of term "
                    + $"{Committed.TermAt(index)}, and the attempt is at {executed?.CommittedAt}");
        }

        if (model.ResultDiffers(attempt, executed!) is { } difference)
        {
            RunClaims.Break(RunClaims.WrongResult, $"{attempt}, acknowledged at {answer.Token}, {difference}");
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

    private bool IsQuorum(ReadOnlySpan<Membership> memberships, Func<ReplicaRecord, bool> has)
    {
        foreach (Membership membership in memberships)
        {
            if (MembershipChecks.IsQuorum(membership, id =>
                _records.TryGetValue(id, out ReplicaRecord? record) && has(record)))
            {
                return true;
            }
        }

        return false;
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
