using System.Runtime.InteropServices;
using Quorate.Node.Cluster;

namespace Quorate.Server.Runtime;

/// <summary>An event and when it was.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TimedEvent(DateTimeOffset Time, long Number, NodeEvent Event);

/// <summary>The last events of a node, for operators; and who wants to hear of each.</summary>
public sealed class EventHistory
{
    private const int EventsMax = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<TimedEvent> _events = new();
    private readonly SortedDictionary<(string Kind, string Cause), long> _counts = [];
    private long _count;

    /// <summary>Is told of each event, on the thread where it happens; it must not wait.</summary>
    public Action<TimedEvent>? Heard { get; set; }

    public void Add(in NodeEvent happened)
    {
        TimedEvent timed;
        lock (_lock)
        {
            timed = new(TimeProvider.System.GetUtcNow(), ++_count, happened);
            _events.Enqueue(timed);
            if (_events.Count > EventsMax)
            {
                _events.Dequeue();
            }

            (string, string) kind = (happened.Kind, happened.Cause);
            _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        }

        Heard?.Invoke(timed);
    }

    /// <summary>Those that are remembered, the oldest first.</summary>
    public TimedEvent[] All()
    {
        lock (_lock)
        {
            return [.. _events];
        }
    }

    /// <summary>How many of each kind and cause there were since the start.</summary>
    public KeyValuePair<(string Kind, string Cause), long>[] Counts()
    {
        lock (_lock)
        {
            return [.. _counts];
        }
    }
}
