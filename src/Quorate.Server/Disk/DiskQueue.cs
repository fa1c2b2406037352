using System.Diagnostics.CodeAnalysis;
using Quorate.Storage.Disk;

namespace Quorate.Server.Disk;

/// <summary>
/// Operations on their way to the threads that do them, in order. It is bounded by who submits: the log has one write
/// under way, jobs have one operation each, and fetches are limited by their stores.
/// </summary>
internal sealed class DiskQueue
{
    private readonly object _lock = new();
    private readonly Queue<(DiskOperation Operation, IDiskClient Client)> _waiting = new();
    private int _sleeping;
    private bool _isStopped;

    public void Add(in DiskOperation operation, IDiskClient client)
    {
        lock (_lock)
        {
            _waiting.Enqueue((operation, client));

            // A thread that hands its operation over and finds the next one there was never asleep.
            if (_sleeping > 0)
            {
                Monitor.Pulse(_lock);
            }
        }
    }

    /// <summary>Waits for the next operation; false when there will be none.</summary>
    public bool Take(out DiskOperation operation, [NotNullWhen(true)] out IDiskClient? client)
    {
        lock (_lock)
        {
            while (_waiting.Count == 0 && !_isStopped)
            {
                _sleeping++;
                Monitor.Wait(_lock);
                _sleeping--;
            }

            if (_isStopped)
            {
                (operation, client) = (default, null);
                return false;
            }

            (operation, client) = _waiting.Dequeue();
            return true;
        }
    }

    public void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            Monitor.PulseAll(_lock);
        }
    }
}
