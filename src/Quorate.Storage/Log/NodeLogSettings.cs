namespace Quorate.Storage.Log;

/// <summary>The limits of a <see cref="NodeLog"/>, each with its unit.</summary>
public sealed record NodeLogSettings
{
    /// <summary>A segment's length in bytes, a multiple of 4096. A larger batch gets a larger segment.</summary>
    public int SegmentBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Waiting writes are merged into one batch up to about this many bytes; a larger write goes alone.
    /// </summary>
    public int BatchBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Writes handed over and not yet durable. Groups keep fewer in flight, so more is a defect.</summary>
    public int WritesWaitingMax { get; init; } = 1024 * 1024;

    /// <summary>A stream's reads handed over and not yet answered. More is a defect of its owner.</summary>
    public int ReadsWaitingMax { get; init; } = 4096;

    /// <summary>
    /// One read of entries takes no more than about this many bytes of a segment, others' records included.
    /// </summary>
    public int ReadBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Reads of all streams that are under way at once, in bytes; one alone may be larger. When a node starts, every
    /// partition reads its part of the log anew, and together they would take all memory.
    /// </summary>
    public long ReadsUnderWayBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// So many writes that need no sync wait for company; then they are written for their own sake. In writes.
    /// </summary>
    public int LazyWritesMax { get; init; } = 256;

    /// <summary>How much is asked for in one read when the log is opened, in bytes.</summary>
    public int OpenPieceBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// A last segment that holds no more than this many bytes is written anew as a whole when the log is opened, so
    /// that many restarts do not leave many segments that are nearly empty.
    /// </summary>
    public int OpenCopyBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// On a disk without space for a whole segment the log is opened with one that has so much room beside what is
    /// written anew, for releases, drops and hard states. In bytes, a multiple of 4096.
    /// </summary>
    public int OpenReserveBytes { get; init; } = 64 * 1024;

    /// <summary>Segments made ready beyond the one being written, by allocation if need be.</summary>
    public int SparesMin { get; init; } = 1;

    /// <summary>So many released segments are kept ready beyond that; the files of others are deleted.</summary>
    public int SparesMax { get; init; } = 4;

    /// <summary>
    /// Beyond so many segments, the streams that pin those beyond are asked for a checkpoint; the entries of those that
    /// release nothing although they were asked are written again, unless more than half of the log are such entries.
    /// </summary>
    public int SegmentsKeptMax { get; init; } = 8;

    /// <summary>
    /// So many bytes of entries are written again at once; a larger one goes alone. No more is read for them than
    /// <see cref="ReadBytesMax"/>, or one entry.
    /// </summary>
    public int AgainBytesMax { get; init; } = 1024 * 1024;

    /// <summary>
    /// Beyond so many entries that streams still need, the stream with the most is asked for a checkpoint. Each takes
    /// 12 bytes of memory for its place, outside of the memory budget, and a growing list up to twice as much.
    /// </summary>
    public long EntriesKeptMax { get; init; } = 4 * 1024 * 1024;
}
