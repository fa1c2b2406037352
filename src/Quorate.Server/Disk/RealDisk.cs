using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// A folder of the machine's file system as a disk. Operations run on threads of its own; their ends are handed over on
/// the owner's thread, by <see cref="Drain"/>.
/// <para>Invariants: durable writes and allocations are done by one thread in the order of their submission, all others
/// by a few; a sync covers what completed before it was submitted, since that had left for the system; a failure of the
/// device is never tried again and never hidden (pitfalls R11, S11).</para>
/// </summary>
public sealed class RealDisk : IDisk, IDisposable
{
    private readonly DiskWorker _worker;
    private readonly DiskQueue _log;
    private readonly DiskQueue _other;
    private readonly List<Thread> _threads = [];
    private readonly Lock _lock = new();
    private readonly Action _completionWaits;
    private List<(IDiskClient Client, DiskCompletion Completion)> _done = [];
    private List<(IDiskClient Client, DiskCompletion Completion)> _handedOver = [];

    /// <param name="folder">The data folder; it must exist.</param>
    /// <param name="completionWaits">
    /// Is called on a thread of the disk when an end waits for <see cref="Drain"/>; it must only pass the word on.
    /// </param>
    /// <exception cref="PlatformNotSupportedException">Where the system calls behind it are not known.</exception>
    public RealDisk(string folder, RealDiskSettings settings, Action completionWaits)
    {
        if (!NativeFile.IsSupported)
        {
            throw new PlatformNotSupportedException(
                "Quorate keeps data on Linux (x64 or arm64) only: elsewhere it could not prove that a sync reached the "
                    + "disk.");
        }

        _completionWaits = completionWaits;
        _worker = new DiskWorker(folder, settings);
        _log = new DiskQueue();
        _other = new DiskQueue();
        Start("quorate-log", _log);
        for (int i = 0; i < settings.Threads; i++)
        {
            Start($"quorate-disk-{i}", _other);
        }
    }

    public void Submit(in DiskOperation operation, IDiskClient client)
    {
        Invariant.Check(
            IsName(operation.File) && IsName(operation.NewName),
            $"'{operation.File}' and '{operation.NewName}' are names of files in the data folder");

        bool isLog = operation.Kind is DiskOperationKind.WriteDurable or DiskOperationKind.Allocate;
        (isLog ? _log : _other).Add(operation, client);
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
            client.Complete(completion);
        }

        _handedOver.Clear();
        return count;
    }

    /// <summary>Ends the threads after the operations that they are at; what waits is not done.</summary>
    public void Dispose()
    {
        _log.Stop();
        _other.Stop();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        _worker.Dispose();
    }

    private static bool IsName(string? name) =>
        name is null || (!name.Contains('/', StringComparison.Ordinal) && name is not (".." or "."));

    private void Start(string name, DiskQueue queue)
    {
        var thread = new Thread(() => Work(queue)) { Name = name, IsBackground = true };
        _threads.Add(thread);
        thread.Start();
    }

    private void Work(DiskQueue queue)
    {
        while (queue.Take(out DiskOperation operation, out IDiskClient? client))
        {
            DiskCompletion completion = _worker.Run(operation);
            bool isFirst;
            lock (_lock)
            {
                isFirst = _done.Count == 0;
                _done.Add((client, completion));
            }

            if (isFirst)
            {
                _completionWaits();
            }
        }
    }
}
