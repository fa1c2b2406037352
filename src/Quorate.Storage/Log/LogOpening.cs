using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// Reads the segments that recovery asks for, one at a time and in pieces of bounded size, then hands recovery on.
/// One segment's bytes are in memory at a time, beside the last one's.
/// </summary>
internal sealed class LogOpening(
    IDisk disk, string prefix, int pieceBytes, Action<LogRecovery> done, Action<string> failed)
{
    private readonly DiskJobs _jobs = new(disk, jobsMax: 1);

    public void Start() => _jobs.Add(Read());

    private IEnumerable<DiskStep> Read()
    {
        yield return new DiskOperation(0, DiskOperationKind.List, "");
        if (_jobs.Completion.Status != DiskStatus.Done)
        {
            failed("The data folder could not be listed. Check the disk, then start again.");
            yield break;
        }

        var recovery = new LogRecovery(prefix, _jobs.Completion.Names ?? []);
        while (recovery.Wanted is ulong sequence)
        {
            var reader = new DiskFileReader(LogBatch.FileName(prefix, sequence), pieceBytes);
            do
            {
                yield return reader.Next();
                if (_jobs.Completion.Status != DiskStatus.Done)
                {
                    failed($"The log file {reader.File} could not be read. Check the disk, then start again.");
                    yield break;
                }
            }
            while (!reader.Take(_jobs.Completion.Data));
            recovery.Offer(reader.Content);
        }

        done(recovery);
    }
}
