namespace Quorate.Node.Replicas;

/// <summary>When a replica takes a checkpoint of its own: whichever bound is reached first.</summary>
public sealed record ReplicaSettings
{
    /// <summary>Entries applied since the last checkpoint.</summary>
    public ulong CheckpointEntries { get; init; } = 10_000;

    /// <summary>Bytes of entries applied since the last checkpoint.</summary>
    public long CheckpointBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bytes of rows in the store that are in memory only.</summary>
    public long CheckpointDirtyBytes { get; init; } = 64 * 1024 * 1024;
}
