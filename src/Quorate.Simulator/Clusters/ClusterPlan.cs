using Quorate.Node.Cluster;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// Everything that a seed decides before a run of whole clusters begins: from empty disks over formation, keyspaces
/// and clients to a stop. Times are in microseconds of true time.
/// </summary>
internal sealed record ClusterPlan
{
    public required ulong Seed { get; init; }

    /// <summary>Another run of the same plan: latencies, victims and clients' choices are drawn anew.</summary>
    public uint Salt { get; init; }

    /// <summary>Machines; of all but the founders the nodes join.</summary>
    public required int Machines { get; init; }

    /// <summary>The cluster is founded with so many nodes (`--expect`).</summary>
    public required int Expect { get; init; }

    /// <summary>The last so many machines are read replicas; they are no seeds.</summary>
    public int ReadReplicas { get; init; }

    /// <summary>The first so many machines are named as seeds, to all of them.</summary>
    public required int Seeds { get; init; }

    public required int Clients { get; init; }

    /// <summary>How long faults and clients go on, from the first start.</summary>
    public required long SafetyTime { get; init; }

    /// <summary>After so many operations of the clients together they stop.</summary>
    public required int OperationsMax { get; init; }

    public required ClusterSettings Settings { get; init; }

    public required NetworkPlan Network { get; init; }

    public required DiskPlan Disk { get; init; }

    public required FaultPlan Faults { get; init; }

    public required ClusterWork Work { get; init; }

    /// <summary>
    /// Disks are lost during formation without regard to how many: only what must never be is claimed of such a run.
    /// </summary>
    public bool IsWild { get; init; }
}

/// <summary>What clients and the operator do.</summary>
internal sealed record ClusterWork
{
    /// <summary>Between an answer and a client's next operation: a draw from [0, 2 × this], in microseconds.</summary>
    public required long ThinkTime { get; init; }

    /// <summary>Of registers, and of counters, in each keyspace.</summary>
    public required int Keys { get; init; }

    /// <summary>Out of a hundred clients: those that number their requests and ask again.</summary>
    public required int SessionPercent { get; init; }

    /// <summary>Of a request, in microseconds.</summary>
    public required long Deadline { get; init; }

    /// <summary>Nodes that one operation is asked of, one after the other.</summary>
    public required int AttemptsMax { get; init; }

    /// <summary>Out of a million requests and answers on a client's connection: those that are lost.</summary>
    public required long LossPpm { get; init; }

    /// <summary>
    /// Between two of the operator's changes of keyspaces, in the mean and in microseconds; zero for none.
    /// </summary>
    public required long AdminTime { get; init; }

    /// <summary>Keyspaces may be encrypted, and get new data keys.</summary>
    public required bool Encrypts { get; init; }

    /// <summary>The longest that a turn waits, in microseconds; zero for none.</summary>
    public required long TurnDelayMax { get; init; }
}
