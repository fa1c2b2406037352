using System.Globalization;
using Quorate.Core.Model;
using Quorate.Node.Liveness;

namespace Quorate.Node.Runtime;

/// <summary>
/// A node's time, beside the clocks of the others: what it believes, whether it may log by it, and whether its own wall
/// clock is too far away for it to lead.
/// </summary>
internal sealed class NodeTime(NodeId self, NodeSettings settings, Instant start)
{
    private readonly BelievedClock _clock = new(settings, start);
    private readonly ClockStray _stray = new(settings.ClockStrayMaxMilliseconds);

    /// <summary>The node has compared its clock with others', or has waited for them long enough.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>As the last look showed it, in milliseconds since 1970.</summary>
    public long Time { get; private set; }

    /// <summary>The wall clock is far from those of the majority.</summary>
    public bool Strays => _stray.IsTooFar;

    /// <summary>The time in milliseconds since 1970.</summary>
    public long Read(Instant now, long wallClock) => _clock.Read(now, wallClock);

    public void Heard(in NodeHeartbeat heartbeat, Instant now, long wallClock)
    {
        _stray.Heard(heartbeat, wallClock);
        _clock.Heard(heartbeat, now, wallClock);
    }

    public void Forget(NodeId node)
    {
        _stray.Forget(node);
        _clock.Forget(node);
    }

    /// <summary>Whether the time is known now; then whatever waited for it goes on.</summary>
    /// <param name="watched">Other nodes of the cluster.</param>
    /// <param name="wallClock">This node's: a jump counts from the first look on that sees it.</param>
    public void Look(int watched, Instant now, long wallClock, IEnumerable<PartitionShell> partitions)
    {
        Time = _clock.Read(now, wallClock);
        if (IsKnown || !_clock.IsKnown(watched, now))
        {
            return;
        }

        IsKnown = true;
        foreach (PartitionShell shell in partitions)
        {
            shell.Partition.ClockIsKnown();
        }
    }

    /// <summary>Sentences for an operator; empty when all is well.</summary>
    public IEnumerable<string> Problems(long time, IEnumerable<PartitionShell> partitions)
    {
        if (_clock.Problem(self) is { } problem)
        {
            yield return problem;
        }

        foreach (PartitionShell shell in partitions)
        {
            long ahead = shell.Partition.LoggedMilliseconds - time;
            if (ahead > settings.ClockStrayMaxMilliseconds)
            {
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"The newest logged time of partition {shell.Group} is {ahead / 1000.0:0.0} s ahead of the clock "
                    + $"of node {self.Value}: one of the two was wrong. Expiries that name a moment (EXPIREAT) come "
                    + $"too early by that much, and others are right to a sixteenth, until the clock has caught up.");
            }
        }
    }
}
