using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// What someone asks of the metadata group, at any node: that node plans it over its copy and hands the command to the
/// group's leader.
/// <para>Invariant: completed once, on whatever thread drives the node.</para>
/// </summary>
public abstract class MetadataCall
{
    /// <summary>
    /// The command. Of <see cref="CreateKeyspace"/> the partitions' places are empty: the node plans them.
    /// </summary>
    public required MetadataCommand Command { get; init; }

    /// <summary>Creating a keyspace: how many partitions; a power of two.</summary>
    public int Partitions { get; init; }

    /// <summary>On the node's monotonic clock.</summary>
    public Instant Deadline { get; init; }

    /// <param name="outcome">Whether the group has decided; refused also when nobody could be asked.</param>
    /// <param name="result">
    /// Done: what the state machine says, which may be a refusal in words for people; else null.
    /// </param>
    /// <param name="warning">Done: what a person should know (a keyspace that survives no death); or null.</param>
    public abstract void Complete(Outcome outcome, MetadataResult? result, string? warning);
}
