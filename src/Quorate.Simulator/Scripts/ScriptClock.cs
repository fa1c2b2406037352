using Quorate.Core.Model;

namespace Quorate.Simulator.Scripts;

/// <summary>One node's monotonic clock, which may run faster or slower than the script's common time.</summary>
internal sealed class ScriptClock
{
    private const long Million = 1_000_000;

    private long _carry;

    /// <summary>How many of its own seconds this clock counts in a million true ones.</summary>
    public long RatePpm { get; set; } = Million;

    public Instant Now { get; private set; }

    public void Advance(Duration trueTime)
    {
        _carry += trueTime.Microseconds * RatePpm;
        Now += new Duration(_carry / Million);
        _carry %= Million;
    }
}
