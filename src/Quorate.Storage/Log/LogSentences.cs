using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>What a log says when it can not go on: what happened, to which file, and what to do.</summary>
internal static class LogSentences
{
    public static string Damaged(string file, LogRead read) =>
        $"The log file {file} is damaged or unreadable between bytes {read.Offset} and {read.Offset + read.Length}, "
        + $"where entry {read.First} lies. Start again to see whether the replica can still prove what it holds.";

    public static string DiskFailed(LogStep step, string segment, DiskStatus status)
    {
        string what = step == LogStep.SyncingFolder ? "the data folder" : $"the log file {segment}";
        return status == DiskStatus.Full
            ? $"The disk is full: {what} could not be written. Free some space, then start again."
            : $"The disk failed ({step}) on {what}, so what was written last may be lost. "
                + "Check the disk, then start again.";
    }
}
