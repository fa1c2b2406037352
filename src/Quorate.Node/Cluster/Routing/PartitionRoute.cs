using Quorate.Core.Model;
using Quorate.Storage.Memory;

namespace Quorate.Node.Cluster.Routing;

/// <summary>
/// The way to one partition's leader, and the calls that wait for it to be found.
/// <para>Invariant: calls leave in the order of their arrival. When one was refused for a reason of place, nothing more
/// leaves until all that is out has come back; what was refused after it waits again in its old place.</para>
/// </summary>
internal sealed class PartitionRoute(GroupId group, RoutingSettings settings, MemoryBudget memory)
{
    private Duration _backOff = settings.BackOffMin;

    public GroupId Group { get; } = group;

    /// <summary>Ascending by order.</summary>
    public SortedDictionary<ulong, RoutedCall> Waiting { get; } = [];

    public long WaitingBytes { get; private set; }

    /// <summary>Who led when someone last said; none when that turned out to be wrong.</summary>
    public NodeId? LeaderHint { get; set; }

    /// <summary>See <see cref="Wire.CallHeader.Round"/>.</summary>
    public uint Round { get; private set; } = 1;

    /// <summary>Calls that are out and that others wait for.</summary>
    public int Out { get; set; }

    /// <summary>Which of the replicas is asked next while nobody knows who leads.</summary>
    public int NextReplica { get; set; }

    public bool IsPaused { get; private set; }

    public Instant RetryAt { get; private set; }

    /// <summary>Calls wait, and may leave now.</summary>
    public bool MayResume(Instant now) => Out == 0 && RetryAt <= now;

    public bool HasRoomFor(RoutedCall call) => Waiting.Count < settings.WaitingMax
        && (Waiting.Count == 0 || WaitingBytes + call.Bytes <= settings.WaitingBytesMax)
        && memory.MayTake(call.Bytes);

    public void Add(RoutedCall call)
    {
        Waiting.Add(call.Order, call);
        WaitingBytes += call.Bytes;
        memory.Take(MemoryUse.Requests, call.Bytes);
    }

    public void Remove(RoutedCall call)
    {
        if (Waiting.Remove(call.Order))
        {
            WaitingBytes -= call.Bytes;
            memory.Give(MemoryUse.Requests, call.Bytes);
        }
    }

    /// <summary>Nothing leaves for a while.</summary>
    public void Pause(Instant now)
    {
        if (!IsPaused)
        {
            IsPaused = true;
            Round++;
            RetryAt = now + _backOff;
            _backOff = new(Math.Min(settings.BackOffMax.Microseconds, 2 * _backOff.Microseconds));
        }
    }

    /// <summary>Someone who may lead was named: there is no more reason to wait.</summary>
    public void Hurry(Instant now) => RetryAt = Instant.Min(RetryAt, now);

    public void Resume() => IsPaused = false;

    /// <summary>A call was done.</summary>
    public void Succeeded() => _backOff = settings.BackOffMin;
}
