namespace Quorate.Storage.Checkpoints;

/// <summary>The limits of <see cref="CheckpointFiles"/>, each with its unit.</summary>
public sealed record CheckpointSettings
{
    /// <summary>How much of a checkpoint is written or read at one time, in bytes.</summary>
    public int PieceBytes { get; init; } = 1024 * 1024;

    /// <summary>One state, in bytes. It is held in memory as a whole while it is saved, opened or installed.</summary>
    public int StateBytesMax { get; init; } = 1024 * 1024 * 1024;

    /// <summary>What a checkpoint says of itself, term starts and membership included, in bytes.</summary>
    public int MetaBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Jobs handed over and not yet answered. Their owner has fewer in flight, so more is a defect.</summary>
    public int JobsWaitingMax { get; init; } = 4096;
}
