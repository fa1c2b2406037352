using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// The answer to a request; every request that a replica takes gets exactly one, unless its process ends or it is a
/// read that its host has taken over (<see cref="Replica.TakeRead"/>).
/// </summary>
/// <param name="Outcome">Done, surely not executed, or unknown.</param>
/// <param name="Reason">Why it was not done; counts only when it was not.</param>
/// <param name="LeaderHint">Who may lead, when the request was not done.</param>
/// <param name="Token">Done: what the client has seen, for its session.</param>
/// <param name="Result">
/// Done: what the state machine answered. Empty for a write at level `leader`, which is acknowledged before it is
/// applied, and for changes of membership.
/// </param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ReplicaReply(
    RequestId Request,
    Outcome Outcome,
    DropReason Reason,
    ReplicaId LeaderHint,
    ReadToken Token,
    ReadOnlyMemory<byte> Result);

/// <summary>
/// The world around a <see cref="Replica"/>. The replica calls it while it takes an input; the host does not call
/// back into the replica from inside these calls.
/// </summary>
public interface IReplicaHost
{
    /// <summary>The node's monotonic clock, now.</summary>
    Instant Now { get; }

    /// <summary>A message for another replica of the group; it may be lost, repeated or overtaken.</summary>
    void Send(in RaftMessage message);

    void Reply(in ReplicaReply reply);

    /// <summary>
    /// Call <see cref="Replica.Tick"/> at this time on the node's clock; it takes the place of the former deadline.
    /// </summary>
    void SetDeadline(Instant deadline);

    /// <summary>
    /// Something is to be written or sent. True: the host calls <see cref="Replica.Finish"/> later, and what the
    /// replica takes until then is written and sent together. False: it is done at once.
    /// </summary>
    bool FinishWaits() => false;

    /// <summary>Committed entries wait: call <see cref="Replica.ApplyNext"/>, now or later.</summary>
    void ApplyWaits();

    /// <summary>A read may be served: call <see cref="Replica.TakeRead"/>, now or later, and answer it.</summary>
    void ReadWaits(RequestId request);

    /// <summary>
    /// What readers on other threads may rely on from now on. It is told before all else that follows from a step.
    /// </summary>
    void ReadLeaseIs(in ReadLease lease)
    {
    }

    void RoleChanged(in RoleChanged change);

    /// <summary>
    /// The replica can not prove what it holds or can not go on: the process must end with this sentence. The
    /// replica takes no further input.
    /// </summary>
    void End(string sentence);
}
