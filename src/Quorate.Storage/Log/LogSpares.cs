using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Storage.Disk;

namespace Quorate.Storage.Log;

/// <summary>
/// Keeps segments ready beyond the one being written, so that a switch waits for nothing: files of the right length
/// under the name of the sequence that they will have, made by recycling what is no longer needed or by allocation.
/// <para>Invariants: a file's new name is durable before anything in the file changes, so that after a crash a file
/// holds what its name says or something older. Sequences are handed out in order and never twice. Full is no failure:
/// who wants a segment waits for it.</para>
/// </summary>
internal sealed class LogSpares
{
    private readonly NodeLogSettings _settings;
    private readonly Action _changed;
    private readonly Action<string> _failed;
    private readonly DiskJobs _jobs;
    private readonly LogFileMaker _maker;
    private readonly string _prefix;
    private readonly List<Spare> _ready = [];
    private readonly Queue<(ulong Sequence, bool IsProven)> _freed = new();
    private ulong _next;
    private bool _isBusy;
    private int _wantedBytes;

    /// <param name="changed">Called, inside a completion, when a segment is ready or space has become low or
    /// not.</param>
    public LogSpares(IDisk disk, string prefix, NodeLogSettings settings, Action changed, Action<string> failed)
    {
        _settings = settings;
        _prefix = prefix;
        _changed = changed;
        _failed = failed;
        _jobs = new(disk, jobsMax: 1);
        _maker = new(_jobs, prefix);
    }

    /// <summary>No space was found for a segment beyond the one being written.</summary>
    public bool IsLow { get; private set; }

    private bool MustGrow => _ready.Count > 0 && _ready[0].Bytes < _wantedBytes;

    private bool MayRecycle => _freed.Count > 0 && _ready.Count < _settings.SparesMax;

    private bool MustMake => _ready.Count < _settings.SparesMin || MustGrow || MayRecycle;

    /// <summary>
    /// Begins to make segments ready, from a sequence on; files that an earlier process left may be recycled.
    /// </summary>
    public void Start(ulong next, IEnumerable<ulong> freed)
    {
        _next = next;
        foreach (ulong sequence in freed)
        {
            _freed.Enqueue((sequence, false));
        }

        Go();
    }

    public void Stop() => _jobs.Stop();

    /// <summary>Takes the file of a segment that nobody needs any more.</summary>
    public void Recycle(ulong sequence)
    {
        _freed.Enqueue((sequence, true));
        Go();
    }

    /// <summary>
    /// Hands out the next segment if it is ready and holds so many bytes. If not, the owner is told when it is.
    /// </summary>
    public bool TryTake(int bytes, out ulong sequence, out int length)
    {
        bool isReady = _ready.Count > 0 && _ready[0].Bytes >= bytes;
        (sequence, length) = isReady ? (_ready[0].Sequence, _ready[0].Bytes) : default;
        if (isReady)
        {
            _ready.RemoveAt(0);
        }

        _wantedBytes = isReady ? 0 : bytes;
        Go();
        return isReady;
    }

    /// <summary>Looks for space once more, if there is too little.</summary>
    public void Go()
    {
        if (!_isBusy && (MustMake || _freed.Count > 0))
        {
            _isBusy = true;
            _jobs.Add(Work());
        }
    }

    private IEnumerable<DiskStep> Work()
    {
        // A segment that has to grow finds no space: files that nobody needs are deleted for it, one before each
        // attempt.
        bool makesRoom = false;
        bool hasMadeRoom = false;
        do
        {
            if (!MustMake || makesRoom)
            {
                (makesRoom, hasMadeRoom) = (false, makesRoom);
                yield return new DiskOperation(
                    0, DiskOperationKind.Delete, LogBatch.FileName(_prefix, _freed.Dequeue().Sequence));
                if (_jobs.Completion.Status == DiskStatus.Failed)
                {
                    _failed("The disk failed to delete an old log file. Check the disk, then start again.");
                    yield break;
                }

                continue;
            }

            bool grows = MustGrow;
            int bytes = Math.Max(_settings.SegmentBytes, _wantedBytes);
            ulong sequence = grows ? _ready[0].Sequence : _next;
            (ulong Sequence, bool IsProven)? old = !grows && _freed.TryDequeue(out var freed) ? freed : null;
            yield return DiskStep.All(
                _maker.Make(old?.Sequence, sequence, bytes, isNew: !grows, isProven: old?.IsProven ?? true));

            // One that would only have been kept ready besides is not missed; and it may never be tried again.
            hasMadeRoom = false;
            makesRoom = grows && _maker.IsFull && _freed.Count > 0 && Guards.FreedFilesMakeRoom;
            IsLow = _maker.IsFull && (grows || _ready.Count < _settings.SparesMin || !Guards.ReadySegmentsAreSpace);
            if (_maker.Sentence is null && grows)
            {
                _ready[0] = new(sequence, bytes);
            }
            else if (_maker.Sentence is null)
            {
                _ready.Add(new(sequence, bytes));
                _next++;
            }

            // A failure beside lack of space ends the log. Where there is no space whoever waits goes on waiting, and
            // has acknowledged nothing: that ends by itself when somebody frees some. The owner is told.
            if (_maker.Sentence is null || _maker.IsFull)
            {
                _changed();
            }

            if (_maker.Sentence is string sentence && (!_maker.IsFull || !Guards.FullLogsWait))
            {
                _failed(sentence);
                yield break;
            }
        }
        while (_freed.Count > 0 || (MustMake && (!IsLow || hasMadeRoom)));
        _isBusy = false;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Spare(ulong Sequence, int Bytes);
}

/// <summary>Makes one segment's file, from an older one or from nothing.</summary>
internal sealed class LogFileMaker(DiskJobs jobs, string prefix)
{
    /// <summary>Why the last one could not be made, for people; or null.</summary>
    public string? Sentence { get; private set; }

    /// <summary>The last one could not be made because there is no space.</summary>
    public bool IsFull { get; private set; }

    /// <summary>
    /// The file of segment <paramref name="sequence"/>, so many bytes long, its name and its length durable.
    /// </summary>
    /// <param name="old">
    /// The segment whose file is recycled, perhaps the same one; null when there is none.
    /// </param>
    /// <param name="isNew">False when the file has its name already and must only grow.</param>
    /// <param name="isProven">
    /// This process knows that what <paramref name="old"/> has of length is durable. A file that an earlier one left
    /// may have it in the page cache alone, where a failed sync left it and no later one would write it (pitfall R11).
    /// </param>
    public IEnumerable<DiskStep> Make(ulong? old, ulong sequence, int bytes, bool isNew, bool isProven)
    {
        Sentence = null;
        IsFull = false;
        string name = LogBatch.FileName(prefix, sequence);
        if (old is ulong recycled)
        {
            string from = LogBatch.FileName(prefix, recycled);
            if (recycled != sequence)
            {
                yield return new DiskOperation(0, DiskOperationKind.Rename, from, NewName: name);
                if (HasFailed(from, "renaming"))
                {
                    yield break;
                }
            }

            // Until the name is durable this may still be an old segment of the log, so nothing in it may change.
            if (Guards.NewFilesAreMadeNamed && recycled != sequence)
            {
                yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");
                if (HasFailed("the data folder", "syncing"))
                {
                    yield break;
                }
            }

            bool keepsLength = isProven || !Guards.LeftOverFilesAreMadeAnew;
            yield return new DiskOperation(0, DiskOperationKind.Truncate, name, keepsLength ? bytes : 0);
            if (HasFailed(name, "cutting"))
            {
                yield break;
            }
        }

        yield return new DiskOperation(0, DiskOperationKind.Allocate, name, Length: bytes);
        if (HasFailed(name, "allocating"))
        {
            yield break;
        }

        yield return new DiskOperation(0, DiskOperationKind.Sync, name);
        if ((Guards.FailedSyncIsFatal && HasFailed(name, "syncing")) || old is not null || !isNew)
        {
            yield break;
        }

        if (Guards.NewFilesAreMadeNamed)
        {
            yield return new DiskOperation(0, DiskOperationKind.SyncFolder, "");
            HasFailed("the data folder", "syncing");
        }
    }

    private bool HasFailed(string what, string doing)
    {
        DiskStatus status = jobs.Completion.Status;
        if (status == DiskStatus.Done)
        {
            return false;
        }

        IsFull = status == DiskStatus.Full;
        Sentence = LogSentences.DiskFailed(doing, what, status);
        return true;
    }
}
