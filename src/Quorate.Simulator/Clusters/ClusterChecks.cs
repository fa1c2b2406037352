using Google.Protobuf;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Metadata.Wire;
using Quorate.Simulator.Checks;
using NodeState = Quorate.Simulator.World.NodeState;

namespace Quorate.Simulator.Clusters;

/// <summary>What must hold of a cluster's agreement at all times.</summary>
internal sealed class ClusterChecks(ClusterWorld world)
{
    /// <summary>By the metadata's version: what it was when a node first showed it.</summary>
    private readonly SortedDictionary<ulong, ulong> _states = [];
    private readonly SortedDictionary<uint, PartitionRecord> _rows = [];
    private readonly SortedSet<(uint Group, NodeId Node)> _placed = [];
    private readonly SortedDictionary<string, (uint Life, ulong Version)> _seen = new(StringComparer.Ordinal);

    private ulong _cluster;

    /// <summary>The newest version that any node has shown.</summary>
    public MetadataState? Newest { get; private set; }

    /// <summary>They differ in nothing but what a refused change leaves.</summary>
    public static bool AreAlike(MetadataState one, MetadataState other)
    {
        MetadataState same = one.Clone();
        same.Version = other.Version;
        same.Time = other.Time;
        return same.Equals(other);
    }

    /// <summary>
    /// A machine says what cluster it belongs to. While the folder of any seed belongs to one, nobody comes to belong
    /// to another; where the folders of all seeds are lost, those that are left are not asked.
    /// </summary>
    public void Formed(ClusterMachine machine, ClusterIdentity identity)
    {
        if (machine.Identity is { } before
            && (before.Cluster != identity.Cluster || before.Node != identity.Node
                || before.Instance != identity.Instance))
        {
            RunClaims.Break(
                RunClaims.OneCluster,
                $"{machine.Name} was node {before.Node.Value} of cluster {before.ClusterNumber:x16} and is node "
                    + $"{identity.Node.Value} of {identity.ClusterNumber:x16} now");
        }

        foreach (ClusterMachine other in world.Machines)
        {
            if (other == machine || other.Identity is not { } known)
            {
                continue;
            }

            if (known.Cluster != identity.Cluster)
            {
                bool mayDiffer = other.Number >= world.Plan.Seeds || machine.Identity is not null;
                if (mayDiffer)
                {
                    continue;
                }

                RunClaims.Break(
                    RunClaims.OneCluster,
                    $"{machine.Name} belongs to cluster {identity.ClusterNumber:x16}, {other.Name} to "
                        + $"{known.ClusterNumber:x16}, and both were given the same seeds");
            }

            if (known.Cluster == identity.Cluster && known.Node == identity.Node)
            {
                RunClaims.Break(
                    RunClaims.OneCluster, $"{machine.Name} and {other.Name} are both node {known.Node.Value}");
            }
        }
    }

    /// <summary>A node shows the cluster as it knows it.</summary>
    public void ViewChanged(ClusterMachine machine, ClusterView view)
    {
        MetadataState state = view.State;
        if (state.Version == 0)
        {
            return;
        }

        (uint life, ulong version) = _seen.GetValueOrDefault(machine.Name);
        if (life == machine.Life && state.Version < version)
        {
            RunClaims.Break(
                RunClaims.MapAgreement,
                $"{machine.Name} shows version {state.Version} of the metadata after version {version}");
        }

        _seen[machine.Name] = (machine.Life, state.Version);
        Meet(machine.Identity!.ClusterNumber);
        ulong digest = LineText.DigestOf(state.ToByteArray());
        if (!_states.TryGetValue(state.Version, out ulong known))
        {
            _states.Add(state.Version, digest);
            First(state);
        }
        else if (known != digest)
        {
            RunClaims.Break(
                RunClaims.MapAgreement,
                $"{machine.Name} shows another version {state.Version} of the metadata than others did");
        }
    }

    /// <summary>A node has opened and dropped partitions: it has none that was never placed on it.</summary>
    public void PartitionsChanged(ClusterMachine machine)
    {
        foreach (GroupId group in machine.Node!.Runtime.Partitions)
        {
            if (!_placed.Contains(((uint)group.Value, machine.Identity!.Node)))
            {
                RunClaims.Break(
                    RunClaims.MapAgreement, $"{machine.Name} serves partition {group}, which was never placed on it");
            }
        }
    }

    /// <summary>When all is quiet: no machine has files or replicas of a partition that the map does not put
    /// there.</summary>
    public string? Remains(MetadataState state)
    {
        foreach (ClusterMachine machine in world.Machines)
        {
            if (machine is not { State: NodeState.Up, Node: { } node, Identity: { } identity })
            {
                continue;
            }

            SortedSet<uint> here =
            [
                .. state.Partitions.Where(row => row.ReplicaOn(identity.Node) is not null).Select(row => row.Group),
            ];
            foreach (string name in machine.Disk.Names)
            {
                if (StartFiles.TryParse(name, out GroupId group, out _) && !here.Contains((uint)group.Value))
                {
                    return $"{machine.Name} still has the file {name} of a partition that is dropped";
                }
            }

            if (!node.Runtime.Partitions.Select(group => (uint)group.Value).ToHashSet().SetEquals(here))
            {
                return $"{machine.Name} has partitions {string.Join(' ', node.Runtime.Partitions)} open, and the map "
                    + $"puts {string.Join(' ', here)} there";
            }
        }

        return null;
    }

    /// <summary>Why a read replica does not follow every partition yet; null when all do.</summary>
    public string? WhyNotFollowing()
    {
        MetadataState state = Newest!;
        foreach (ClusterMachine machine in world.Machines.Where(each => each.IsReadReplica))
        {
            NodeId self = machine.Identity!.Node;
            foreach (PartitionRecord row in state.Partitions)
            {
                if (row.Voters.Any(replica => ReplicaId.FromPacked(replica).NodeId == self))
                {
                    RunClaims.Break(
                        RunClaims.MapAgreement,
                        $"{machine.Name} is a read replica, and votes in partition {row.Group}");
                }

                if (row.TargetVoters.Count > 0 || row.ReplicaOn(self) is null)
                {
                    return $"partition {row.Group} does not show {machine.Name} as a learner";
                }

                if (machine.Node!.Runtime.Find(new(row.Group)) is not { IsFilled: true })
                {
                    return $"{machine.Name} has not what partition {row.Group} holds";
                }
            }

            world.Judgements.Note(ClusterJudgements.ReplicasFilled);
        }

        return null;
    }

    /// <summary>Of a cluster whose founders have all lost their disks nothing is left, and another may come.</summary>
    private void Meet(ulong cluster)
    {
        if (cluster != _cluster)
        {
            _cluster = cluster;
            _states.Clear();
            _rows.Clear();
            _placed.Clear();
            Newest = null;
        }
    }

    private void First(MetadataState state)
    {
        foreach (PartitionRecord row in state.Partitions)
        {
            _rows.TryAdd(row.Group, row);
            foreach (ulong replica in
                row.Voters.Concat(row.Learners).Concat(row.TargetVoters).Concat(row.TargetLearners))
            {
                _placed.Add((row.Group, ReplicaId.FromPacked(replica).NodeId));
            }

            if (_rows[row.Group].Keyspace != row.Keyspace)
            {
                RunClaims.Break(
                    RunClaims.MapAgreement,
                    $"partition {row.Group} was of keyspace {_rows[row.Group].Keyspace} and is of {row.Keyspace}");
            }
        }

        if (Newest is not null && state.Version < Newest.Version)
        {
            CheckEpochs(state, Newest);
        }
        else
        {
            if (Newest is not null)
            {
                CheckEpochs(Newest, state);
            }

            Newest = state;
        }

        world.Admin.Look(state);
    }

    private static void CheckEpochs(MetadataState older, MetadataState newer)
    {
        foreach (PartitionRecord row in newer.Partitions)
        {
            PartitionRecord? before = older.Partitions.FirstOrDefault(each => each.Group == row.Group);
            if (before is not null && before.Epoch > row.Epoch)
            {
                RunClaims.Break(
                    RunClaims.MapAgreement,
                    $"the epoch of partition {row.Group} was {before.Epoch} in version {older.Version} and is "
                        + $"{row.Epoch} in version {newer.Version}");
            }
        }

        if (newer.NextNode < older.NextNode || newer.NextGroup < older.NextGroup
            || newer.NextKeyspace < older.NextKeyspace)
        {
            RunClaims.Break(
                RunClaims.MapAgreement, $"version {newer.Version} of the metadata gives ids out again");
        }
    }
}
