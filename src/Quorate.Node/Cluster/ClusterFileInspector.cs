using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Cluster.Forming;
using Quorate.Node.Cluster.Forming.Wire;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Cluster;

/// <summary>
/// Says what the files hold by which a node knows its cluster, from their bytes alone: what it noted of the founding,
/// and the map that it acts on. It shows no key: those of encrypted keyspaces by their ids.
/// </summary>
public static class ClusterFileInspector
{
    /// <summary>Lines of text; null for a file of another kind.</summary>
    /// <param name="file">Its name within the folder of the node's files.</param>
    /// <param name="content">All of its bytes.</param>
    public static string? Describe(string file, ReadOnlyMemory<byte> content)
    {
        if (string.Equals(file, LocalMap.Name, StringComparison.Ordinal))
        {
            return LocalMap.TryDecode(content, out MetadataState? state) switch
            {
                CheckedReading.Read => Describe(state!),
                CheckedReading.OtherVersion => "map of the cluster: of a format that this version does not know\n",
                _ => "map of the cluster: the file is damaged\n",
            };
        }

        if (string.Equals(file, NoteFile.Name, StringComparison.Ordinal))
        {
            return NoteFile.TryDecode(content, out FormationNote? note) switch
            {
                CheckedReading.Read => Describe(note!),
                CheckedReading.OtherVersion => "formation: of a format that this version does not know\n",
                _ => "formation: the file is damaged\n",
            };
        }

        return null;
    }

    private static string Describe(FormationNote note)
    {
        var text = new StringBuilder();
        if (note.Cluster.IsEmpty)
        {
            Line(text, $"formation: instance {note.Self?.Instance:x16}, of no cluster yet");
            return text.ToString();
        }

        string cluster = note.Cluster.Length == 16 ? $"{new Guid(note.Cluster.Span):N}" : "(damaged)";
        Line(text, $"formation: node {note.Node} of cluster {cluster}, {(note.IsFounder ? "a founder" : "joined")}, "
            + $"instance {note.Self?.Instance:x16}");
        foreach (NodeRecord node in note.Nodes)
        {
            Line(text, $"  was told of node {node.Id} at {node.PeerAddress}");
        }

        return text.ToString();
    }

    private static string Describe(MetadataState state)
    {
        var text = new StringBuilder();
        Line(text, $"map of the cluster: version {state.Version}, feature level {state.FeatureLevel}, "
            + $"{state.Nodes.Count} nodes, {state.Keyspaces.Count} keyspaces, {state.Partitions.Count} partitions");
        foreach (NodeRecord node in state.Nodes)
        {
            Line(text, $"  node {node.Id}: {node.State}, peers {node.PeerAddress}, RESP {node.RespAddress}, "
                + $"HTTP {node.HttpAddress}{(node.Zone.Length > 0 ? $", zone {node.Zone}" : "")}");
        }

        foreach (KeyspaceRecord keyspace in state.Keyspaces)
        {
            Line(text, $"  keyspace {keyspace.Id} '{keyspace.Name}': {keyspace.Replicas} replicas, {keyspace.Voters} "
                + $"of them voting{(keyspace.Encrypted ? ", encrypted" : "")}");
        }

        foreach (DataKeyRecord key in state.DataKeys)
        {
            string use = key.Retired ? "retired" : "in use";
            Line(text, $"  data key {key.Id} of keyspace {key.Keyspace}: wrapped, {use}");
        }

        foreach (PartitionRecord row in state.Partitions)
        {
            Line(text, $"  partition g{row.Group} of keyspace {row.Keyspace}: slots {row.FirstSlot}-{row.LastSlot}, "
                + $"epoch {row.Epoch}, voters {Names(row.Voters)}{Learners(row)}");
        }

        return text.ToString();
    }

    private static string Learners(PartitionRecord row) =>
        row.Learners.Count == 0 ? "" : $", learners {Names(row.Learners)}";

    private static string Names(IEnumerable<ulong> replicas) =>
        string.Join(' ', replicas.Select(packed => ReplicaId.FromPacked(packed)));

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
