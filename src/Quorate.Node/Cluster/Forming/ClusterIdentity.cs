using System.Buffers.Binary;
using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Cluster.Forming;

/// <summary>Whose node a data folder is, once it belongs to a cluster. It never changes.</summary>
/// <param name="Cluster">Drawn when the cluster was founded.</param>
/// <param name="Incarnation">
/// Of this node's replica of the metadata group. Another data folder is another node, so it is 1.
/// </param>
/// <param name="Instance">Drawn when the data folder was made.</param>
/// <param name="Founders">
/// The nodes that the cluster was founded with, ids and addresses as of then; for a node that joined later those that
/// it was told of. Enough to reach the others before the metadata is here.
/// </param>
/// <param name="IsFounder">This node is one of those that the cluster was founded with.</param>
public sealed record ClusterIdentity(
    Guid Cluster,
    NodeId Node,
    uint Incarnation,
    ulong Instance,
    IReadOnlyList<NodeRecord> Founders,
    bool IsFounder)
{
    /// <summary>The cluster's id as the metadata has it.</summary>
    public ulong ClusterNumber => BinaryPrimitives.ReadUInt64LittleEndian(Cluster.ToByteArray());

    /// <summary>A number for a data folder, never zero.</summary>
    internal static ulong DrawInstance(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ulong drawn = 0;
        while (drawn == 0)
        {
            entropy.Fill(bytes);
            drawn = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }

        return drawn;
    }
}
