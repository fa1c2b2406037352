using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster.Routing;

/// <summary>
/// Reads of level `eventual` and `session`, which any replica may answer: the one here, else those that are heard, in
/// turn.
/// </summary>
internal sealed class FreeReads(ClusterParts parts, LocalCalls local, Forwarding forwarding)
{
    private readonly List<RoutedCall> _waiting = [];

    public int Count => _waiting.Count;

    public void Ask(RoutedCall call)
    {
        GroupId group = call.Route.Group;
        bool isHere = parts.Runtime.Find(group) is { IsFilled: true };
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
                NodeId target = ReplicaId.FromPacked(replicas[next]).NodeId;
                if (isHere && target == parts.Self)
                {
                    AskHere(call);
                    return;
                }

                if (target != parts.Self && parts.IsHeard(target)
                    && forwarding.HasRoomFor(target, call) && forwarding.Send(call, target))
                {
                    return;
                }
            }
        }

        Wait(call);
    }

    /// <summary>It is asked again a little later.</summary>
    public void Wait(RoutedCall call)
    {
        call.RetryAt = parts.Now + parts.Settings.Routing.BackOffMin;
        if (_waiting.Count >= parts.Settings.Routing.WaitingMax)
        {
            call.Refuse(DropReason.Overloaded);
        }
        else
        {
            _waiting.Add(call);
        }
    }

    public void Sweep(Instant now)
    {
        RoutedCall[] all = [.. _waiting];
        _waiting.Clear();
        foreach (RoutedCall call in all)
        {
            if (parts.IsDropped(call.Call.Keyspace))
            {
                call.Refuse(DropReason.KeyspaceDropped);
            }
            else if (call.Call.Deadline <= now)
            {
                call.Refuse(DropReason.NotLeader);
            }
            else if (call.RetryAt <= now)
            {
                Ask(call);
            }
            else
            {
                _waiting.Add(call);
            }
        }
    }

    public void Close()
    {
        foreach (RoutedCall call in _waiting)
        {
            call.Refuse(DropReason.NotLeader);
        }

        _waiting.Clear();
    }

    private void AskHere(RoutedCall call)
    {
        call.Attempts++;
        call.Target = parts.Self;
        local.Submit(call.Route.Group, call);
    }
}
