using Quorate.Core.Raft;
using Quorate.Node.Liveness;
using Quorate.Node.Partitions;
using Quorate.Node.Replicas;
using Quorate.Node.Runtime;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Plans;

/// <summary>
/// Everything that a seed decides before a run begins. The run draws further numbers (each latency, each victim)
/// from streams of the same seed, so a plan and its seed name one run exactly.
/// <para>Times are in microseconds of true time, probabilities in parts per million.</para>
/// </summary>
internal sealed record Plan
{
    public required ulong Seed { get; init; }

    /// <summary>Another run of the same plan: latencies, victims and clients' choices are drawn anew.</summary>
    public uint Salt { get; init; }

    /// <summary>Nodes, numbered from one; on all of them replicas may be placed.</summary>
    public required int Nodes { get; init; }

    public required GroupPlan[] Groups { get; init; }

    public required int Clients { get; init; }

    /// <summary>How long faults and clients go on.</summary>
    public required long SafetyTime { get; init; }

    /// <summary>After so many operations of the clients together they stop, and the faults with them.</summary>
    public required int OperationsMax { get; init; }

    public required RaftSettings Raft { get; init; }

    public required ReplicaSettings Replica { get; init; }

    public required NodeHeartbeatSettings Heartbeats { get; init; }

    public required NodeLogSettings Log { get; init; }

    public required NetworkPlan Network { get; init; }

    public required DiskPlan Disk { get; init; }

    public required WorkloadPlan Workload { get; init; }

    public required FaultPlan Faults { get; init; }

    /// <summary>What clients do with typed values; null in plans whose groups hold numbered registers.</summary>
    public ValuesPlan? Values { get; init; }

    /// <summary>The settings of a whole node.</summary>
    public NodeSettings Node => new()
    {
        Raft = Raft,
        Heartbeats = Heartbeats,
        Log = Log,
        WorkPartitionsMax = Values?.WorkPartitionsMax ?? 1,
        ClockStrayMaxMilliseconds = Values?.ClockStrayMax ?? 1,
    };

    /// <summary>Of partitions that hold typed values.</summary>
    public PartitionSettings Partition { get; init; } = new();
}

/// <summary>A group's first replicas: the nodes of its voters and learners.</summary>
internal sealed record GroupPlan(int[] Voters, (int Node, LearnerKind Kind)[] Learners);

/// <summary>How messages travel.</summary>
internal sealed record NetworkPlan
{
    /// <summary>The shortest way between two nodes.</summary>
    public long LatencyMin { get; init; } = 300;

    /// <summary>Drawn anew for each message and added.</summary>
    public long LatencySpread { get; init; } = 700;

    /// <summary>From a client to a node and back.</summary>
    public long ClientLatency { get; init; } = 300;

    /// <summary>Messages on the way from one node to another; more are lost.</summary>
    public int LinkQueueMax { get; init; } = 10_000;

    public long DropPpm { get; init; }

    public long DuplicatePpm { get; init; }

    /// <summary>A delayed message takes up to this much longer.</summary>
    public long DelayMax { get; init; }

    public long DelayPpm { get; init; }

    /// <summary>False: messages of one link arrive in the order in which they were sent.</summary>
    public bool Reorders { get; init; }
}

/// <summary>How long a disk takes.</summary>
internal sealed record DiskPlan
{
    public long ReadTime { get; init; } = 80;

    /// <summary>Of a table while there are faults; zero for the same.</summary>
    public long TableReadTime { get; init; }

    public long WriteTime { get; init; } = 20;

    public long SyncTime { get; init; } = 400;

    /// <summary>
    /// The longest that the word of a durable write is under way; words may overtake each other. Zero for none.
    /// </summary>
    public long NoticeDelayMax { get; init; }

    /// <summary>Drawn anew for each operation and added, in percent of its time.</summary>
    public int SpreadPercent { get; init; } = 100;
}

/// <summary>What clients do.</summary>
internal sealed record WorkloadPlan
{
    /// <summary>Between an answer and the next operation: a draw from [0, 2 × this].</summary>
    public long ThinkTime { get; init; } = 50_000;

    public int KeysPerGroup { get; init; } = 4;

    /// <summary>Out of a hundred operations; the rest are reads.</summary>
    public int WritePercent { get; init; } = 50;

    /// <summary>Out of a hundred clients: those that only read.</summary>
    public int ReaderPercent { get; init; }

    /// <summary>Out of a hundred clients: those that ask any node, whatever they were told of leaders.</summary>
    public int WandererPercent { get; init; }

    /// <summary>
    /// They think so many times as long as the others: then a leader that was left behind is not told so by the
    /// next write, and goes on answering reads.
    /// </summary>
    public int WandererSlowness { get; init; } = 1;

    /// <summary>Weights of the write levels leader, majority, two replicas, three replicas and all.</summary>
    public int[] WriteLevels { get; init; } = [0, 1, 0, 0, 0];

    /// <summary>Weights of the read levels linearizable, session and eventual.</summary>
    public int[] ReadLevels { get; init; } = [1, 0, 0];

    /// <summary>
    /// Writes are made in every other stretch of this length only; zero for always. A follower that was cut off can
    /// be elected only while nothing new is written.
    /// </summary>
    public long QuietTime { get; init; }

    /// <summary>Out of a hundred writes: with several keys at once.</summary>
    public int BatchPercent { get; init; }

    public long Deadline { get; init; } = 2_000_000;

    /// <summary>Attempts of one operation, as long as each is refused.</summary>
    public int AttemptsMax { get; init; } = 8;

    /// <summary>Bytes that each write carries beside its commands, so that byte limits are met.</summary>
    public int PaddingBytes { get; init; }

    /// <summary>The longest a committed range waits before it is applied; zero applies at once.</summary>
    public long ApplyDelayMax { get; init; }

    /// <summary>The longest between a read being found ready and being served; zero serves at once.</summary>
    public long ReadDelayMax { get; init; }
}

/// <summary>Which faults happen and how often.</summary>
internal sealed record FaultPlan
{
    public FaultKinds Kinds { get; init; }

    /// <summary>Nodes may come to lose what their disks hold.</summary>
    public bool LosesDisks => Kinds.HasFlag(FaultKinds.Wipe) || Kinds.HasFlag(FaultKinds.LostFile);

    /// <summary>The mean time between two faults of a kind, by kind.</summary>
    public required IReadOnlyDictionary<FaultKinds, long> MeanInterval { get; init; }

    /// <summary>The longest that a fault lasts.</summary>
    public long DurationMax { get; init; } = 2_000_000;

    /// <summary>Out of a hundred faults that strike a node: one that strikes a leader's node.</summary>
    public int LeaderPercent { get; init; } = 40;
}
