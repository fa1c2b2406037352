using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Hands leadership to another voter (Raft thesis, section 3.10): takes no more proposals, brings the heir's log
/// up to date, then asks it to campaign at once. The heir's campaign passes over the other voters' promises, so
/// from the start of a transfer until the end of the term there is no lease (pitfall R8): a TimeoutNow may be on
/// its way for ever. One lives as long as its replica; a leadership that ends clears it (pitfall R23).
/// </summary>
internal sealed class LeaderHandover(GroupState state)
{
    private RequestId _request;
    private int _elapsed;
    private bool _isAsked;
    private ReplicaId _heir;
    private Instant _endedAt;

    /// <summary>Who is to lead next; none when no transfer is under way.</summary>
    public ReplicaId Target { get; private set; }

    public bool IsUnderWay => !Target.IsNone;

    /// <summary>When to stop waiting for the next leader's name.</summary>
    public Instant GiveUpAt => _heir.IsNone ? Instant.Never : _endedAt + (state.Settings.LeasePromise * 2);

    /// <summary>A transfer was begun in this term.</summary>
    public bool LeaseHasEnded { get; private set; }

    public void Begin(Leader leader, RequestId request, ReplicaId target)
    {
        Peer? peer = leader.Peers.Find(target);
        if (peer is null || !state.Membership.IsIncomingVoter(target))
        {
            state.Drop(request, DropReason.TransferImpossible, state.Id);
            return;
        }

        if (IsUnderWay)
        {
            state.Drop(request, DropReason.Transferring, Target);
            return;
        }

        Target = target;
        _request = request;
        _elapsed = 0;
        _isAsked = false;
        LeaseHasEnded = true;
        leader.Replication.Replicate(peer);
        OnProgress(peer);
    }

    /// <summary>Asks the heir to campaign when its log is complete.</summary>
    public void OnProgress(Peer peer)
    {
        if (peer.Id != Target || _isAsked || peer.Match != state.Log.Last)
        {
            return;
        }

        _isAsked = true;
        state.Send(new() { Kind = MessageKind.TimeoutNow, From = state.Id, To = Target, Term = state.Term });
    }

    public void Tick(int ticks)
    {
        if (!IsUnderWay)
        {
            return;
        }

        _elapsed += ticks;
        if (_elapsed >= state.Settings.ElectionTicks || !state.Membership.IsIncomingVoter(Target))
        {
            state.Drop(_request, DropReason.TransferTimedOut, state.Id);
            Target = ReplicaId.None;
        }
    }

    /// <summary>Leadership has ended; who leads next tells whether the transfer did it.</summary>
    public void End()
    {
        if (IsUnderWay)
        {
            _heir = Target;
            _endedAt = state.Now;
        }

        if (Guards.TransferEndsWithRole)
        {
            Target = ReplicaId.None;
            LeaseHasEnded = false;
        }
    }

    /// <summary>The next leader is known.</summary>
    public void OnLeader(ReplicaId leader)
    {
        if (_heir.IsNone)
        {
            return;
        }

        if (leader != _heir)
        {
            state.Drop(_request, DropReason.LeadershipLost, leader);
        }
        else if (!_request.IsNone)
        {
            state.Output.Acknowledged.Add(new(_request, default));
        }

        _heir = ReplicaId.None;
    }

    /// <summary>Nobody has been heard to take over.</summary>
    public void GiveUp()
    {
        if (GiveUpAt <= state.Now)
        {
            OnLeader(ReplicaId.None);
        }
    }

    /// <summary>The leader has no part in the group any more: the voter that holds most takes over at once.</summary>
    public void Bequeath(Leader leader)
    {
        Peer? heir = null;
        foreach (Peer peer in leader.Peers.All)
        {
            if (state.Membership.IsIncomingVoter(peer.Id) && peer.IsAlive && (heir is null || peer.Match > heir.Match))
            {
                heir = peer;
            }
        }

        if (heir is not null)
        {
            state.Send(new() { Kind = MessageKind.TimeoutNow, From = state.Id, To = heir.Id, Term = state.Term });
        }
    }
}
