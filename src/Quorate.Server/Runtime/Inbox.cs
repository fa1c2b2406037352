using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Node.Cluster;

namespace Quorate.Server.Runtime;

/// <summary>
/// What waits for the node, from many threads: peers' urgent messages by themselves, since they are to be taken before
/// what is large.
/// <para>Invariants: bounded in number and in bytes, what is urgent by itself, but for signals; what one thread adds is
/// taken in the order in which it was added, but that what is urgent may be taken before the rest.</para>
/// </summary>
internal sealed class Inbox(int inputsMax, long bytesMax)
{
    private readonly Lock _lock = new();
    private List<NodeInput> _waiting = new(256);
    private List<NodeInput> _taken = new(256);
    private List<NodeInput> _urgentWaiting = new(64);
    private List<NodeInput> _urgentTaken = new(64);
    private int _count;
    private int _urgentCount;
    private long _bytes;
    private long _urgentBytes;

    /// <summary>How many wait; the thread that drives need not have the lock to see that some do.</summary>
    public int Count => Volatile.Read(ref _count) + Volatile.Read(ref _urgentCount);

    /// <summary>How many of them are urgent.</summary>
    public int UrgentCount => Volatile.Read(ref _urgentCount);

    /// <summary>Of the messages that wait; any thread may look.</summary>
    public long Bytes => Volatile.Read(ref _bytes) + Volatile.Read(ref _urgentBytes);

    /// <summary>Adds in order as many as there is room for; how many.</summary>
    public int Add(ReadOnlySpan<NodeInput> inputs)
    {
        lock (_lock)
        {
            int added = 0;
            foreach (NodeInput input in inputs)
            {
                if (!TryAddOne(input))
                {
                    break;
                }

                added++;
            }

            return added;
        }
    }

    /// <summary>Adds calls in order; how many.</summary>
    public int Add(ReadOnlySpan<ClientCall> calls)
    {
        lock (_lock)
        {
            int added = 0;
            foreach (ClientCall call in calls)
            {
                if (!TryAddOne(new(call)))
                {
                    break;
                }

                added++;
            }

            return added;
        }
    }

    /// <summary>
    /// Adds what must not be lost, room or not: signals, of which there are few by their nature (a link that broke, the
    /// order to stop).
    /// </summary>
    public void AddSignal(Action signal)
    {
        lock (_lock)
        {
            AddOne(new(signal), bytes: 0);
        }
    }

    /// <summary>
    /// Takes all that is not urgent. What it returns counts until the next call; who is done with it clears it.
    /// </summary>
    public Span<NodeInput> Take()
    {
        lock (_lock)
        {
            (_waiting, _taken) = (_taken, _waiting);
            _waiting.Clear();
            Volatile.Write(ref _count, 0);
            _bytes = 0;
            return CollectionsMarshal.AsSpan(_taken);
        }
    }

    /// <summary>Takes all that is urgent, in the same way.</summary>
    public Span<NodeInput> TakeUrgent()
    {
        lock (_lock)
        {
            (_urgentWaiting, _urgentTaken) = (_urgentTaken, _urgentWaiting);
            _urgentWaiting.Clear();
            Volatile.Write(ref _urgentCount, 0);
            _urgentBytes = 0;
            return CollectionsMarshal.AsSpan(_urgentTaken);
        }
    }

    private static bool IsUrgent(in NodeInput input) =>
        input.By == PeerClass.Urgent && Guards.UrgentIsTakenFirst;

    private bool TryAddOne(in NodeInput input)
    {
        int bytes = input.MessageBytes;
        long before = IsUrgent(input) ? _urgentBytes : _bytes;
        bool isFull = _count + _urgentCount >= inputsMax || (bytes > 0 && before > 0 && before + bytes > bytesMax);
        if (isFull)
        {
            return false;
        }

        AddOne(input, bytes);
        return true;
    }

    private void AddOne(in NodeInput input, int bytes)
    {
        if (IsUrgent(input))
        {
            _urgentWaiting.Add(input);
            _urgentBytes += bytes;
            Volatile.Write(ref _urgentCount, _urgentCount + 1);
            return;
        }

        _waiting.Add(input);
        _bytes += bytes;
        Volatile.Write(ref _count, _count + 1);
    }
}
