using Quorate.Core.Model;
using Quorate.Storage.Memory;

namespace Quorate.Node.Cluster.Routing;

/// <summary>How much is out at each peer, in requests and in bytes of their words.</summary>
internal sealed class PeerLoads(RoutingSettings settings, MemoryBudget memory)
{
    private readonly SortedDictionary<NodeId, (int Count, long Bytes)> _loads = [];

    public bool HasRoomFor(NodeId peer, long bytes)
    {
        (int count, long sum) = _loads.GetValueOrDefault(peer);
        return count < settings.ForwardedMax && (count == 0 || sum + bytes <= settings.ForwardedBytesMax)
            && memory.MayTake(bytes);
    }

    public void Take(NodeId peer, long bytes)
    {
        (int count, long sum) = _loads.GetValueOrDefault(peer);
        _loads[peer] = (count + 1, sum + bytes);
        memory.Take(MemoryUse.Requests, bytes);
    }

    public void Give(NodeId peer, long bytes)
    {
        (int count, long sum) = _loads.GetValueOrDefault(peer);
        Invariant.Check(count > 0, "what comes back was out");
        _loads[peer] = (count - 1, sum - bytes);
        memory.Give(MemoryUse.Requests, bytes);
    }
}
