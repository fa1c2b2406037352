using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>Commands as sentences for the log of operations. Secrets are not among what it prints.</summary>
internal static class MetadataText
{
    public static string? Of(MetadataCommand command, MetadataResult result, ClusterMetadata metadata) =>
        command.ActionCase switch
        {
            MetadataCommand.ActionOneofCase.FoundCluster => $"cluster {command.FoundCluster.Cluster:x16} is founded",
            MetadataCommand.ActionOneofCase.AddNode => $"node {result.Id} joins at {command.AddNode.Node.PeerAddress}",
            MetadataCommand.ActionOneofCase.UpdateNode => $"node {result.Id} changes its settings",
            MetadataCommand.ActionOneofCase.SetNodeState => command.SetNodeState.State switch
            {
                NodeState.Active => $"node {result.Id} is active",
                NodeState.Draining => $"node {result.Id} is being drained",
                _ => $"node {result.Id} is removed",
            },
            MetadataCommand.ActionOneofCase.CreateKeyspace =>
                $"keyspace '{command.CreateKeyspace.Keyspace.Name}' is created with "
                    + $"{command.CreateKeyspace.Partitions.Count} partitions",
            MetadataCommand.ActionOneofCase.AlterKeyspace =>
                $"keyspace '{metadata.FindKeyspace(result.Id)?.Name}' changes its settings",
            MetadataCommand.ActionOneofCase.DropKeyspace => $"keyspace {result.Id} is dropped",
            MetadataCommand.ActionOneofCase.MovePartition =>
                $"partition {command.MovePartition.Group} is to move to {Nodes(command.MovePartition.Voters)}",
            MetadataCommand.ActionOneofCase.PartitionMoved when metadata.State.Version > 0 =>
                $"partition {command.PartitionMoved.Group} is on {Replicas(command.PartitionMoved.Voters)}",
            MetadataCommand.ActionOneofCase.AddDataKey =>
                $"keyspace {command.AddDataKey.Keyspace} has a new data key, {result.Id}",
            MetadataCommand.ActionOneofCase.SetFeatureLevel =>
                $"feature level {command.SetFeatureLevel.FeatureLevel} is in force",
            _ => null,
        };

    private static string Nodes(IEnumerable<uint> nodes) => string.Join(", ", nodes);

    private static string Replicas(IEnumerable<ulong> replicas) =>
        string.Join(", ", replicas.Select(replica => ReplicaId.FromPacked(replica).ToString()));
}
