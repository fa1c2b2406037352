using Quorate.Node.Cluster;

namespace Quorate.Server.Runtime;

/// <summary>
/// What waits for the node, from many threads.
/// <para>Invariants: bounded in number and in bytes, but for signals; what one thread adds is taken in the order in
/// which it was added.</para>
/// </summary>
internal sealed class Inbox(int inputsMax, long bytesMax)
{
    private readonly Lock _lock = new();
    private NodeInput[] _waiting = new NodeInput[256];
    private NodeInput[] _taken = new NodeInput[256];
    private int _count;
    private long _bytes;

    /// <summary>How many wait; the thread that drives need not have the lock to see that some do.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Of the messages that wait; any thread may look.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

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

    /// <summary>Takes all. What it returns counts until the next call; who is done with it clears it.</summary>
    public Span<NodeInput> Take()
    {
        lock (_lock)
        {
            int count = _count;
            (_waiting, _taken) = (_taken, _waiting);
            Volatile.Write(ref _count, 0);
            _bytes = 0;
            return _taken.AsSpan(0, count);
        }
    }

    private bool TryAddOne(in NodeInput input)
    {
        int bytes = input.MessageBytes;
        bool isFull = _count >= inputsMax || (bytes > 0 && _bytes > 0 && _bytes + bytes > bytesMax);
        if (isFull)
        {
            return false;
        }

        AddOne(input, bytes);
        return true;
    }

    private void AddOne(in NodeInput input, int bytes)
    {
        if (_count == _waiting.Length)
        {
            Array.Resize(ref _waiting, _waiting.Length * 2);
        }

        _waiting[_count] = input;
        _bytes += bytes;
        Volatile.Write(ref _count, _count + 1);
    }
}
