using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Storage.Log;

namespace Quorate.Node.Runtime;

/// <summary>A partition's place in its node: joins its calls to those of all others.</summary>
internal sealed class PartitionShell(
    NodeRuntime node, GroupId group, LogStream stream, INodeHost host, NodeSchedule schedule, WorkRotation work)
    : IPartitionHost
{
    private Instant _deadline = Instant.Never;
    private bool _isAnnounced;
    private long _entryBytes;
    private bool _awaitsRoom;

    public Partition Partition { get; set; } = null!;

    public GroupId Group { get; } = group;

    public LogStream Stream { get; } = stream;

    /// <summary>It is in the rotation of background work.</summary>
    public bool MayHaveWork { get; set; }

    /// <summary>It is no longer of this node.</summary>
    public bool HasLeft { get; private set; }

    public Instant Now => host.Now;

    public long WallClockMilliseconds => node.TimeMilliseconds;

    public bool ClockIsKnown => node.ClockIsKnown;

    /// <summary>The node's, or that the rows can not be put in order as fast as they are written.</summary>
    public DropReason? WriteRefusal =>
        node.WriteRefusal ?? (Partition.Rows.IsBehind ? DropReason.Overloaded : null);

    /// <summary>It is asked for nothing more; requests that it answers while it leaves still go out.</summary>
    public void Leave()
    {
        SetDeadline(Instant.Never);
        HasLeft = true;
        CountEntries(0);
    }

    /// <summary>The moment that it waited for has come.</summary>
    public void DeadlineCame() => _deadline = Instant.Never;

    public void Send(in RaftMessage message) => host.Send(Group, message);

    public void Reply(in PartitionReply reply) => host.Reply(Group, reply);

    public void SetDeadline(Instant deadline)
    {
        if (HasLeft)
        {
            return;
        }

        if (Partition is { Replica.IsRunning: true })
        {
            CountEntries(Partition.Replica.Group!.BytesInMemory);

            // It is set after whatever happens to the replica, and that may have left something to do.
            work.Add(this);
            if (!_isAnnounced)
            {
                _isAnnounced = true;
                node.Announce();
            }
        }

        if (deadline != _deadline)
        {
            Instant before = _deadline;
            _deadline = deadline;
            schedule.SetDeadline(this, before, deadline);
        }
    }

    public bool MayTake(long bytes) => node.Memory.MayTake(bytes);

    public bool HeapHasRoom(long bytes) => node.Memory.HeapHasRoom(bytes);

    public bool MayPropose()
    {
        if (node.Memory.MayPropose)
        {
            return true;
        }

        if (!_awaitsRoom)
        {
            _awaitsRoom = true;
            node.Memory.AwaitRoom(this);
        }

        return false;
    }

    public void PendingBytesChanged(long more) => node.Memory.PendingBytesChanged(more);

    /// <summary>There is room for what it wants to propose.</summary>
    public void RoomCame()
    {
        _awaitsRoom = false;
        if (!HasLeft)
        {
            Partition.RoomCame();
        }
    }

    public void RequestBytesChanged(long more) => node.Memory.RequestBytesChanged(more);

    /// <summary>Lets go of entries that are in memory for followers alone.</summary>
    public void ReleaseEntries()
    {
        if (Partition.Replica is { IsRunning: true, Group: { } group })
        {
            group.ReleaseCached();
            CountEntries(group.BytesInMemory);
        }
    }

    public void TurnWaits() => schedule.AskForTurn(this);

    public void RoleChanged(in RoleChanged change) => host.RoleChanged(Group, change);

    public void SnapshotRefused(string problem) => host.SnapshotRefused(Group, problem);

    public void Proposed(RequestId request, ReadToken place, bool isExecuted, ReadOnlyMemory<byte> reply) =>
        host.Proposed(Group, request, place, isExecuted, reply);

    public void Evicts(ReadToken place, int changes) => host.Evicts(Group, place, changes);

    public void End(string sentence) => node.End(sentence);

    private void CountEntries(long bytes)
    {
        if (bytes != _entryBytes)
        {
            node.Memory.EntryBytesChanged(bytes - _entryBytes);
            _entryBytes = bytes;
        }
    }
}
