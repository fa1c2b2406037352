using System.Diagnostics.CodeAnalysis;
using Quorate.Core.Checking;

namespace Quorate.Simulator.Checks;

/// <summary>The names of what every run must hold, beside the checkers' own (<see cref="Claims"/>).</summary>
internal static class RunClaims
{
    /// <summary>At most one leader is elected in a term (Raft, figure 3).</summary>
    public const string ElectionSafety = "election-safety";

    /// <summary>A replica's term never falls, and it votes once in a term (Raft, section 5.2).</summary>
    public const string VoteSafety = "vote-safety";

    /// <summary>Logs that share an entry share all before it (Raft, figure 3).</summary>
    public const string LogMatching = "log-matching";

    /// <summary>A leader has the durable votes of a majority (of both halves of a joint membership).</summary>
    public const string ElectionQuorum = "election-quorum";

    /// <summary>
    /// A leader commits what a majority (of both halves of a joint membership) holds durably, and by counting only
    /// entries of its own term (Raft, section 5.4.2).
    /// </summary>
    public const string CommitQuorum = "commit-quorum";

    /// <summary>A checkpoint says of itself what was in force at its own index.</summary>
    public const string CheckpointMeta = "checkpoint-meta";

    /// <summary>
    /// While a leader may serve reads by itself, no other one is elected (Raft thesis, section 6.4.1).
    /// </summary>
    public const string LeaseExclusive = "lease-exclusive";

    /// <summary>What was committed is in the log of every later leader (Raft, figure 3).</summary>
    public const string LeaderCompleteness = "leader-completeness";

    /// <summary>No two replicas apply different entries at one index (Raft, figure 3).</summary>
    public const string StateMachineSafety = "state-machine-safety";

    /// <summary>Replicas that have applied the same prefix hold the same state.</summary>
    public const string StateHash = "state-hash";

    /// <summary>An acknowledged write stays, as far as its level promises.</summary>
    public const string AcknowledgedDurability = "acknowledged-durability";

    /// <summary>At the time of an acknowledgement, so many disks hold the write as its level names.</summary>
    public const string DurableBeforeAcknowledged = "durable-before-acknowledged";

    /// <summary>A log comes back as it was made durable, with a prefix of what was under way.</summary>
    public const string LogRecovery = "log-recovery";

    /// <summary>Every two quorums of memberships that follow one another meet.</summary>
    public const string QuorumsMeet = "quorums-meet";

    /// <summary>A refused request has no effect, ever.</summary>
    public const string RefusedExecuted = "refused-executed";

    /// <summary>An attempt takes effect at most once.</summary>
    public const string ExecutedTwice = "executed-twice";

    /// <summary>The result that a client is given is the one that its entry has in the committed order.</summary>
    public const string WrongResult = "wrong-result";

    /// <summary>A read is answered what the model answers at its place in the log.</summary>
    public const string WrongRead = "wrong-read";

    /// <summary>
    /// A cache lets go of nothing but what its policy names, and says that it is full only when it may let nothing go.
    /// </summary>
    public const string WrongEviction = "wrong-eviction";

    /// <summary>A full iteration by SCAN shows every key that was there all the time, and none that was not.</summary>
    public const string ScanComplete = "scan-complete";

    /// <summary>Two keys that one batch writes are seen both or neither.</summary>
    public const string BatchAtomicity = "batch-atomicity";

    /// <summary>The time that entries carry rises from each to the next.</summary>
    public const string LoggedTime = "logged-time";

    /// <summary>
    /// While most clocks are right the logged time, by which keys expire, is near the true one, whatever the others
    /// say.
    /// </summary>
    public const string ExpiryInTime = "expiry-in-time";

    /// <summary>After a recovery every log segment, manifest and table is as it must be, from end to end.</summary>
    public const string StrictFiles = "strict-files";

    /// <summary>Each request is answered once, within its deadline.</summary>
    public const string SingleAnswer = "single-answer";

    /// <summary>Queues and memory stay within their named limits.</summary>
    public const string Bounds = "bounds";

    /// <summary>
    /// A node stays within its memory, but for rows that wait for a checkpoint; and while those are too many it refuses
    /// writes.
    /// </summary>
    public const string MemoryBudget = "memory-budget";

    /// <summary>A partition remembers no more request sessions than its settings say.</summary>
    public const string SessionBound = "session-bound";

    /// <summary>A partition at rest lets go of all of its log when the node's log asks for space.</summary>
    public const string LogSpace = "log-space";

    /// <summary>A process ends only for a reason that a fault gave it.</summary>
    public const string NeedlessEnd = "needless-end";

    /// <summary>
    /// A bit that turned where damage must be found stops the replica's start, or, in a block of rows, the replica when
    /// it reads the block; a replica that has read all its rows has found it. A file that is gone stops the start with
    /// its name, or nothing needs it.
    /// </summary>
    public const string RotFound = "rot-found";

    /// <summary>Nothing throws.</summary>
    public const string Invariant = "invariant";

    /// <summary>After everything has healed, each group has a leader within the named time.</summary>
    public const string ProgressLeader = "progress-leader";

    /// <summary>After everything has healed, lost replicas are replaced and joining learners promoted.</summary>
    public const string ProgressMembership = "progress-membership";

    /// <summary>After everything has healed, each client can write each key.</summary>
    public const string ProgressWrites = "progress-writes";

    /// <summary>After everything has healed, all replicas come to hold the same state.</summary>
    public const string ProgressConvergence = "progress-convergence";

    /// <summary>Idle groups fall asleep.</summary>
    public const string ProgressSleep = "progress-sleep";

    /// <summary>A sleeping group serves a request, and elects a leader when its leader's node dies.</summary>
    public const string ProgressWake = "progress-wake";

    /// <summary>
    /// Machines that are given the same seeds come to belong to one cluster, each as a node of its own, for ever.
    /// </summary>
    public const string OneCluster = "one-cluster";

    /// <summary>
    /// Every node's map is what one log of operations has come to at some version; it does not go back, and a node has
    /// no partition that was not placed on it.
    /// </summary>
    public const string MapAgreement = "map-agreement";

    /// <summary>After everything has healed, all nodes belong to the cluster, know the same and serve.</summary>
    public const string ProgressFormation = "progress-formation";

    /// <summary>After everything has healed, leaders come to where they belong, and stay there.</summary>
    public const string ProgressBalance = "progress-balance";

    /// <summary>A node that is asked to stop is ready in time, and nobody who asks the others notices.</summary>
    public const string ProgressStop = "progress-stop";

    /// <summary>After everything has healed, nothing of a dropped keyspace is left.</summary>
    public const string ProgressClean = "progress-clean";

    /// <summary>After everything has healed, each read replica holds what every partition holds.</summary>
    public const string ProgressReplicas = "progress-replicas";

    /// <summary>After everything has healed, no table needs a data key that was exchanged.</summary>
    public const string ProgressRewritten = "progress-rewritten";

    /// <summary>Nothing of an encrypted keyspace, neither key nor value, lies on a disk in the clear.</summary>
    public const string NoPlaintext = "no-plaintext";

    /// <summary>A data key stays in the metadata as long as a table needs it.</summary>
    public const string KeysStay = "keys-stay";

    [DoesNotReturn]
    public static void Break(string claim, string text) =>
        throw new ClaimBrokenException(new BrokenClaim(claim, text, []));

    /// <param name="details">What one needs to see beside the text, a line each.</param>
    [DoesNotReturn]
    public static void Break(string claim, string text, IEnumerable<string> details) =>
        throw new ClaimBrokenException(new BrokenClaim(claim, text, [.. details]));
}

/// <summary>A run has broken a claim; it ends there.</summary>
internal sealed class ClaimBrokenException : Exception
{
    public ClaimBrokenException(BrokenClaim broken)
        : base(broken.ToString()) => Broken = broken;

    public ClaimBrokenException()
        : this("")
    {
    }

    public ClaimBrokenException(string message)
        : this(new BrokenClaim(RunClaims.Invariant, message, []))
    {
    }

    public ClaimBrokenException(string message, Exception innerException)
        : base(message, innerException) => Broken = new BrokenClaim(RunClaims.Invariant, message, []);

    public BrokenClaim Broken { get; }
}
