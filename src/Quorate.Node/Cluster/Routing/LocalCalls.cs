using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Wire;

namespace Quorate.Node.Cluster.Routing;

/// <summary>
/// The requests that this node's partitions have and have not answered, of its own clients and of other nodes.
/// <para>Invariant: once a request of another node was refused for a reason of place, those of the same sender,
/// partition and round that come after it are, too.</para>
/// </summary>
internal sealed class LocalCalls(ClusterParts parts)
{
    private readonly Dictionary<ulong, RoutedCall> _own = [];
    private readonly Dictionary<ulong, (NodeId From, CallHeader Header)> _others = [];
    private readonly Dictionary<ulong, Action<PartitionReply>> _operations = [];
    private readonly SortedDictionary<(NodeId From, GroupId Group), (ulong Boot, uint Round)> _refused = [];

    /// <summary>Requests of other nodes that are not answered yet.</summary>
    public int OfOthers => _others.Count;

    /// <summary>When another node last handed a request on.</summary>
    public Instant LastReceived { get; private set; }

    /// <summary>Whom the answers to this node's own clients go to.</summary>
    public CallRouter Router { get; set; } = null!;

    /// <summary>Refused only because this replica could not decide over it.</summary>
    public static bool IsOfPlace(in PartitionReply reply) => reply.Outcome == Outcome.Refused
        && reply.Reason is DropReason.NotLeader or DropReason.Transferring or DropReason.Overwritten;

    public void Submit(GroupId group, RoutedCall routed)
    {
        ClientCall call = routed.Call;
        ulong id = parts.NextId();
        _own.Add(id, routed);
        parts.Runtime.Submit(group, new PartitionRequest
        {
            Id = new(id),
            Lines = call.Lines,
            IsBatch = call.IsBatch,
            WriteLevel = call.WriteLevel,
            ReadLevel = call.ReadLevel,
            Token = call.Token,
            Deadline = call.Deadline,
            Session = call.Session,
        });
    }

    /// <summary>Hands a leadership over; told what came of it.</summary>
    public void Transfer(GroupId group, ReplicaId heir, Action<PartitionReply> told)
    {
        ulong id = parts.NextId();
        _operations.Add(id, told);
        parts.Runtime.Transfer(group, new(id), heir);
    }

    /// <summary>Moves a group to another membership; told what came of it.</summary>
    public void ChangeMembership(GroupId group, Membership target, Instant deadline, Action<PartitionReply> told)
    {
        ulong id = parts.NextId();
        _operations.Add(id, told);
        parts.Runtime.ChangeMembership(group, new(id), target, deadline);
    }

    /// <summary>Another node hands a request on.</summary>
    public void Receive(NodeId from, CallMessage message)
    {
        CallHeader header = message.Header;
        LastReceived = parts.Now;
        if (IsMisplaced(from, message) || IsStillFilled(message))
        {
            Answer(from, header, new PartitionReply(
                default, Outcome.Refused, DropReason.NotLeader, ReplicaId.None, default, default, default));
            return;
        }

        ulong id = parts.NextId();
        _others.Add(id, (from, header));
        parts.Runtime.Submit(header.Group, new PartitionRequest
        {
            Id = new(id),
            Lines = message.Lines,
            IsBatch = message.IsBatch,
            WriteLevel = message.WriteLevel,
            ReadLevel = message.ReadLevel,
            Token = message.Token,
            Deadline = parts.Now + header.Left,
            Session = message.Session,
        });
    }

    /// <summary>A partition has answered.</summary>
    public void Reply(in PartitionReply reply)
    {
        ulong id = reply.Request.Value;
        if (_own.Remove(id, out RoutedCall? own))
        {
            Router.AnsweredHere(own, reply);
        }
        else if (_others.Remove(id, out (NodeId From, CallHeader Header) other))
        {
            Answer(other.From, other.Header, reply);
        }
        else if (_operations.Remove(id, out Action<PartitionReply>? told))
        {
            told(reply);
        }
    }

    /// <summary>
    /// A read that any replica may answer, and this one has not yet what the group held when it came.
    /// </summary>
    private bool IsStillFilled(CallMessage message) => message.Header.Round == 0
        && message.ReadLevel != ReadLevel.Linearizable
        && parts.Runtime.Find(message.Header.Group) is { IsFilled: false };

    private bool IsMisplaced(NodeId from, CallMessage message)
    {
        CallHeader header = message.Header;
        return !parts.View.TryFind(header.Group, out PartitionRecord? row)
            || header.Epoch < row.Epoch
            || !row.Slots().Contains(message.Slot)
            || (header.Round > 0
                && Guards.RefusedRoundStaysRefused
                && _refused.TryGetValue((from, header.Group), out (ulong Boot, uint Round) refused)
                && refused.Boot == header.Boot
                && header.Round <= refused.Round);
    }

    private void Answer(NodeId to, in CallHeader header, in PartitionReply reply)
    {
        bool isOfPlace = IsOfPlace(reply);
        if (isOfPlace && header.Round > 0)
        {
            (ulong boot, uint round) = _refused.GetValueOrDefault((to, header.Group));
            _refused[(to, header.Group)] =
                (header.Boot, boot == header.Boot ? Math.Max(round, header.Round) : header.Round);
        }

        NodeId hint = reply.LeaderHint.NodeId;
        RaftGroup? here = parts.Runtime.Find(header.Group)?.Replica.Group;
        if (hint.Value == 0 && ClusterParts.TryLeader(here, out NodeId known))
        {
            hint = known;
        }

        AnswerWire.Write(parts.Writer, new AnswerMessage(
            header.Boot, header.Id, reply.Outcome, reply.Reason, isOfPlace, hint, reply.Token, reply.Version,
            reply.Reply));

        // When it is lost the asker's deadline decides, or the loss of the connection.
        parts.Send(to, PeerClass.Requests);
    }
}
