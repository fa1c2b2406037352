using Quorate.Core.Model;
using Quorate.Server.Peers;

namespace Quorate.Server.Runtime;

/// <summary>
/// Connections that were lost and of which the node has not heard yet: several of one lane are told as one. Any thread
/// may add.
/// </summary>
internal sealed class LostLinks
{
    private readonly Dictionary<(NodeId Peer, PeerLane Lane), (bool IsOwn, bool NothingLeft)> _lost = [];

    /// <summary>False when one that still waits will speak for this one, too.</summary>
    public bool Add(NodeId peer, PeerLane lane, LinkLoss loss)
    {
        bool isOwn = loss != LinkLoss.Incoming;
        bool nothingLeft = loss == LinkLoss.NeverOpened;
        lock (_lost)
        {
            bool isWaiting = _lost.TryGetValue((peer, lane), out (bool IsOwn, bool NothingLeft) before);
            _lost[(peer, lane)] = isWaiting
                ? (before.IsOwn || isOwn, before.NothingLeft && nothingLeft)
                : (isOwn, nothingLeft);
            return !isWaiting;
        }
    }

    /// <summary>
    /// What to tell: whether one that this node had opened is among them, and whether of all of them nothing is left
    /// that was sent.
    /// </summary>
    public (bool IsOwn, bool NothingLeft) Take(NodeId peer, PeerLane lane)
    {
        lock (_lost)
        {
            _lost.Remove((peer, lane), out (bool IsOwn, bool NothingLeft) loss);
            return loss;
        }
    }
}
