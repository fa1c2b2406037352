using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>What may become of nodes and of the cluster's feature level.</summary>
internal static class NodeRules
{
    public static MetadataResult Found(ClusterMetadata metadata, FoundCluster founding)
    {
        if (metadata.State.Cluster != 0)
        {
            return metadata.State.Cluster == founding.Cluster
                ? new MetadataResult()
                : Refusals.Of($"This cluster is {metadata.State.Cluster:x16} already.");
        }

        if (founding.Cluster == 0)
        {
            return Refusals.Of("A cluster's id is not zero.");
        }

        metadata.State.Cluster = founding.Cluster;
        metadata.State.FeatureLevel = founding.FeatureLevel;
        return new MetadataResult();
    }

    /// <summary>A node joins; one that has joined is given the id that it has.</summary>
    public static MetadataResult Add(ClusterMetadata metadata, NodeRecord? node)
    {
        if (node is null || Problem(metadata, node) is not null)
        {
            return Refusals.Of(node is null ? "No node is named." : Problem(metadata, node)!);
        }

        if (node.Instance == 0)
        {
            return Refusals.Of("A node that joins names the instance that its data folder was made with.");
        }

        foreach (NodeRecord known in metadata.State.Nodes)
        {
            if (known.Instance == node.Instance)
            {
                return known.State == NodeState.Removed
                    ? Refusals.Of($"Node {known.Id} was removed. Start it with an empty data folder to join anew.")
                    : new MetadataResult { Id = known.Id };
            }
        }

        if (metadata.State.Nodes.Count(known => known.State != NodeState.Removed) >= metadata.Limits.NodesMax)
        {
            return Refusals.Of($"The cluster has {metadata.Limits.NodesMax} nodes, as many as it may.");
        }

        if (node.FeatureLevelMax < metadata.State.FeatureLevel)
        {
            return Refusals.Of(
                $"The cluster is at feature level {metadata.State.FeatureLevel}; this node's build knows "
                    + $"{node.FeatureLevelMax}. Start it with a newer build.");
        }

        NodeRecord added = node.Clone();
        added.Id = metadata.State.NextNode++;
        added.State = NodeState.Active;
        metadata.Add(added);
        return new MetadataResult { Id = added.Id };
    }

    public static MetadataResult Update(ClusterMetadata metadata, NodeRecord? node)
    {
        if (node is null || metadata.FindNode(node.Id) is not { State: not NodeState.Removed } known)
        {
            return Refusals.Of($"There is no node {node?.Id}.");
        }

        if (Problem(metadata, node) is { } problem)
        {
            return Refusals.Of(problem);
        }

        if (node.FeatureLevelMax < metadata.State.FeatureLevel)
        {
            return Refusals.Of(
                $"Node {node.Id} must know feature level {metadata.State.FeatureLevel}, which is in force.");
        }

        known.RespAddress = node.RespAddress;
        known.HttpAddress = node.HttpAddress;
        known.PeerAddress = node.PeerAddress;
        known.ClusterAddress = node.ClusterAddress;
        known.ClusterKeyspace = node.ClusterKeyspace;
        known.Region = node.Region;
        known.Zone = node.Zone;
        known.UpdateDomain = node.UpdateDomain;
        known.Weight = node.Weight;
        known.FeatureLevelMax = node.FeatureLevelMax;
        return new MetadataResult { Id = known.Id };
    }

    public static MetadataResult SetState(ClusterMetadata metadata, SetNodeState change)
    {
        if (metadata.FindNode(change.Node) is not { State: not NodeState.Removed } node)
        {
            return Refusals.Of($"There is no node {change.Node}.");
        }

        if (change.State == NodeState.Removed)
        {
            int held = metadata.State.Partitions.Count(partition => PartitionRules.Names(partition, node.Id));
            if (held > 0)
            {
                return Refusals.Of($"Node {node.Id} still holds replicas of {held} partitions: drain it first.");
            }

            ForgetOldest(metadata);
        }

        node.State = change.State;
        return new MetadataResult { Id = node.Id };
    }

    /// <summary>The level rises once every node knows it, and never falls (pitfall R19).</summary>
    public static MetadataResult SetFeatureLevel(ClusterMetadata metadata, uint level)
    {
        if (level < metadata.State.FeatureLevel)
        {
            return Refusals.Of($"The feature level is {metadata.State.FeatureLevel} and does not fall.");
        }

        foreach (NodeRecord node in metadata.State.Nodes)
        {
            if (node.State != NodeState.Removed && node.FeatureLevelMax < level)
            {
                return Refusals.Of(
                    $"Node {node.Id} knows feature level {node.FeatureLevelMax} at most: upgrade it first.");
            }
        }

        metadata.State.FeatureLevel = level;
        return new MetadataResult();
    }

    private static void ForgetOldest(ClusterMetadata metadata)
    {
        NodeRecord[] removed = [.. metadata.State.Nodes.Where(node => node.State == NodeState.Removed)];
        if (removed.Length >= metadata.Limits.RemovedNodesMax)
        {
            metadata.Forget(removed[0]);
        }
    }

    private static string? Problem(ClusterMetadata metadata, NodeRecord node)
    {
        if (node.Weight == 0 || node.Weight > metadata.Limits.WeightMax)
        {
            return $"A node's weight is from 1 to {metadata.Limits.WeightMax} hundredths, not {node.Weight}.";
        }

        string[] names =
        [
            node.RespAddress, node.HttpAddress, node.PeerAddress, node.ClusterAddress, node.ClusterKeyspace,
            node.Region, node.Zone, node.UpdateDomain,
        ];
        return names.Any(name => name.Length > metadata.Limits.NameCharactersMax)
            ? $"A node's addresses and names have at most {metadata.Limits.NameCharactersMax} characters."
            : null;
    }
}
