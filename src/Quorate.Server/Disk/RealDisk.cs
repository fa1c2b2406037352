using System.Diagnostics;
using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// A folder of the machine's file system as a disk. Operations run on threads of its own; their ends are handed over on
/// the owner's thread, by <see cref="Drain"/>.
/// <para>Invariants: durable writes are done by one thread in the order of their submission, reads by a few of their
/// own, all others by a few more; a sync covers what completed before it was submitted, since that had left for the
/// system; a failure of the device is never tried again and never hidden (pitfalls R11, S11); at most the named number
/// of operations are under way, so at most so many ends wait.</para>
/// </summary>
public sealed class RealDisk : IDisk, IDisposable
{
    private readonly RealDiskSettings _settings;
    private readonly DiskWorker _worker;
    private readonly DiskQueue _durable = new();
    private readonly DiskQueue _reads = new();
    private readonly DiskQueue _others = new();
    private readonly List<Thread> _threads = [];
    private readonly object _lock = new();
    private readonly Action? _completionWaits;
    private List<(IDiskClient Client, DiskCompletion Completion)> _done = [];
    private List<(IDiskClient Client, DiskCompletion Completion)> _handedOver = [];
    private int _underWay;
    private int _sleeping;

    /// <param name="folder">The folder of the files; it must exist.</param>
    /// <param name="completionWaits">
    /// Is called on a thread of the disk when an end waits for <see cref="Drain"/>; it must only pass the word on.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">Where the system calls behind it are not known.</exception>
    /// <exception cref="IOException">The folder cannot be opened.</exception>
    public RealDisk(string folder, RealDiskSettings? settings = null, Action? completionWaits = null)
    {
        if (!NativeFile.IsSupported)
        {
            throw new PlatformNotSupportedException(
                "Quorate keeps data on Linux with glibc (x64 or arm64) only: elsewhere it could not prove that a sync "
                    + "reached the disk.");
        }

        _settings = settings ?? new();
        _completionWaits = completionWaits;
        _worker = new DiskWorker(folder, _settings);
        Start("quorate-log", _durable, 1);
        Start("quorate-read", _reads, _settings.ReadThreads);
        Start("quorate-disk", _others, _settings.WriteThreads);
    }

    /// <summary>Operations submitted and not yet handed over.</summary>
    public int UnderWay => Volatile.Read(ref _underWay);

    /// <summary>
    /// An operation has failed, or its owner is being told just now that it found no space: what the owner says of an
    /// end is of the disk. A full disk that was lived with says nothing of an end that comes later.
    /// </summary>
    public bool IsToBlame { get; private set; }

    /// <summary>What it has done so far.</summary>
    public DiskFigures Figures { get; } = new();

    /// <summary>
    /// While true, files may grow into the reserve of free space: for a start, which must be able to write the log's
    /// tail anew, and for what gives more space back than it takes.
    /// </summary>
    public bool IsReserveOpen
    {
        get => _worker.IsReserveOpen;
        set => _worker.IsReserveOpen = value;
    }

    public void Submit(in DiskOperation operation, IDiskClient client)
    {
        Invariant.Check(
            IsName(operation.File) && IsName(operation.NewName),
            $"'{operation.File}' and '{operation.NewName}' are names of files in the data folder");
        int underWay = Interlocked.Increment(ref _underWay);
        Invariant.Check(underWay <= _settings.OperationsMax, "who submits to the disk bounds what is under way");
        DiskQueue queue = operation.Kind switch
        {
            DiskOperationKind.WriteDurable => _durable,
            DiskOperationKind.Read or DiskOperationKind.List => _reads,
            _ => _others,
        };
        queue.Add(operation, client);
    }

    /// <summary>Hands over the ends that wait, in the order in which they came; how many.</summary>
    public int Drain()
    {
        lock (_lock)
        {
            (_done, _handedOver) = (_handedOver, _done);
        }

        int count = _handedOver.Count;
        foreach ((IDiskClient client, DiskCompletion completion) in _handedOver)
        {
            Interlocked.Decrement(ref _underWay);
            bool before = IsToBlame;
            IsToBlame |= completion.Status is DiskStatus.Failed or DiskStatus.Full;
            client.Complete(completion);
            IsToBlame = before || completion.Status == DiskStatus.Failed;
        }

        _handedOver.Clear();
        return count;
    }

    /// <summary>Waits until an end waits for <see cref="Drain"/>; false when none has come in time.</summary>
    public bool Wait(TimeSpan time)
    {
        lock (_lock)
        {
            if (_done.Count > 0)
            {
                return true;
            }

            _sleeping++;
            bool isWoken = Monitor.Wait(_lock, time);
            _sleeping--;
            return isWoken;
        }
    }

    /// <summary>Ends the threads after the operations that they are at; what waits is not done.</summary>
    public void Dispose()
    {
        _durable.Stop();
        _reads.Stop();
        _others.Stop();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _worker.Dispose();
    }

    /// <summary>A name of a file right in the folder; empty where an operation names none.</summary>
    private static bool IsName(string? name) =>
        name is null || (name.AsSpan().IndexOfAny('/', '\0') < 0 && name is not (".." or "."));

    private void Start(string name, DiskQueue queue, int count)
    {
        for (int i = 0; i < count; i++)
        {
            var thread = new Thread(() => Work(queue)) { Name = $"{name}-{i}", IsBackground = true };
            _threads.Add(thread);
            thread.Start();
        }
    }

    private void Work(DiskQueue queue)
    {
        while (queue.Take(out DiskOperation operation, out IDiskClient? client))
        {
            long begun = Stopwatch.GetTimestamp();
            DiskCompletion completion = _worker.Run(operation);
            if (operation.Kind == DiskOperationKind.WriteDurable)
            {
                long took = (long)Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
                Figures.CountDurable(took, operation.Data.Length);
            }

            bool isFirst;
            lock (_lock)
            {
                isFirst = _done.Count == 0;
                _done.Add((client, completion));
                if (_sleeping > 0)
                {
                    Monitor.Pulse(_lock);
                }
            }

            if (isFirst)
            {
                _completionWaits?.Invoke();
            }
        }
    }
}
