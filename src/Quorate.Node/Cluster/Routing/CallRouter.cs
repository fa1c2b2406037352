using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Wire;
using Quorate.Storage.Rows;

namespace Quorate.Node.Cluster.Routing;

/// <summary>
/// Brings each client's call to whoever may answer it, here or at another node, and asks again while it has surely not
/// been executed and its deadline has not come.
/// <para>Invariants: each call is completed once; calls for one partition are executed in the order in which they were
/// handed over (those of level `eventual` and `session` apart, which any replica answers); a write is asked again only
/// when it surely was not executed, or when its session recognises it.</para>
/// </summary>
internal sealed class CallRouter(ClusterParts parts, LocalCalls local)
{
    private readonly RoutingSettings _settings = parts.Settings.Routing;
    private readonly SortedDictionary<GroupId, PartitionRoute> _routes = [];
    private readonly Dictionary<ulong, RoutedCall> _out = [];
    private readonly PeerLoads _loads = new(parts.Settings.Routing);
    private readonly List<RoutedCall> _free = [];
    private readonly List<PartitionRoute> _paused = [];
    private ulong _lastOrder;
    private Instant _sweepAt = Instant.Never;

    /// <summary>When <see cref="Tick"/> is next due.</summary>
    public Instant NextDeadline
    {
        get
        {
            Instant next = _sweepAt;
            foreach (PartitionRoute route in _paused)
            {
                next = Instant.Min(next, route.Out > 0 ? Instant.Never : route.RetryAt);
            }

            return next;
        }
    }

    /// <summary>Calls that other nodes have and have not answered.</summary>
    public int Forwarded => _out.Count;

    /// <summary>Calls that wait for a leader to be found.</summary>
    public int Waiting => _paused.Sum(route => route.Waiting.Count) + _free.Count;

    public void Submit(ClientCall call)
    {
        if (parts.HasEnded || !parts.View.TryFind(call.Keyspace, out KeyspaceView? keyspace))
        {
            Refuse(call, DropReason.NotLeader, default);
            return;
        }

        var group = new GroupId(keyspace.PartitionOf(call.Slot).Group);
        var routed = new RoutedCall(call, RouteOf(group), ++_lastOrder);
        if (call.Deadline <= parts.Now)
        {
            Expire(routed);
        }
        else if (routed.IsFree)
        {
            AskAnyone(routed);
        }
        else if (routed.Route.IsPaused && Guards.CallsWaitBehindTheRefused)
        {
            Wait(routed);
        }
        else
        {
            Dispatch(routed);
        }
    }

    /// <summary>Another node has answered.</summary>
    public void Answered(NodeId from, in AnswerMessage answer)
    {
        if (answer.Boot == parts.Place.Boot
            && _out.TryGetValue(answer.Id, out RoutedCall? call)
            && call.Target == from)
        {
            TakeBack(answer.Id, call);
            NodeId? hint = answer.LeaderHint.Value == 0 ? null : answer.LeaderHint;
            Came(call, answer, hint);
        }
    }

    /// <summary>What a peer had may be lost: it is asked elsewhere, or nobody knows what became of it.</summary>
    public void LinkLost(NodeId peer)
    {
        foreach ((ulong id, RoutedCall call) in OutAt(peer))
        {
            TakeBack(id, call);
            if ((call.IsRepeatable || !Guards.UnknownWritesAreNotRepeated) && !call.IsDetached)
            {
                AskAgain(call);
            }
            else
            {
                Complete(call, new CallResult(
                    Outcome.Unknown, DropReason.LeadershipLost, call.Route.Group, default, default, default));
            }
        }
    }

    /// <summary>
    /// A peer is not heard. What may be asked elsewhere is; writes may still be answered, but no others wait for them.
    /// </summary>
    public void FellSilent(NodeId peer)
    {
        foreach ((ulong id, RoutedCall call) in OutAt(peer))
        {
            if (call.IsRepeatable && !call.IsDetached)
            {
                TakeBack(id, call);
                AskAgain(call);
            }
            else if (!call.IsDetached)
            {
                call.IsDetached = true;
                call.Route.Out--;
            }
        }
    }

    /// <summary>This node has learnt who leads a partition.</summary>
    public void LeaderKnown(GroupId group)
    {
        if (_routes.TryGetValue(group, out PartitionRoute? route) && route.IsPaused)
        {
            route.Hurry(parts.Now);
        }
    }

    /// <summary>Sends what has waited long enough, and gives up what has waited too long.</summary>
    public void Tick(Instant now)
    {
        if (_sweepAt <= now)
        {
            Sweep(now);
            _sweepAt = _out.Count + Waiting > 0 ? now + _settings.SweepInterval : Instant.Never;
        }

        foreach (PartitionRoute route in _paused.ToArray())
        {
            if (route.MayResume(now))
            {
                Resume(route);
            }
        }
    }

    /// <summary>The process ends: all that is open is answered.</summary>
    public void Close()
    {
        foreach (ulong id in _out.Keys.Order().ToArray())
        {
            RoutedCall call = _out[id];
            TakeBack(id, call);
            Lost(call);
        }

        foreach (PartitionRoute route in _paused)
        {
            foreach (RoutedCall call in route.Waiting.Values.ToArray())
            {
                route.Remove(call);
                Refuse(call.Call, DropReason.NotLeader, route.Group);
            }
        }

        foreach (RoutedCall call in _free)
        {
            Refuse(call.Call, DropReason.NotLeader, call.Route.Group);
        }

        _free.Clear();
    }

    /// <summary>A partition of this node has answered.</summary>
    public void AnsweredHere(RoutedCall call, in PartitionReply reply)
    {
        if (!call.IsFree)
        {
            call.Route.Out--;
        }

        bool isOfPlace = LocalCalls.IsOfPlace(reply);
        NodeId? hint = reply.LeaderHint.IsNone ? null : reply.LeaderHint.NodeId;
        Came(
            call,
            new AnswerMessage(
                0, 0, reply.Outcome, reply.Reason, isOfPlace, default, reply.Token, reply.Version, reply.Reply),
            hint);
    }

    private void Came(RoutedCall call, in AnswerMessage answer, NodeId? hint)
    {
        PartitionRoute route = call.Route;
        if (!answer.IsOfPlace)
        {
            route.Succeeded();
            if (answer.Outcome == Outcome.Done && !call.IsFree)
            {
                route.LeaderHint = call.Target;
            }

            Complete(call, new CallResult(
                answer.Outcome, answer.Reason, route.Group, answer.Token, answer.Version, answer.Reply));
            return;
        }

        if (call.IsFree)
        {
            AskAgain(call);
            return;
        }

        route.LeaderHint = hint == call.Target ? null : hint;
        if (call.IsDetached)
        {
            // Calls after it may have been executed: asking again would put it behind them.
            Refuse(call.Call, DropReason.NotLeader, route.Group);
        }
        else
        {
            AskAgain(call);
        }
    }

    /// <summary>Surely not executed, or it does no harm to execute it again.</summary>
    private void AskAgain(RoutedCall call)
    {
        if (call.IsFree)
        {
            call.RetryAt = parts.Now + _settings.BackOffMin;
            if (_free.Count >= _settings.WaitingMax)
            {
                Refuse(call.Call, DropReason.Overloaded, call.Route.Group);
                return;
            }

            _free.Add(call);
            WatchTime();
            return;
        }

        if (!call.Route.IsPaused)
        {
            call.Route.Pause(parts.Now);
            _paused.Add(call.Route);
        }

        Wait(call);
    }

    private void Wait(RoutedCall call)
    {
        if (call.Route.HasRoomFor(call))
        {
            call.Route.Add(call);
            WatchTime();
        }
        else
        {
            Refuse(call.Call, DropReason.Overloaded, call.Route.Group);
        }
    }

    private void Resume(PartitionRoute route)
    {
        route.Resume();
        _paused.Remove(route);
        while (!route.IsPaused && route.Waiting.Count > 0)
        {
            RoutedCall call = route.Waiting.First().Value;
            route.Remove(call);
            Dispatch(call);
        }
    }

    /// <summary>Hands a call to whoever leads, as far as is known; waits when nobody does.</summary>
    private void Dispatch(RoutedCall call)
    {
        PartitionRoute route = call.Route;
        if (TargetOf(route) is not { } target)
        {
            AskAgain(call);
            return;
        }

        call.Target = target;
        if (target == parts.Self)
        {
            route.Out++;
            local.Submit(route.Group, call);
        }
        else if (!_loads.HasRoomFor(target, call.Bytes))
        {
            Refuse(call.Call, DropReason.Overloaded, route.Group);
        }
        else if (Send(call, target))
        {
            route.Out++;
        }
        else
        {
            route.LeaderHint = null;
            AskAgain(call);
        }
    }

    private NodeId? TargetOf(PartitionRoute route)
    {
        if (parts.Runtime.Find(route.Group) is { Replica.IsRunning: true } here)
        {
            if (here.IsLeader)
            {
                return parts.Self;
            }

            if (ClusterParts.TryLeader(here.Replica.Group, out NodeId known)
                && known != parts.Self && parts.IsHeard(known))
            {
                return known;
            }
        }

        if (route.LeaderHint is { } hint && hint != parts.Self && parts.IsHeard(hint))
        {
            return hint;
        }

        if (!parts.View.TryFind(route.Group, out PartitionRecord? row))
        {
            return null;
        }

        // Nobody knows: the voters in turn.
        for (int i = 0; i < row.Voters.Count; i++)
        {
            NodeId next = ReplicaId.FromPacked(row.Voters[route.NextReplica++ % row.Voters.Count]).NodeId;
            if (next != parts.Self && parts.IsHeard(next))
            {
                route.LeaderHint = next;
                return next;
            }
        }

        return null;
    }

    /// <summary>A read that any replica may answer: the one here, else those that are heard, in turn.</summary>
    private void AskAnyone(RoutedCall call)
    {
        GroupId group = call.Route.Group;
        bool isHere = parts.Runtime.Find(group) is { Replica.IsRunning: true };
        if (isHere && call.Attempts == 0)
        {
            AskHere(call);
            return;
        }

        if (parts.View.TryFind(group, out PartitionRecord? row))
        {
            ulong[] replicas = [.. row.Voters, .. row.Learners];
            for (int i = 0; i < replicas.Length; i++)
            {
                int next = (call.Attempts++ & int.MaxValue) % replicas.Length;
                call.Target = ReplicaId.FromPacked(replicas[next]).NodeId;
                if (isHere && call.Target == parts.Self)
                {
                    AskHere(call);
                    return;
                }

                if (call.Target != parts.Self && parts.IsHeard(call.Target)
                    && _loads.HasRoomFor(call.Target, call.Bytes) && Send(call, call.Target))
                {
                    return;
                }
            }
        }

        AskAgain(call);
    }

    private void AskHere(RoutedCall call)
    {
        call.Attempts++;
        call.Target = parts.Self;
        local.Submit(call.Route.Group, call);
    }

    private bool Send(RoutedCall call, NodeId target)
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

        _out.Add(id, call);
        _loads.Take(target, call.Bytes);
        WatchTime();
        return true;
    }

    private void TakeBack(ulong id, RoutedCall call)
    {
        _out.Remove(id);
        _loads.Give(call.Target, call.Bytes);
        if (!call.IsFree && !call.IsDetached)
        {
            call.Route.Out--;
        }
    }

    private KeyValuePair<ulong, RoutedCall>[] OutAt(NodeId peer) =>
        // order-free: sorted by id, which is the order of sending.
        [.. _out.Where(pair => pair.Value.Target == peer).OrderBy(pair => pair.Key)];

    private void Sweep(Instant now)
    {
        // order-free: sorted by id, which is the order of sending.
        foreach ((ulong id, RoutedCall call) in _out
            .Where(pair => pair.Value.Call.Deadline + _settings.AnswerGrace <= now).OrderBy(pair => pair.Key).ToArray())
        {
            TakeBack(id, call);
            Lost(call);
        }

        foreach (PartitionRoute route in _paused)
        {
            foreach (RoutedCall call in route.Waiting.Values.Where(call => call.Call.Deadline <= now).ToArray())
            {
                route.Remove(call);
                Expire(call);
            }
        }

        RoutedCall[] free = [.. _free];
        _free.Clear();
        foreach (RoutedCall call in free)
        {
            if (call.Call.Deadline <= now)
            {
                Expire(call);
            }
            else if (call.RetryAt <= now)
            {
                AskAnyone(call);
            }
            else
            {
                _free.Add(call);
            }
        }
    }

    /// <summary>No answer came by the deadline.</summary>
    private void Lost(RoutedCall call)
    {
        if (call.Call.Writes)
        {
            Complete(call, new CallResult(
                Outcome.Unknown, DropReason.DeadlinePassed, call.Route.Group, default, default, default));
        }
        else
        {
            Refuse(call.Call, DropReason.ReadDeadlinePassed, call.Route.Group);
        }
    }

    /// <summary>Nobody was found who could be asked.</summary>
    private void Expire(RoutedCall call) => Refuse(call.Call, DropReason.NotLeader, call.Route.Group);

    private PartitionRoute RouteOf(GroupId group)
    {
        if (!_routes.TryGetValue(group, out PartitionRoute? route))
        {
            route = new(group, _settings);
            _routes.Add(group, route);
        }

        return route;
    }

    private void WatchTime()
    {
        if (_sweepAt == Instant.Never)
        {
            _sweepAt = parts.Now + _settings.SweepInterval;
        }
    }

    private static void Complete(RoutedCall call, in CallResult result) => call.Call.Complete(result);

    private static void Refuse(ClientCall call, DropReason reason, GroupId group) =>
        call.Complete(new CallResult(Outcome.Refused, reason, group, default, RowVersion.Zero, default));
}
