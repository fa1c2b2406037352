namespace Quorate.Simulator.Checks;

/// <summary>
/// How often a run came to judge what it can judge now and then only. A claim that is never judged shows nothing, so a
/// sweep sums these up, and a test demands that each is judged in enough seeds.
/// </summary>
internal sealed class Judgements
{
    /// <summary>A node with nothing left to do was held to its memory.</summary>
    public const string MemoryQuiet = "memory-quiet";

    /// <summary>The same, where the memory is so small that rows had to leave it.</summary>
    public const string MemoryShort = "memory-short";

    /// <summary>A write was asked for while the memory was overfull.</summary>
    public const string MemoryOverfull = "memory-overfull";

    /// <summary>A write was asked for while a checkpoint waited for merges.</summary>
    public const string MergesBehind = "merges-behind";

    /// <summary>The hash over all rows of a replica was compared.</summary>
    public const string StateHashes = "state-hashes";

    /// <summary>The sessions of a replica were counted.</summary>
    public const string SessionsCounted = "sessions-counted";

    /// <summary>There were as many of them as there may be.</summary>
    public const string SessionsFull = "sessions-full";

    /// <summary>The files of a store were walked from end to end.</summary>
    public const string StrictFiles = "strict-files";

    /// <summary>A snapshot took the place of a replica's rows.</summary>
    public const string SnapshotsTaken = "snapshots-taken";

    /// <summary>A replica at rest was asked for the space of its log, and let go of all of it.</summary>
    public const string LogSpace = "log-space";

    /// <summary>
    /// A node has written entries again that nobody could release, and ended or came to rest with them.
    /// </summary>
    public const string EntriesAgain = "entries-again";

    /// <summary>A read was served beside the one that drives the node.</summary>
    public const string FastReads = "fast-reads";

    /// <summary>The same, in the middle of an input.</summary>
    public const string FastReadsWithin = "fast-reads-within";

    /// <summary>A numbered request was recognised.</summary>
    public const string Repeats = "repeats";

    /// <summary>A List, rename, deletion or cut of a file has failed.</summary>
    public const string NamesFailed = "names-failed";

    /// <summary>A file was taken away, and the start was refused with its name.</summary>
    public const string FilesMissed = "files-missed";

    /// <summary>A file was taken away, and the node came to all that it had held without it.</summary>
    public const string FilesUnneeded = "files-unneeded";

    /// <summary>A checkpoint or merge waited for memory that another one had.</summary>
    public const string MemoryWaits = "memory-waits";

    /// <summary>Work on files began beside other work of its kind, so that it had to have room.</summary>
    public const string WorkBesideOthers = "work-beside-others";

    /// <summary>What work on files took was compared with what was reserved for it.</summary>
    public const string WorkReserved = "work-reserved";

    /// <summary>A request waited for rows to be read from the disk.</summary>
    public const string ColdWaits = "cold-waits";

    /// <summary>Meanwhile another request of the partition was answered.</summary>
    public const string ColdOvertaken = "cold-overtaken";

    /// <summary>Meanwhile the partition's leadership changed.</summary>
    public const string ColdRoleChanges = "cold-role-changes";

    /// <summary>Meanwhile the replica was taken away or its process ended.</summary>
    public const string ColdEnds = "cold-ends";

    /// <summary>A node has exchanged its data key while it ran.</summary>
    public const string Rotations = "rotations";

    /// <summary>Those that must not be rare.</summary>
    public static readonly IReadOnlyList<string> Demanded =
    [
        MemoryQuiet, MemoryShort, StateHashes, SessionsCounted, SessionsFull, StrictFiles, SnapshotsTaken, LogSpace,
        Repeats, FastReads, FastReadsWithin, NamesFailed, FilesMissed, FilesUnneeded, MemoryOverfull, MemoryWaits,
        WorkBesideOthers, WorkReserved, MergesBehind, ColdWaits, ColdOvertaken, ColdRoleChanges, ColdEnds, Rotations,
    ];

    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>Times, by name; what was never judged is missing.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Note(string name) => _counts[name] = _counts.GetValueOrDefault(name) + 1;
}
