using Quorate.Core.Model;

namespace Quorate.Core.Placement;

/// <summary>A node as placement sees it.</summary>
/// <param name="Weight">
/// How much it carries beside others, in hundredths: 100 is a usual node, 200 one that takes twice as much.
/// </param>
/// <param name="Zone">Its fault domain. Replicas of one partition lie in distinct zones as far as there are
/// any.</param>
public sealed record PlacementNode(NodeId Id, int Weight, string Zone);

/// <summary>A partition to be placed.</summary>
/// <param name="Hash">Where it stands on the ring: the hash of (keyspace, partition).</param>
/// <param name="Replicas">How many nodes it needs.</param>
public sealed record PlacementPartition(ulong Hash, int Replicas);

/// <summary>The limits of placement.</summary>
public sealed record PlacementSettings
{
    /// <summary>Points on the ring for a node of weight 100 (virtual nodes).</summary>
    public int PointsPerNode { get; init; } = 128;

    /// <summary>How far a node's load may exceed its fair share, in percent.</summary>
    public int LoadSlackPercent { get; init; } = 25;

    /// <summary>The greatest weight of a node, in hundredths.</summary>
    public int WeightMax { get; init; } = 10_000;
}
