using System.Globalization;
using Quorate.Core.Model;

namespace Quorate.Server.Runtime;

/// <summary>
/// Notices that this node itself stood still: it was called later than it had asked for by so much that others may take
/// it for silent. Its own silence is held against nobody, so without this nothing would tell of it.
/// <para>Invariant: every such time is told once, together with those of the while before it; one that drives a node at
/// a time may ask.</para>
/// </summary>
public sealed class StallWatch
{
    /// <summary>What counts as standing still: as long as others listen before they call a node silent.</summary>
    public static readonly Duration StallMin = Duration.FromMilliseconds(300);

    /// <summary>Between two sentences.</summary>
    public static readonly Duration SayEvery = Duration.FromMilliseconds(10_000);

    /// <summary>How old what is known of the process's use of processors may be.</summary>
    private static readonly Duration LookEvery = Duration.FromMilliseconds(50);

    private readonly Func<(TimeSpan Processor, TimeSpan Collector)> _used;
    private (TimeSpan Processor, TimeSpan Collector) _before;
    private (TimeSpan Processor, TimeSpan Collector) _usedIn;
    private Instant _lookedAt;
    private Instant _mayBeSaidAt;
    private Duration _longest;
    private int _count;
    private long _stalls;
    private long _stallMicroseconds;

    /// <param name="used">
    /// What the process has had of its processors since its start, and what its threads have waited for the collector.
    /// </param>
    public StallWatch(Func<(TimeSpan Processor, TimeSpan Collector)> used)
    {
        _used = used;
        _before = used();
    }

    /// <summary>How often it stood still.</summary>
    public long Stalls => Volatile.Read(ref _stalls);

    /// <summary>How long it stood still in all, in µs.</summary>
    public long StallMicroseconds => Volatile.Read(ref _stallMicroseconds);

    /// <summary>What this process has used so far.</summary>
    public static (TimeSpan Processor, TimeSpan Collector) OfProcess() =>
        (OperatingSystem.IsWindows() ? default : Environment.CpuUsage.TotalTime, GC.GetTotalPauseDuration());

    /// <summary>Called at each tick; a sentence when there is something to tell.</summary>
    /// <param name="due">When the tick was asked for.</param>
    public string? Look(Instant due, Instant now)
    {
        Duration late = now - due;
        if (late >= StallMin)
        {
            Note(late);
        }

        if (now - _lookedAt >= LookEvery)
        {
            _lookedAt = now;
            _before = _used();
        }

        if (_count == 0 || now < _mayBeSaidAt)
        {
            return null;
        }

        string sentence = Sentence();
        _mayBeSaidAt = now + SayEvery;
        (_count, _longest) = (0, default);
        return sentence;
    }

    private void Note(Duration late)
    {
        _stalls++;
        _stallMicroseconds += late.Microseconds;
        _count++;
        if (late > _longest)
        {
            (TimeSpan processor, TimeSpan collector) = _used();
            _usedIn = (processor - _before.Processor, collector - _before.Collector);
            _longest = late;
        }
    }

    private string Sentence()
    {
        string often = _count == 1
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" the longest of {_count} times,");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"This node itself stood still for {_longest.Microseconds / 1000} ms,{often} and others may have called it "
                + $"silent. Its process had {_usedIn.Processor.TotalMilliseconds:F0} ms of processor time meanwhile "
                + $"and waited {_usedIn.Collector.TotalMilliseconds:F0} ms for its collector: with little of both it "
                + $"was stopped, or the machine was busy with something else.");
    }
}
