using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>The peers of a leader, ascending by id: all replicas of the current membership but itself.</summary>
internal sealed class PeerSet
{
    private readonly GroupState _state;
    private Peer[] _peers = [];

    public PeerSet(GroupState state)
    {
        _state = state;
        Follow(state.Membership);
    }

    public ReadOnlySpan<Peer> All => _peers;

    public Peer? Find(ReplicaId id)
    {
        foreach (Peer peer in _peers)
        {
            if (peer.Id == id)
            {
                return peer;
            }
        }

        return null;
    }

    /// <summary>Takes in who is new and lets go who is gone.</summary>
    public void Follow(Membership membership)
    {
        var peers = new List<Peer>();
        foreach (ReplicaId id in membership.AllReplicas)
        {
            if (id != _state.Id)
            {
                peers.Add(Find(id) ?? new Peer(id, _state.Log.Last.Next));
            }
        }

        _peers = [.. peers];
    }

    public void EndPeriod()
    {
        foreach (Peer peer in _peers)
        {
            peer.EndPeriod();
        }
    }

    /// <summary>
    /// True when nobody who answers lacks anything, and a quorum answers. Who is silent is woken with the group by
    /// its node's return.
    /// </summary>
    public bool SettledAt(LogIndex last, Membership membership, ReplicaId self)
    {
        foreach (Peer peer in _peers)
        {
            bool lacks = peer.Match < last || peer.State != PeerState.Replicate;
            if (lacks && (peer.IsAlive || peer.State == PeerState.Snapshot))
            {
                return false;
            }
        }

        return Quorum.Reached(membership, new Settled(this, self, last)) > 0;
    }

    private readonly struct Settled(PeerSet peers, ReplicaId self, LogIndex last) : Quorum.IMeasure
    {
        public ulong Of(ReplicaId voter) => voter == self || peers.Find(voter)?.Match == last ? 1UL : 0UL;
    }
}
