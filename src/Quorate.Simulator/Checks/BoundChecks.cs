using Quorate.Core.Raft;
using Quorate.Node.Replicas;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Checks;

/// <summary>Holds what a replica keeps in memory against the named limits.</summary>
internal static class BoundChecks
{
    /// <summary>
    /// Beside what clients asked, a group writes barriers, promotions and hard states, and answers that wait for a
    /// slow disk: few a second.
    /// </summary>
    private const int OwnWrites = 16;

    /// <summary>Entries of the group's own and what one entry costs beside its payload, in bytes.</summary>
    private const int OwnBytes = 4096;

    /// <summary>A change of membership is let in beside the proposals of clients.</summary>
    private const int OwnProposals = 1;

    public static void Check(Plan plan, Replica replica, int attempts, int operations)
    {
        RaftSettings settings = plan.Raft;
        (int writes, int reads, int persists) = replica.Waiting;
        Within("proposals", writes, settings.PendingProposalsMax + OwnProposals, replica);
        Within("reads", reads, settings.PendingReadsMax, replica);
        Within("writes to the log", persists, settings.PersistsInFlightMax + OwnWrites, replica);
        if (replica.Group is { } group)
        {
            // What is not committed is bounded by the leader alone; the last append or proposal is let in whole.
            int last = Math.Max(settings.AppendBytesMax, plan.Workload.PaddingBytes) + OwnBytes;
            long most = settings.MemoryBytesMax + (2 * settings.UncommittedBytesMax) + last;
            Within("bytes of entries", group.BytesInMemory, most, replica);
        }

        int requests = settings.PendingProposalsMax + settings.PendingReadsMax + OwnWrites;
        Within("requests", attempts + operations, requests, replica);
    }

    private static void Within(string what, long count, long max, Replica replica)
    {
        if (count > max)
        {
            RunClaims.Break(RunClaims.Bounds, $"replica {replica.Id} keeps {count} {what}, the limit is {max}");
        }
    }
}
