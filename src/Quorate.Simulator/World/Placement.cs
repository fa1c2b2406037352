using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.World;

/// <summary>A replica that the operator has put on a node.</summary>
/// <param name="bootstrap">The group's first membership, for its first replicas; null for those that joined
/// later.</param>
internal sealed class PlacedReplica(ReplicaId id, Membership? bootstrap)
{
    public ReplicaId Id { get; } = id;

    public Membership? Bootstrap { get; } = bootstrap;

    /// <summary>When it is to be taken away, in true time; zero while it is to stay.</summary>
    public long RetiredAt { get; set; }
}

/// <summary>
/// Which replicas of one group stand on which nodes: what the metadata group will know.
/// <para>Invariants: a node holds at most one replica of a group; ids are never used twice.</para>
/// </summary>
internal sealed class Placement
{
    private readonly PlacedReplica?[] _byNode;
    private readonly uint[] _incarnations;

    public Placement(int nodes)
    {
        _byNode = new PlacedReplica?[nodes];
        _incarnations = new uint[nodes];
    }

    /// <summary>
    /// Replicas whose disks are gone or that were taken away, ever: a message that was long under way may still bring
    /// about a membership that names one of them.
    /// </summary>
    public SortedSet<ReplicaId> Gone { get; } = [];

    /// <summary>Those of them that a membership names which is in force or may come about.</summary>
    public SortedSet<ReplicaId> Lost { get; } = [];

    public int Nodes => _byNode.Length;

    public PlacedReplica? On(int node) => _byNode[node];

    /// <summary>Puts a replica with a new id on a node that holds none.</summary>
    public PlacedReplica Add(int node, Membership? bootstrap)
    {
        Invariant.Check(_byNode[node] is null, "a node holds one replica of a group");
        var placed = new PlacedReplica(new ReplicaId((uint)node + 1, ++_incarnations[node]), bootstrap);
        _byNode[node] = placed;
        return placed;
    }

    public void Remove(int node) => _byNode[node] = null;
}
