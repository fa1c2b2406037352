using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster.Routing;
using Quorate.Node.Liveness;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Wire;

namespace Quorate.Node.Cluster;

/// <summary>Takes what other nodes send apart and hands it to whom it concerns.</summary>
internal sealed class PeerInbox(
    ClusterParts parts, LocalCalls local, CallRouter router, MetadataCalls calls, Action removed)
{
    /// <summary>Why it is no message; null when it was taken.</summary>
    public string? Take(NodeId from, ReadOnlyMemory<byte> memory)
    {
        ReadOnlySpan<byte> message = memory.Span;
        string problem;
        switch ((PeerMessageKind)message[0])
        {
            case PeerMessageKind.Raft:
                if (!RaftWire.TryRead(memory, out GroupId group, out RaftMessage raft, out problem))
                {
                    return problem;
                }

                Take(from, group, raft);
                return null;
            case PeerMessageKind.Heartbeat:
                if (!HeartbeatWire.TryRead(message, out NodeHeartbeat beat, out problem))
                {
                    return problem;
                }

                Take(from, beat);
                return null;
            case PeerMessageKind.Removed:
                removed();
                return null;
            case PeerMessageKind.Call:
                if (!CallWire.TryRead(memory, out CallMessage call, out problem))
                {
                    return problem;
                }

                local.Receive(from, call);
                return null;
            case PeerMessageKind.Answer:
                if (!AnswerWire.TryRead(memory, out AnswerMessage answer, out problem))
                {
                    return problem;
                }

                router.Answered(from, answer);
                return null;
            default:
                return TakeOfMetadata(from, message);
        }
    }

    private string? TakeOfMetadata(NodeId from, ReadOnlySpan<byte> message)
    {
        string problem;
        switch ((PeerMessageKind)message[0])
        {
            case PeerMessageKind.MetadataCall:
                if (!MetadataWire.TryRead(message, out MetadataCallMessage? call, out problem))
                {
                    return problem;
                }

                calls.Receive(from, call);
                return null;
            case PeerMessageKind.MetadataAnswer:
                if (!MetadataWire.TryRead(message, out MetadataAnswerMessage answer, out problem))
                {
                    return problem;
                }

                calls.Answered(from, answer);
                return null;
            default:
                return $"there is no kind {message[0]}";
        }
    }

    private void Take(NodeId from, in NodeHeartbeat beat)
    {
        if (parts.View.State.Nodes.Any(node => node.Id == from.Value && node.State == NodeState.Removed))
        {
            parts.Writer.Begin(PeerMessageKind.Removed, 1);
            parts.Send(from, PeerClass.Urgent);
        }
        else if (beat.From == from)
        {
            if (beat.PeerAddress is { Length: > 0 } address)
            {
                parts.Host.AddressLearnt(from, address);
            }

            if (parts.SaysItStops(from, beat.IsStopping))
            {
                router.BeginsToStop(from);
            }

            parts.Runtime.Hear(beat);
        }
    }

    private void Take(NodeId from, GroupId group, in RaftMessage message)
    {
        // Replicas speak for their own node alone, and are spoken to under the incarnation that they have.
        bool isItsOwn = message.From.NodeId == from || !Guards.NodesSpeakForThemselves;
        if (!isItsOwn || message.To.NodeId != parts.Self)
        {
            return;
        }

        if (group != MetadataGroup.Group)
        {
            parts.Runtime.Receive(group, message);
        }
        else if (message.To == parts.Metadata.Id)
        {
            parts.Metadata.Receive(message);
        }
    }
}
