namespace Quorate.Storage.Log;

/// <summary>The limits of a <see cref="SimpleLog"/>, each with its unit.</summary>
public sealed record SimpleLogSettings
{
    /// <summary>
    /// A segment that has reached this many bytes is followed by a new one; the last batch may go beyond.
    /// </summary>
    public long SegmentBytes { get; init; } = 256 * 1024;

    /// <summary>
    /// Waiting writes are merged into one batch up to about this many bytes; a larger write goes alone.
    /// </summary>
    public int BatchBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Writes handed over and not yet durable. The group keeps fewer in flight, so more is a defect.</summary>
    public int WritesWaitingMax { get; init; } = 4096;

    /// <summary>Reads handed over and not yet answered. The group keeps fewer in flight, so more is a defect.</summary>
    public int ReadsWaitingMax { get; init; } = 4096;

    /// <summary>How much of a segment is asked for in one read when the log is opened, in bytes.</summary>
    public int OpenPieceBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// True tells of each write by itself, ascending, as <see cref="IGroupLogClient.LogDurable"/> says; false tells
    /// only of the last write of a batch, for an owner that takes one as saying all that came before it.
    /// </summary>
    public bool NotifyEachWrite { get; init; } = true;
}
