using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Changes of membership (Raft, section 6; Raft thesis, chapter 4): one at a time, only after an entry of this
/// term is committed, by one entry or through a joint membership; learners that caught up become voters.
/// </summary>
internal sealed class LeaderMembership(GroupState state, Leader leader)
{
    private RequestId _request;
    private Instant _deadline = Instant.Never;
    private bool _isJoint;

    /// <summary>No change is under way and none is wanted.</summary>
    public bool IsSettled
    {
        get
        {
            if (IsPending)
            {
                return false;
            }

            foreach (Learner learner in state.Membership.Learners)
            {
                if (learner.Kind == LearnerKind.Joining && leader.Peers.Find(learner.Id) is { IsAlive: true })
                {
                    return false;
                }
            }

            return true;
        }
    }

    public Instant Deadline => _deadline;

    /// <summary>Requests kept here until their final membership is appended.</summary>
    public int RequestsHeld => _isJoint && !_request.IsNone ? 1 : 0;

    private bool IsPending =>
        state.Log.Memberships.Last.Index > state.Log.Commit || state.Log.Memberships.Last.Membership.IsJoint;

    /// <summary>A change may start: the last one is committed, and so is an entry of this term (pitfall R1).</summary>
    private bool MayChange =>
        (!IsPending || !Guards.OneMembershipChangeAtATime)
        && (leader.HasCommittedInTerm || !Guards.MembershipChangeNeedsCommitInTerm)
        && !state.Membership.IsJoint;

    public void Propose(RequestId request, Membership target, Instant deadline)
    {
        DropReason? refusal =
            leader.Handover.IsUnderWay ? DropReason.Transferring
            : target.IsJoint || target.Problem(state.Settings.ReplicasMax) is not null || Resurrects(target)
                ? DropReason.MembershipInvalid
            : leader.IsFull ? DropReason.Overloaded
            : !MayChange ? DropReason.MembershipChangePending
            : state.Settings.ChecksNewMajority && !MajorityIsNear(target) && Guards.MembershipNeedsLiveMajority
                ? DropReason.MembershipUnready
            : null;
        if (refusal is DropReason reason)
        {
            state.Drop(request, reason, state.Id);
            return;
        }

        Membership step = state.Membership.StepTowards(target);
        LogIndex index = leader.Append(EntryKind.Membership, step.Encode());
        if (step.IsJoint)
        {
            _request = request;
            _deadline = deadline;
            _isJoint = true;
        }
        else
        {
            leader.Proposals.Add(request, new(state.Term, index), WriteLevel.Majority, deadline);
        }
    }

    /// <summary>
    /// The commit index has moved: leave a joint membership. True when the leader itself has no part any more.
    /// </summary>
    public bool OnCommitted()
    {
        if (state.Log.Memberships.Last.Index > state.Log.Commit)
        {
            return false;
        }

        Membership current = state.Membership;
        if (current.IsJoint && leader.HasCommittedInTerm)
        {
            LogIndex index = leader.Append(EntryKind.Membership, current.Leave().Encode());
            if (_isJoint)
            {
                leader.Proposals.Add(_request, new(state.Term, index), WriteLevel.Majority, _deadline);
                Forget();
            }

            return false;
        }

        return !current.IsVoter(state.Id);
    }

    /// <summary>Makes a joining learner a voter once it has nearly all that is committed.</summary>
    public void Promote(Peer peer)
    {
        if (!MayChange || leader.Handover.IsUnderWay || peer.State != PeerState.Replicate)
        {
            return;
        }

        foreach (Learner learner in state.Membership.Learners)
        {
            if (learner.Id == peer.Id
                && learner.Kind == LearnerKind.Joining
                && IsNear(peer))
            {
                leader.Append(EntryKind.Membership, state.Membership.Promote(peer.Id).Encode());
                return;
            }
        }
    }

    /// <summary>Learners may wait for promotion until something else was settled.</summary>
    public void PromoteAny()
    {
        foreach (Peer peer in leader.Peers.All)
        {
            if (peer.IsAlive)
            {
                Promote(peer);
            }
        }
    }

    public void Expire()
    {
        if (_isJoint && _deadline <= state.Now)
        {
            state.Drop(_request, DropReason.DeadlinePassed);
            _request = RequestId.None;
            _deadline = Instant.Never;
        }
    }

    public void End()
    {
        if (_isJoint)
        {
            state.Drop(_request, DropReason.LeadershipLost);
            Forget();
        }
    }

    /// <summary>A replica that was replaced by a later incarnation on its node never returns (pitfall R20).</summary>
    private bool Resurrects(Membership target)
    {
        foreach (ReplicaId now in state.Membership.AllReplicas)
        {
            foreach (ReplicaId later in target.AllReplicas)
            {
                if (later.Node == now.Node && later.Incarnation < now.Incarnation)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// A majority of the voters to be answers and has nearly all that is committed. Else the change would stop the
    /// group: it could commit nothing more, not even the way back. A leader that was woken just now has heard nobody
    /// yet: whoever asks, asks again.
    /// </summary>
    private bool MajorityIsNear(Membership target)
    {
        if (target.Voters.SequenceEqual(state.Membership.Voters))
        {
            return true;
        }

        int near = 0;
        foreach (ReplicaId voter in target.Voters)
        {
            bool isNear = voter == state.Id
                || (leader.Peers.Find(voter) is { IsAlive: true } peer && IsNear(peer));
            near += isNear ? 1 : 0;
        }

        return near >= Quorum.Majority(target.Voters.Length);
    }

    /// <summary>
    /// It has nearly all that is committed. What was appended a moment ago says nothing: under load there is always
    /// some that nobody else can have yet.
    /// </summary>
    private bool IsNear(Peer peer) => state.Log.Commit - peer.Match <= state.Settings.PromotionLagEntries;

    private void Forget()
    {
        _request = RequestId.None;
        _deadline = Instant.Never;
        _isJoint = false;
    }
}
