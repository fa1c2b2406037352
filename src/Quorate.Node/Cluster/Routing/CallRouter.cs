using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
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
internal sealed class CallRouter
{
    private readonly ClusterParts _parts;
    private readonly LocalCalls _local;
    private readonly Forwarding _forwarding;
    private readonly FreeReads _free;
    private readonly RoutingSettings _settings;
    private readonly RouteTable _routes;
    private readonly List<PartitionRoute> _paused = [];
    private ulong _lastOrder;
    private Instant _sweepAt = Instant.Never;

    public CallRouter(ClusterParts parts, LocalCalls local)
    {
        _parts = parts;
        _local = local;
        _settings = parts.Settings.Routing;
        _routes = new(_settings, parts.Place.Memory);
        _forwarding = new(parts);
        _free = new(parts, local, _forwarding);
    }

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
    public int Forwarded => _forwarding.Count;

    /// <summary>Calls that wait for a leader to be found.</summary>
    /// <summary>Partitions to which a way is remembered.</summary>
    public int Routes => _routes.Count;

    public int Waiting => _paused.Sum(route => route.Waiting.Count) + _free.Count;

    public void Submit(ClientCall call)
    {
        if (_parts.HasEnded || !_parts.View.TryFind(call.Keyspace, out KeyspaceView? keyspace))
        {
            bool isDropped = !_parts.HasEnded && _parts.IsDropped(call.Keyspace);
            DropReason reason = isDropped ? DropReason.KeyspaceDropped : DropReason.NotLeader;
            call.Complete(new CallResult(Outcome.Refused, reason, default, default, RowVersion.Zero, default));
            return;
        }

        var group = new GroupId(keyspace.PartitionOf(call.Slot).Group);
        var routed = new RoutedCall(call, _routes.Of(group, _parts.View), ++_lastOrder);
        if (call.Deadline <= _parts.Now)
        {
            routed.Refuse(DropReason.NotLeader);
        }
        else if (routed.Bytes > _settings.CallBytesMax)
        {
            routed.Refuse(DropReason.TooLarge);
        }
        else if (routed.IsFree)
        {
            _free.Ask(routed);
            WatchTime();
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
        if (_forwarding.TakeAnswered(from, answer) is { } call)
        {
            NodeId? hint = answer.LeaderHint.Value == 0 ? null : answer.LeaderHint;
            Came(call, answer, hint);
        }
    }

    /// <summary>
    /// What a peer had may be lost: it is asked elsewhere, or nobody knows what became of it. What has never left is
    /// asked elsewhere in any case.
    /// </summary>
    public void LinkLost(NodeId peer, bool nothingLeft)
    {
        foreach ((ulong id, RoutedCall call) in _forwarding.Where(call => call.Target == peer))
        {
            _forwarding.TakeBack(id, call);
            if (nothingLeft)
            {
                NeverLeft(call, peer);
            }
            else if ((call.IsRepeatable || !Guards.UnknownWritesAreNotRepeated) && !call.IsDetached)
            {
                call.MayHaveRun |= call.Call.Writes;
                AskAgain(call);
            }
            else
            {
                call.End(Outcome.Unknown, DropReason.LeadershipLost);
            }
        }
    }

    /// <summary>
    /// A peer is not heard. What may be asked elsewhere is; writes may still be answered, but no others wait for them.
    /// </summary>
    public void FellSilent(NodeId peer)
    {
        foreach ((ulong id, RoutedCall call) in _forwarding.Where(call => call.Target == peer))
        {
            WaitNoMore(id, call);
        }
    }

    /// <summary>A peer begins to stop.</summary>
    public void BeginsToStop(NodeId peer) => _routes.BeginsToStop(peer);

    /// <summary>This node has learnt who leads a partition.</summary>
    public void LeaderKnown(GroupId group)
    {
        if (_routes.Find(group) is { IsPaused: true } route)
        {
            route.Hurry(_parts.Now);
        }
    }

    /// <summary>Sends what has waited long enough, and gives up what has waited too long.</summary>
    public void Tick(Instant now)
    {
        if (_sweepAt <= now)
        {
            Sweep(now);
            _sweepAt = _forwarding.Count + Waiting > 0 ? now + _settings.SweepInterval : Instant.Never;
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
        foreach ((ulong id, RoutedCall call) in _forwarding.Where(_ => true))
        {
            _forwarding.TakeBack(id, call);
            call.Lose();
        }

        foreach (PartitionRoute route in _paused)
        {
            foreach (RoutedCall call in route.Waiting.Values.ToArray())
            {
                route.Remove(call);
                call.Refuse(DropReason.NotLeader);
            }
        }

        _free.Close();
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
                // One that stops will lead no more when the next call comes.
                route.LeaderHint = _parts.IsStopping(call.Target) ? null : call.Target;
            }

            call.Complete(new CallResult(
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
            call.Refuse(ReasonOf(call));
        }
        else
        {
            AskAgain(call);
        }
    }

    /// <summary>What was handed to a peer has not left this node.</summary>
    private void NeverLeft(RoutedCall call, NodeId peer)
    {
        if (call.Route.LeaderHint == peer)
        {
            call.Route.LeaderHint = null;
        }

        if (call.IsDetached)
        {
            // Calls after it may have been executed: asking again would put it behind them.
            call.Refuse(ReasonOf(call));
        }
        else
        {
            AskAgain(call);
        }
    }

    /// <summary>Surely not executed, or it does no harm to execute it again.</summary>
    private void AskAgain(RoutedCall call)
    {
        if (_parts.IsDropped(call.Call.Keyspace))
        {
            call.Refuse(DropReason.KeyspaceDropped);
            return;
        }

        if (call.IsFree)
        {
            _free.Wait(call);
            WatchTime();
            return;
        }

        if (!call.Route.IsPaused)
        {
            call.Route.Pause(_parts.Now);
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
            call.Refuse(DropReason.Overloaded);
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
        if (LeaderSearch.Find(_parts, route) is not { } target)
        {
            AskAgain(call);
            return;
        }

        call.Target = target;
        if (target == _parts.Self)
        {
            route.Out++;
            _local.Submit(route.Group, call);
        }
        else if (!_forwarding.HasRoomFor(target, call))
        {
            call.Refuse(DropReason.Overloaded);
        }
        else if (_forwarding.Send(call, target))
        {
            WatchTime();
        }
        else
        {
            route.LeaderHint = null;
            AskAgain(call);
        }
    }

    /// <summary>A call's answer may never come.</summary>
    private void WaitNoMore(ulong id, RoutedCall call)
    {
        if (call.IsRepeatable && !call.IsDetached)
        {
            _forwarding.TakeBack(id, call);
            call.MayHaveRun |= call.Call.Writes;
            AskAgain(call);
        }
        else if (!call.IsDetached)
        {
            call.IsDetached = true;
            call.Route.Out--;
        }
    }

    private void Sweep(Instant now)
    {
        foreach ((ulong id, RoutedCall call) in _forwarding.Where(
            call => call.Call.Deadline + _settings.AnswerGrace <= now))
        {
            _forwarding.TakeBack(id, call);
            call.Lose();
        }

        // One answer that was lost must not hold up all that is to leave after it.
        foreach ((ulong id, RoutedCall call) in _forwarding.Where(
            call => call.Route.IsPaused && !call.IsFree && call.SentAt + _settings.DetachAfter <= now))
        {
            WaitNoMore(id, call);
        }

        foreach (PartitionRoute route in _paused)
        {
            foreach (RoutedCall call in route.Waiting.Values.Where(call => call.Call.Deadline <= now).ToArray())
            {
                // Nobody was found who could be asked.
                route.Remove(call);
                call.Refuse(ReasonOf(call));
            }
        }

        _free.Sweep(now);
    }

    /// <summary>Why nobody could be asked.</summary>
    private DropReason ReasonOf(RoutedCall call) =>
        _parts.IsDropped(call.Call.Keyspace) ? DropReason.KeyspaceDropped : DropReason.NotLeader;

    private void WatchTime()
    {
        if (_sweepAt == Instant.Never)
        {
            _sweepAt = _parts.Now + _settings.SweepInterval;
        }
    }
}
