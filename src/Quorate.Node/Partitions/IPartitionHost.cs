using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Partitions;

/// <summary>
/// The world around a <see cref="Partition"/>. The partition calls it while it takes an input; the host does not call
/// back into the partition from inside these calls.
/// </summary>
public interface IPartitionHost
{
    /// <summary>The node's monotonic clock, now.</summary>
    Instant Now { get; }

    /// <summary>
    /// The node's wall clock as far as the node believes it, in milliseconds since 1970. A leader takes it for its
    /// entries' time where that rises.
    /// </summary>
    long WallClockMilliseconds { get; }

    /// <summary>The node has compared its clock with others': before that nothing is logged by it.</summary>
    bool ClockIsKnown => true;

    /// <summary>
    /// Why writes are refused now for the sake of the whole node (disk, memory); null when they are not.
    /// </summary>
    DropReason? WriteRefusal { get; }

    /// <summary>Whether requests of so many bytes may be taken, for the sake of the whole node's memory.</summary>
    bool MayTake(long bytes) => true;

    /// <summary>
    /// Whether the process has memory for something large, in bytes, that an evaluation is about to make; asked for
    /// nothing small. An evaluation that is refused changes nothing, so the log does not depend on the answer.
    /// </summary>
    bool HeapHasRoom(long bytes) => true;

    /// <summary>The words of open requests take so many bytes more than before, or less.</summary>
    void RequestBytesChanged(long more)
    {
    }

    /// <summary>
    /// Whether a partition that leads may evaluate one more write, for the sake of the whole node's memory: how long
    /// what it makes will be, nobody knows before. When not, <see cref="Partition.RoomCame"/> follows.
    /// </summary>
    bool MayPropose() => true;

    /// <summary>What was proposed and is not applied takes so many bytes more than before, or less.</summary>
    void PendingBytesChanged(long more)
    {
    }

    /// <summary>A message for another replica of the group; it may be lost, repeated or overtaken.</summary>
    void Send(in RaftMessage message);

    /// <summary>The answer to a request; each gets exactly one, unless the process ends.</summary>
    void Reply(in PartitionReply reply);

    /// <summary>
    /// Call <see cref="Partition.Tick"/> at this time on the node's clock; it takes the place of the former deadline.
    /// </summary>
    void SetDeadline(Instant deadline);

    /// <summary>
    /// There is something to do: call <see cref="Partition.Turn"/>, once, now or later. What arrives until then is done
    /// together.
    /// </summary>
    void TurnWaits();

    void RoleChanged(in RoleChanged change);

    /// <summary>
    /// For those who watch: a request waits for the entry at this place. Its changes are in the entry, or, when it was
    /// recognised as one that was executed before, it changes nothing and is answered what is remembered.
    /// </summary>
    void Proposed(RequestId request, ReadToken place, bool isExecuted, ReadOnlyMemory<byte> reply)
    {
    }

    /// <summary>
    /// For those who watch: the entry at this place begins with so many changes that let go of rows of a cache.
    /// </summary>
    void Evicts(ReadToken place, int changes)
    {
    }

    /// <summary>A snapshot of another replica could not be taken; why, as a sentence's middle or whole.</summary>
    void SnapshotRefused(string problem)
    {
    }

    /// <summary>
    /// The partition can not prove what it holds or can not go on: the process must end with this sentence.
    /// </summary>
    void End(string sentence);
}
