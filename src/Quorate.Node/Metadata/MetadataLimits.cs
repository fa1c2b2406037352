using Quorate.Core.Model;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Metadata;

/// <summary>The limits of what a metadata group holds.</summary>
public sealed record MetadataLimits
{
    /// <summary>Nodes that are not removed.</summary>
    public int NodesMax { get; init; } = 1024;

    public int KeyspacesMax { get; init; } = 1024;

    /// <summary>Partitions of one keyspace; a power of two.</summary>
    public int PartitionsOfKeyspaceMax { get; init; } = 4096;

    /// <summary>Partitions of all keyspaces together.</summary>
    public int PartitionsMax { get; init; } = 64 * 1024;

    /// <summary>Replicas of one partition.</summary>
    public int ReplicasMax { get; init; } = 32;

    /// <summary>A keyspace's or zone's name, or an address, in characters.</summary>
    public int NameCharactersMax { get; init; } = 255;

    /// <summary>The default life of a keyspace's keys, in milliseconds: a hundred years.</summary>
    public long TtlMillisecondsMax { get; init; } = 100L * 365 * 24 * 60 * 60 * 1000;

    /// <summary>A node's weight, in hundredths.</summary>
    public int WeightMax { get; init; } = 10_000;

    /// <summary>
    /// Data keys of all keyspaces, the retired ones too, which are never forgotten; no more than a node may hold.
    /// </summary>
    public int DataKeysMax { get; init; } = KeyRing.KeysMax;

    /// <summary>A wrapped data key, in bytes.</summary>
    public int WrappedKeyBytesMax { get; init; } = 512;

    /// <summary>Operations that are remembered for people to read.</summary>
    public int OperationsMax { get; init; } = 1000;

    /// <summary>Removed nodes that are remembered, so that a revived disk is told that it was removed.</summary>
    public int RemovedNodesMax { get; init; } = 4096;

    /// <summary>Why a keyspace can not start with so many partitions; null when it can.</summary>
    internal string? PartitionsProblem(int count) => IsPartitionCount(count) && count <= PartitionsOfKeyspaceMax
        ? null
        : $"A keyspace starts with a power of two of partitions, at most {PartitionsOfKeyspaceMax}, not {count}.";

    internal static bool IsPartitionCount(int count) => count is > 0 and <= Slot.Count && (count & (count - 1)) == 0;
}
