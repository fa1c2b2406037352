using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Wire;

namespace Quorate.Node.Cluster.Routing;

/// <summary>
/// The calls that other nodes have and have not answered.
/// <para>Invariant: what is out at one peer is bounded.</para>
/// </summary>
internal sealed class Forwarding(ClusterParts parts)
{
    private readonly Dictionary<ulong, RoutedCall> _out = [];
    private readonly PeerLoads _loads = new(parts.Settings.Routing, parts.Place.Memory);

    public int Count => _out.Count;

    public bool HasRoomFor(NodeId peer, RoutedCall call) => _loads.HasRoomFor(peer, call.Bytes);

    /// <summary>False when it surely does not arrive.</summary>
    public bool Send(RoutedCall call, NodeId target)
    {
        ulong id = parts.NextId();
        ulong epoch = parts.View.TryFind(call.Route.Group, out PartitionRecord? row) ? row.Epoch : 0;
        var header = new CallHeader(
            parts.Place.Boot, id, call.Route.Group, epoch, call.IsFree ? 0 : call.Route.Round,
            new Duration(Math.Max(0, (call.Call.Deadline - parts.Now).Microseconds)));
        CallWire.Write(parts.Writer, header, call.Call);
        if (!parts.Send(target, PeerClass.Requests))
        {
            return false;
        }

        call.Target = target;
        call.SentAt = parts.Now;
        _out.Add(id, call);
        _loads.Take(target, call.Bytes);
        call.Route.Out += call.IsFree ? 0 : 1;
        return true;
    }

    /// <summary>The call that a node answers; null when it is none that it was asked.</summary>
    public RoutedCall? TakeAnswered(NodeId from, in AnswerMessage answer)
    {
        if (answer.Boot != parts.Place.Boot
            || !_out.TryGetValue(answer.Id, out RoutedCall? call)
            || call.Target != from)
        {
            return null;
        }

        TakeBack(answer.Id, call);
        return call;
    }

    /// <summary>It is out no more, and nobody waits for it.</summary>
    public void TakeBack(ulong id, RoutedCall call)
    {
        _out.Remove(id);
        _loads.Give(call.Target, call.Bytes);
        call.Route.Out -= call.IsFree || call.IsDetached ? 0 : 1;
    }

    /// <summary>Those of which something holds, in the order of sending.</summary>
    public KeyValuePair<ulong, RoutedCall>[] Where(Func<RoutedCall, bool> holds) =>
        // order-free: sorted by id, which is the order of sending.
        [.. _out.Where(pair => holds(pair.Value)).OrderBy(pair => pair.Key)];
}
