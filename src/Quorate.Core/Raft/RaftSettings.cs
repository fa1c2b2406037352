using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// The times and limits of a group, each with its unit. All replicas of a group must agree on the election
/// timeout and the drift bound: leases stand on them.
/// </summary>
public sealed record RaftSettings
{
    /// <summary>The grain of election and heartbeat timers.</summary>
    public Duration TickInterval { get; init; } = Duration.FromMilliseconds(10);

    /// <summary>How often an awake leader shows that it is alive, in ticks.</summary>
    public int HeartbeatTicks { get; init; } = 6;

    /// <summary>
    /// The shortest election timeout, in ticks; each is drawn from [this, 2 × this). It is also how long a replica
    /// that heard from a leader refuses to vote for another.
    /// </summary>
    public int ElectionTicks { get; init; } = 30;

    /// <summary>
    /// How much faster or slower one node's monotonic clock may run than true time, in parts per million.
    /// </summary>
    public int ClockDriftPpm { get; init; } = 10_000;

    /// <summary>Entries in one append message, in bytes; a single larger entry goes alone.</summary>
    public int AppendBytesMax { get; init; } = 64 * 1024;

    /// <summary>Append messages on the way to one follower.</summary>
    public int InflightAppendsMax { get; init; } = 64;

    /// <summary>Bytes of append messages on the way to one follower.</summary>
    public int InflightBytesMax { get; init; } = 1024 * 1024;

    /// <summary>One proposal's batch, in bytes.</summary>
    public int EntryBytesMax { get; init; } = 72 * 1024 * 1024;

    /// <summary>
    /// Bytes that a leader has appended and not yet committed; beyond, proposals are refused (one is always let
    /// in).
    /// </summary>
    public long UncommittedBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>Proposals that wait for their level.</summary>
    public int PendingProposalsMax { get; init; } = 16 * 1024;

    /// <summary>Reads that wait, of clients here and of followers together.</summary>
    public int PendingReadsMax { get; init; } = 16 * 1024;

    /// <summary>
    /// Writes handed to the log and not yet durable; beyond, proposals are refused and appends ignored. (A partition's
    /// requests wait before it comes to that.)
    /// </summary>
    public int PersistsInFlightMax { get; init; } = 256;

    /// <summary>One range handed to the state machine, in bytes.</summary>
    public int ApplyBytesMax { get; init; } = 1024 * 1024;

    /// <summary>
    /// Entries in memory, in bytes; beyond, proposals are refused and appends ignored until the state machine catches
    /// up. What is not committed comes on top, bounded by the leader.
    /// </summary>
    public long MemoryBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Entries kept in memory although applied here, for followers, in bytes.</summary>
    public int CachedBytesMax { get; init; } = 1024 * 1024;

    /// <summary>
    /// One piece of a snapshot, in bytes; with its meta (mostly term starts) below a peer frame's 64 KiB.
    /// </summary>
    public int SnapshotChunkBytes { get; init; } = 40 * 1024;

    /// <summary>Snapshots that a leader sends at one time.</summary>
    public int SnapshotsInFlightMax { get; init; } = 2;

    /// <summary>
    /// Where the log wants space, a follower that has come no further for this long gets a snapshot instead of the log.
    /// </summary>
    public Duration StuckAfter { get; init; } = Duration.FromSeconds(10);

    /// <summary>Entries kept behind a checkpoint so that a follower slightly behind needs no snapshot.</summary>
    public ulong LogEntriesKept { get; init; } = 1024;

    /// <summary>Entries kept for an active follower that is further behind.</summary>
    public ulong LogEntriesKeptMax { get; init; } = 64 * 1024;

    /// <summary>
    /// How near to the end of what is committed a joining learner must be to be made a voter, in entries.
    /// </summary>
    public ulong PromotionLagEntries { get; init; } = 64;

    /// <summary>
    /// A change of membership is refused unless a majority of the new voters is known to live and to be as near to the
    /// end of what is committed as <see cref="PromotionLagEntries"/> says. (Conversations of the paper's figures do
    /// without.)
    /// </summary>
    public bool ChecksNewMajority { get; init; } = true;

    /// <summary>How long an idle group stays awake, in ticks; zero keeps it awake for ever.</summary>
    public int SleepAfterTicks { get; init; } = 60;

    /// <summary>
    /// How long a follower waits for the leader's answer to a forwarded read before it asks again, in ticks.
    /// </summary>
    public int ReadRetryTicks { get; init; } = 10;

    /// <summary>
    /// How long an append or a piece of a snapshot may go unanswered before it is sent again, in ticks.
    /// </summary>
    public int ResendTicks { get; init; } = 20;

    /// <summary>Terms whose first index is remembered, for session tokens.</summary>
    public int TermStartsMax { get; init; } = 1024;

    /// <summary>Replicas of one group, learners included.</summary>
    public int ReplicasMax { get; init; } = 32;

    /// <summary>How long a replica that heard from a leader refuses to elect another, on its own clock.</summary>
    public Duration LeasePromise => TickInterval * ElectionTicks;

    /// <summary>
    /// How long a leader may serve reads from the moment it sent a heartbeat that a quorum answered. A follower's
    /// promise of D lasts at least D/(1+ε) of true time, and L on the leader's clock at most L/(1-ε), so
    /// L = D(1-ε)/(1+ε).
    /// </summary>
    public Duration LeaseDuration => Guards.LeaseAllowsForDrift
        ? new(LeasePromise.Microseconds * (1_000_000 - ClockDriftPpm) / (1_000_000 + ClockDriftPpm))
        : LeasePromise;

    public Duration HeartbeatInterval => TickInterval * HeartbeatTicks;
}
