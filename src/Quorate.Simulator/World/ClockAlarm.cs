using Quorate.Core.Model;

namespace Quorate.Simulator.World;

/// <summary>
/// A timer of a process: set on the machine's own clock, it rings in true time, and again when the clock was slower
/// than was thought.
/// </summary>
/// <param name="now">True time, in microseconds.</param>
/// <param name="set">Has an event of this number happen at this true time.</param>
internal sealed class ClockAlarm(NodeClock clock, Func<long> now, Action<long, ulong> set)
{
    /// <summary>A timer that is due already fires after this, in microseconds: no timer is finer.</summary>
    private const long Grain = 50;

    private Instant _deadline = Instant.Never;
    private long _at = long.MaxValue;
    private ulong _number;

    /// <summary>Takes the place of the former deadline.</summary>
    public void Set(Instant deadline)
    {
        _deadline = deadline;
        Arm();
    }

    /// <summary>The process is gone, and its deadline with it.</summary>
    public void Clear()
    {
        _deadline = Instant.Never;
        _at = long.MaxValue;
    }

    /// <summary>Whether the deadline has come with the event of this number.</summary>
    public bool Rings(ulong number)
    {
        if (number != _number)
        {
            return false;
        }

        _at = long.MaxValue;
        if (clock.Read(now()) < _deadline)
        {
            Arm();
            return false;
        }

        _deadline = Instant.Never;
        return true;
    }

    private void Arm()
    {
        if (_deadline == Instant.Never)
        {
            return;
        }

        long at = Math.Max(now() + Grain, clock.TrueTimeOf(_deadline, now()));
        if (at >= _at)
        {
            // The timer that is set comes earlier; it will be set anew when it fires.
            return;
        }

        _at = at;
        set(at, ++_number);
    }
}
