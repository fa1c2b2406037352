using Quorate.Core.Model;

namespace Quorate.Core.Placement;

/// <summary>
/// Decides which nodes hold which partitions: the first distinct nodes clockwise, in distinct zones, passing over nodes
/// that are at their bound (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018).
/// <para>Invariants: integer arithmetic on the inputs alone, so everyone who plans gets the same; no partition gets a
/// node twice; zones are shared only when there are fewer of them than replicas, and then as evenly as can be; a bound
/// is passed only when no other node is left.</para>
/// <para>One plan is for one keyspace, so that keyspaces do not move each other, and is made anew from the nodes there
/// are: the ring itself sees to it that a node which comes or goes moves little else.</para>
/// </summary>
public sealed class PlacementPlan
{
    private readonly HashRing _ring;
    private readonly SortedDictionary<NodeId, long> _bounds = [];
    private readonly SortedDictionary<NodeId, long> _loads = [];
    private readonly int _zones;

    private PlacementPlan(HashRing ring, IReadOnlyList<PlacementPartition> partitions, PlacementSettings settings)
    {
        _ring = ring;
        _zones = ring.Nodes.Select(node => node.Zone).Distinct(StringComparer.Ordinal).Count();
        long weights = ring.Nodes.Sum(node => (long)node.Weight);
        long replicas = partitions.Sum(partition => (long)Math.Min(partition.Replicas, ring.Nodes.Length));
        foreach (PlacementNode node in ring.Nodes)
        {
            // The share with its slack, rounded up: the bounds together hold more than all replicas.
            long share = replicas * node.Weight * (100 + settings.LoadSlackPercent);
            _bounds[node.Id] = (share + (weights * 100) - 1) / (weights * 100);
            _loads[node.Id] = 0;
        }
    }

    /// <summary>
    /// The nodes of each partition, in the order of the ring's walk. Fewer than asked for when there are fewer nodes.
    /// </summary>
    public static NodeId[][] Make(
        IReadOnlyList<PlacementNode> nodes, IReadOnlyList<PlacementPartition> partitions, PlacementSettings settings)
    {
        if (nodes.Count == 0)
        {
            return [.. partitions.Select(_ => Array.Empty<NodeId>())];
        }

        var plan = new PlacementPlan(new HashRing(nodes, settings), partitions, settings);
        NodeId[][] placed = new NodeId[partitions.Count][];
        for (int i = 0; i < placed.Length; i++)
        {
            placed[i] = plan.Place(partitions[i]);
        }

        return placed;
    }

    /// <summary>How many replicas of one partition a zone may hold when zones are shared.</summary>
    private int ZoneMax(int replicas) => (replicas + _zones - 1) / _zones;

    private NodeId[] Place(PlacementPartition partition)
    {
        List<PlacementNode> chosen = [];
        int wanted = Math.Min(partition.Replicas, _ring.Nodes.Length);
        // Zones matter more than bounds: a full node costs speed, a shared zone may cost the data.
        Take(partition, chosen, wanted, withinBound: true, respectZones: true);
        Take(partition, chosen, wanted, withinBound: false, respectZones: true);
        Take(partition, chosen, wanted, withinBound: true, respectZones: false);
        Take(partition, chosen, wanted, withinBound: false, respectZones: false);
        return [.. chosen.Select(node => node.Id)];
    }

    private void Take(
        PlacementPartition partition, List<PlacementNode> chosen, int wanted, bool withinBound, bool respectZones)
    {
        if (chosen.Count >= wanted)
        {
            return;
        }

        foreach (PlacementNode node in _ring.Walk(partition.Hash))
        {
            if (chosen.Count < wanted && !chosen.Contains(node)
                && (!withinBound || _loads[node.Id] < _bounds[node.Id])
                && (!respectZones || ZoneHasRoom(partition, chosen, node)))
            {
                chosen.Add(node);
                _loads[node.Id]++;
            }
        }
    }

    private bool ZoneHasRoom(PlacementPartition partition, List<PlacementNode> chosen, PlacementNode node)
    {
        int inZone = chosen.Count(other => string.Equals(other.Zone, node.Zone, StringComparison.Ordinal));
        return inZone < ZoneMax(partition.Replicas);
    }
}
