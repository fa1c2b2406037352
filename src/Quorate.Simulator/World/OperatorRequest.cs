using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.World;

/// <summary>What the operator asked of a group's leader: another membership, or to hand leadership over.</summary>
internal sealed class OperatorRequest
{
    public required int Group { get; init; }

    /// <summary>The membership asked for; null for a handover.</summary>
    public Membership? Membership { get; init; }

    public ReplicaId Heir { get; init; }

    /// <summary>The node and the life of its process that were asked: an answer comes from nowhere else.</summary>
    public required int Node { get; init; }

    public required uint Life { get; init; }

    /// <summary>How long the leader may take, in microseconds.</summary>
    public long TimeMax { get; init; } = 5_000_000;

    public bool Answered { get; set; }

    public Outcome Outcome { get; set; }
}
