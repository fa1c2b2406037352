using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Replicas;

/// <summary>
/// Matches what a group says of its requests to those who wait for them.
/// <para>Invariant: every request gets one answer.</para>
/// </summary>
internal sealed class Answers(IReplicaHost host, IReplicaStore store, PendingWrites writes, PendingReads reads)
{
    /// <param name="applied">The last entry that the state machine holds.</param>
    /// <param name="leader">Who leads, as far as is known.</param>
    public void Give(RaftOutput output, ReadToken applied, ReplicaId leader)
    {
        foreach (Acknowledged done in output.Acknowledged)
        {
            // A transfer has no entry; what is applied here and not known came with a snapshot.
            bool isKnown = writes.Take(done.Request, out ReadOnlyMemory<byte> result)
                || !store.MakesResults
                || done.Token.Index == LogIndex.Zero
                || done.Token.Index > applied.Index;
            host.Reply(isKnown
                ? new ReplicaReply(done.Request, Outcome.Done, default, ReplicaId.None, done.Token, result)
                : CameWithSnapshot(done.Request, leader));
        }

        foreach (Dropped dropped in output.Dropped)
        {
            writes.Take(dropped.Request, out _);
            reads.Take(dropped.Request, out _);
            host.Reply(new ReplicaReply(
                dropped.Request, dropped.Reason.Outcome(), dropped.Reason, dropped.LeaderHint, default, default));
        }

        foreach (ReadReady ready in output.ReadsReady)
        {
            if (reads.IsReady(ready))
            {
                host.ReadWaits(ready.Request);
            }
        }
    }

    /// <summary>The replica has not read its disk yet, or has ended: it takes nothing.</summary>
    public void Refuse(RequestId request) => host.Reply(new ReplicaReply(
        request, Outcome.Refused, DropReason.NotLeader, ReplicaId.None, default, default));

    /// <summary>
    /// The entry is committed, but this replica took its effect with a snapshot and never saw its result, so it
    /// has none to give.
    /// </summary>
    private static ReplicaReply CameWithSnapshot(RequestId request, ReplicaId leader) =>
        new(request, Outcome.Unknown, DropReason.LevelUncounted, leader, default, default);
}
