using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Storage.Log;

namespace Quorate.Node.Runtime;

/// <summary>
/// The world around a <see cref="NodeRuntime"/>: clocks, timer, network, clients. The node calls it while it takes an
/// input; the host does not call back into the node from inside these calls.
/// </summary>
public interface INodeHost
{
    /// <summary>The node's monotonic clock, now.</summary>
    Instant Now { get; }

    /// <summary>The node's wall clock, in milliseconds since 1970. It may jump.</summary>
    long WallClockMilliseconds { get; }

    /// <summary>A message for the group's replica that it names; it may be lost, repeated or overtaken.</summary>
    void Send(GroupId group, in RaftMessage message);

    /// <summary>A heartbeat for a node; it should arrive soon or not at all.</summary>
    void SendHeartbeat(NodeId to, in NodeHeartbeat heartbeat);

    /// <summary>The answer to a request; each gets exactly one, unless the process ends.</summary>
    void Reply(GroupId group, in PartitionReply reply);

    /// <summary>
    /// Call <see cref="NodeRuntime.Tick"/> at this time on the node's clock; it takes the place of the former deadline.
    /// </summary>
    void SetDeadline(Instant deadline);

    /// <summary>Something is to be done: call <see cref="NodeRuntime.Turn"/>, once, now or later.</summary>
    void TurnWaits();

    /// <summary>
    /// Something can be done in the background: call <see cref="NodeRuntime.Work"/>, when there is time.
    /// </summary>
    void WorkWaits();

    void RoleChanged(GroupId group, in RoleChanged change);

    /// <summary>A node that is watched fell silent or is heard again; groups that the host keeps itself want to
    /// know.</summary>
    void NodeHeard(in NodeNews news)
    {
    }

    /// <summary>The log needs the space that a checkpoint of a group would let go that the host keeps itself.</summary>
    void CheckpointWanted(LogStream stream)
    {
    }

    /// <summary>For those who watch: as <see cref="IPartitionHost.Proposed"/> says.</summary>
    void Proposed(GroupId group, RequestId request, ReadToken place, bool isExecuted, ReadOnlyMemory<byte> reply)
    {
    }

    /// <summary>For those who watch: as <see cref="IPartitionHost.Evicts"/> says.</summary>
    void Evicts(GroupId group, ReadToken place, int changes)
    {
    }

    /// <summary>For those who watch: the log has been read, and nothing was written to it yet.</summary>
    void LogOpened()
    {
    }

    /// <summary>
    /// The log has been read, and holds what belongs to no partition that is open. What the node no longer knows is to
    /// be given up by <see cref="NodeRuntime.DropLog"/>, or it pins its segments for ever.
    /// </summary>
    void UnknownLogs(IReadOnlyList<LogStream> streams);

    /// <summary>For those who watch: as <see cref="IPartitionHost.SnapshotRefused"/> says.</summary>
    void SnapshotRefused(GroupId group, string problem)
    {
    }

    /// <summary>Nothing of a partition is left on this node, as <see cref="NodeRuntime.Drop"/> asked.</summary>
    void PartitionDropped(GroupId group);

    /// <summary>
    /// The node can not prove what it holds or can not go on: the process must end with this sentence. The node takes
    /// no further input.
    /// </summary>
    void End(string sentence);
}
