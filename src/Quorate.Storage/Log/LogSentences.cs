using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>What a log says when it can not go on: what happened, to which file, and what to do.</summary>
internal static class LogSentences
{
    private const string Advice = "This node can not prove what it holds. " + FolderAdvice.Sentence;

    public static string Damaged(string file, LogRead read) =>
        $"The log file {file} is damaged or unreadable between bytes {read.Offset} and {read.Offset + read.Length}, "
        + $"where entry {read.First} of {read.Stream} lies. "
        + "Start again to see whether the node can still prove what it holds.";

    public static string DamagedBelow(string file, long at, long durable) =>
        $"The log file {file} is damaged at byte {at}, where bytes up to {durable} are known to have been durable; "
        + $"so acknowledged entries may be lost. {Advice}";

    public static string NothingLeft(string file) =>
        $"The log file {file} is damaged at byte 0 and no other one is whole. {Advice}";

    public static string MarkGone(string file) =>
        $"The file {file} is missing, and without it no segment of the log can be read. {Advice}";

    public static string MarkDamaged(string file) =>
        $"The file {file} is damaged, and without it no segment of the log can be read. {Advice}";

    public static string NewestGone(string file, string mark) =>
        $"The log file {file} is missing, though {mark} shows that it was begun; so acknowledged entries may be lost. "
        + Advice;

    public static string Cut(string file, long bytes) =>
        $"The log file {file} is shorter than the {bytes} bytes that it was made with; so acknowledged entries may be "
        + $"lost. {Advice}";

    public static string EntriesMissing(string file, LogStream stream, string range) =>
        $"The log file {file} is missing, and with it the entries {range} of {stream}. {Advice}";

    public static string Foreign(string file, long at) =>
        $"The log file {file} holds a record at byte {at} or after it that this version can not read. "
        + "Start the version that wrote it.";

    public static string Unreadable(string file) =>
        $"The log file {file} could not be read. Check the disk, then start again.";

    public static string DiskFailed(string doing, string what, DiskStatus status) => status == DiskStatus.Full
        ? $"The disk is full: {what} could not be written. Free some space, then start again."
        : $"The disk failed ({doing}) on {what}, so what was written last may be lost. "
            + "Check the disk, then start again.";
}
