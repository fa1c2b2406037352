using Quorate.Core.Model;

namespace Quorate.Simulator.World;

/// <summary>
/// A node's monotonic clock: true time, run faster or slower by a few parts per million, from a start of its own.
/// It goes on while the process is paused or dead, as CLOCK_BOOTTIME does, and starts anew when power was lost.
/// <para>Invariant: it never goes back while the machine is up, and its rate stays within the bound that leases
/// allow for.</para>
/// </summary>
internal sealed class NodeClock
{
    private const long Million = 1_000_000;

    private long _trueStart;
    private long _localStart;
    private long _driftPpm;

    /// <summary>
    /// Runs from <paramref name="reading"/>, at a rate that is off by <paramref name="driftPpm"/>, from now on.
    /// </summary>
    public void Restart(long now, long reading, long driftPpm)
    {
        _trueStart = now;
        _localStart = reading;
        _driftPpm = driftPpm;
    }

    public void ChangeDrift(long now, long driftPpm) => Restart(now, Read(now).Microseconds, driftPpm);

    public Instant Read(long now)
    {
        long passed = now - _trueStart;
        return new Instant(_localStart + passed + (passed * _driftPpm / Million));
    }

    /// <summary>
    /// The first true time, not before now, at which this clock shows <paramref name="reading"/> or more.
    /// </summary>
    public long TrueTimeOf(Instant reading, long now)
    {
        long passed = reading.Microseconds - _localStart;
        if (passed <= 0)
        {
            return now;
        }

        long time = Math.Max(now, _trueStart + (passed * Million / (Million + _driftPpm)));
        while (Read(time) < reading)
        {
            time++;
        }

        return time;
    }
}
