using Quorate.Core.Model;
using Quorate.Node.Evaluation;
using Quorate.Node.Replicas;

namespace Quorate.Node.Partitions;

/// <summary>The limits and times of a partition, each with its unit.</summary>
public sealed record PartitionSettings
{
    /// <summary>
    /// The first slot of the partition's run: sessions of requests without a key are remembered there.
    /// </summary>
    public Slot FirstSlot { get; init; }

    /// <summary>Requests taken and not yet answered; beyond, they are refused.</summary>
    public int RequestsOpenMax { get; init; } = 16 * 1024;

    /// <summary>
    /// Words of requests taken and not yet answered, in bytes; beyond, they are refused (one is always let in).
    /// </summary>
    public long RequestBytesOpenMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Requests that wait for cold rows; beyond, they are refused.</summary>
    public int ColdRequestsMax { get; init; } = 1024;

    /// <summary>Requests that one entry carries.</summary>
    public int ProposalRequestsMax { get; init; } = 1024;

    /// <summary>An entry takes in requests until its changes reach this, in bytes.</summary>
    public int ProposalBytesMax { get; init; } = 1024 * 1024;

    /// <summary>
    /// Rows that are looked at by the reads of one turn, and as many by its writes; beyond, the rest waits for another,
    /// so that other partitions have theirs. One request may exceed it.
    /// </summary>
    public long TurnRowsMax { get; init; } = 32 * 1024;

    /// <summary>
    /// Bytes of rows that are looked at by the reads of one turn; as many that its writes look at or change, and as
    /// many of entries that it applies. What goes beyond is of one request or one range.
    /// </summary>
    public long TurnBytesMax { get; init; } = 4L * 1024 * 1024;

    /// <summary>Ranges of committed entries that are applied in one turn, if they are not too large.</summary>
    public int TurnAppliesMax { get; init; } = 16;

    /// <summary>How long an entry that only carries the time is waited for.</summary>
    public Duration TimeEntryDeadline { get; init; } = Duration.FromSeconds(5);

    /// <summary>
    /// Request sessions remembered in the partition, each counted once in each slot where it has written; beyond, some
    /// that were not used for long are evicted.
    /// </summary>
    public int SessionsMax { get; init; } = 16 * 1024;

    /// <summary>
    /// Bytes of sessions and remembered replies in the partition, their rows' keys counted; beyond, sessions are
    /// evicted. Room for one reply is kept free.
    /// </summary>
    public long SessionBytesMax { get; init; } = 16L * 1024 * 1024;

    /// <summary>
    /// A reply that is remembered, in bytes. Of a larger one it is remembered only that its request was executed: a
    /// repeat is refused, and not executed.
    /// </summary>
    public int RememberedReplyBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Sessions that one request evicts.</summary>
    public int SessionsEvictedAtOnceMax { get; init; } = 8;

    /// <summary>Sessions of which the longest unused one is evicted.</summary>
    public int SessionsComparedMax { get; init; } = 16;

    /// <summary>Replies remembered for one session in one slot; beyond, those of the lowest numbers go.</summary>
    public int RepliesPerSessionMax { get; init; } = 64;

    /// <summary>Moments of expiry that are kept in mind; others are found when their row is read.</summary>
    public int ExpiriesTrackedMax { get; init; } = 1024;

    /// <summary>Between two entries that a leader proposes only because rows have expired.</summary>
    public Duration ExpiryInterval { get; init; } = Duration.FromMilliseconds(200);

    /// <summary>
    /// While the logged time is ahead of the clock it moves on slower than that by one part in this, until the clock
    /// has caught up.
    /// </summary>
    public int CatchUpDivisor { get; init; } = 16;

    /// <summary>
    /// How long a key lives that is written without an expiry, in milliseconds; zero for ever. The leader's counts:
    /// what it logs carries the expiry.
    /// </summary>
    public long TtlMilliseconds { get; init; }

    /// <summary>What is let go to keep the rows of users in bounds; null when they have none.</summary>
    public CacheSettings? Cache { get; init; }

    /// <summary>What one request may change.</summary>
    public EvaluationLimits Limits { get; init; } = new();

    /// <summary>When checkpoints are taken.</summary>
    public ReplicaSettings Replica { get; init; } = new();
}
