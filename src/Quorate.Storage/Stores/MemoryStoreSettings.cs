using Quorate.Storage.Checkpoints;

namespace Quorate.Storage.Stores;

/// <summary>How a <see cref="MemoryStore"/> behaves, and its limits.</summary>
public sealed record MemoryStoreSettings
{
    /// <summary>
    /// Every look at a row is cold until its place has been fetched, and again after the release: for those who must
    /// show that they can wait for rows.
    /// </summary>
    public bool RowsAreCold { get; init; }

    /// <summary>Checkpoints that are kept for unfinished transfers beside the newest one.</summary>
    public int SnapshotsKeptMax { get; init; } = 2;

    /// <summary>Answers under way. The owner has fewer in flight, so more is a defect.</summary>
    public int AnswersWaitingMax { get; init; } = 65536;

    /// <summary>The limits of the file.</summary>
    public CheckpointSettings Files { get; init; } = new();
}
