namespace Quorate.Server.Disk;

/// <summary>The limits of the real disk.</summary>
public sealed record RealDiskSettings
{
    /// <summary>Files that stay open while nobody uses them and nothing in them waits for a sync.</summary>
    public int OpenFilesMax { get; init; } = 512;

    /// <summary>Threads that read. Reads never wait behind a sync.</summary>
    public int ReadThreads { get; init; } = 2;

    /// <summary>Threads for everything but reads and durable writes; the latter have one of their own.</summary>
    public int WriteThreads { get; init; } = 2;

    /// <summary>
    /// Operations submitted and not yet handed over by Drain. Who submits keeps fewer in flight, so more is a defect.
    /// </summary>
    public int OperationsMax { get; init; } = 64 * 1024;

    /// <summary>
    /// Durable writes of whole blocks go past the page cache (O_DIRECT and O_DSYNC), where the file system can: one
    /// system call in the place of two.
    /// </summary>
    public bool DirectWrites { get; init; } = true;

    /// <summary>
    /// Writes that grow a file end in Full while the file system has less than this free, so that what is needed to
    /// give space back (deletes, small records in space that the log has claimed) still goes (pitfall S5). In bytes.
    /// </summary>
    public long ReserveBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>How much may be written between two looks at the free space, in bytes.</summary>
    public long ReserveGrainBytes { get; init; } = 4 * 1024 * 1024;
}
