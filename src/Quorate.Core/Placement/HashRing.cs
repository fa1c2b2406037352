using System.Buffers.Binary;
using Quorate.Core.Model;

namespace Quorate.Core.Placement;

/// <summary>
/// Nodes on a ring of hashes, each at many points, more for a stronger one (Karger and others, "Consistent Hashing and
/// Random Trees", 1997; virtual nodes as in Dynamo, section 4.2).
/// <para>Invariants: the points of a node depend on its id and weight alone, so that a node that comes or goes moves
/// only what it takes or leaves; raising a weight adds points and keeps the old ones.</para>
/// </summary>
public sealed class HashRing
{
    private readonly (ulong Hash, int Node)[] _points;

    public HashRing(IReadOnlyList<PlacementNode> nodes, PlacementSettings settings)
    {
        Nodes = [.. nodes.OrderBy(node => node.Id)];
        List<(ulong Hash, int Node)> points = [];
        Span<byte> name = stackalloc byte[8];
        for (int n = 0; n < Nodes.Length; n++)
        {
            PlacementNode node = Nodes[n];
            Invariant.Check(
                node.Weight > 0 && node.Weight <= settings.WeightMax, $"node {node.Id} has a weight within the limit");
            int count = Math.Max(1, (int)((long)node.Weight * settings.PointsPerNode / 100));
            BinaryPrimitives.WriteUInt32LittleEndian(name, node.Id.Value);
            for (int point = 0; point < count; point++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(name[4..], point);
                points.Add((KeyHash.Of(name), n));
            }
        }

        // Two points of one hash are ordered by node, so that every copy of the ring walks alike.
        points.Sort();
        _points = [.. points];
    }

    /// <summary>The nodes, ascending by id.</summary>
    public PlacementNode[] Nodes { get; }

    /// <summary>All nodes in the order in which they are met clockwise from a hash; each once.</summary>
    public IEnumerable<PlacementNode> Walk(ulong hash)
    {
        int start = Array.BinarySearch(_points, (hash, 0));
        start = start < 0 ? ~start : start;
        bool[] met = new bool[Nodes.Length];
        int left = Nodes.Length;
        for (int i = 0; i < _points.Length && left > 0; i++)
        {
            int node = _points[(start + i) % _points.Length].Node;
            if (!met[node])
            {
                met[node] = true;
                left--;
                yield return Nodes[node];
            }
        }
    }
}
