using Quorate.Core.Model;

namespace Quorate.Server.Runtime;

/// <summary>
/// What wakes a loop's own thread: the node's deadline, background work that is due, and whoever rings.
/// <para>Invariant: an earlier time than the one that the thread sleeps for wakes it, whenever it is set.</para>
/// </summary>
internal sealed class LoopAlarm
{
    /// <summary>
    /// Its monitor is slept on. A SemaphoreSlim spins before it sleeps, which took as much processor time as all that
    /// the node did with its inputs (docs/figures.md).
    /// </summary>
    private readonly object _bell = new();
    private long _deadline = Instant.Never.Microseconds;
    private long _workAt = Instant.Never.Microseconds;
    private long _sleepsUntil = Instant.Never.Microseconds;
    private int _isRung;

    /// <summary>When the node is to tick; set by who drives it.</summary>
    public Instant Deadline
    {
        get => new(Volatile.Read(ref _deadline));
        set => Set(ref _deadline, value);
    }

    /// <summary>When background work is due; never, when there is none. Set by who drives the node.</summary>
    public Instant WorkAt
    {
        get => new(Volatile.Read(ref _workAt));
        set => Set(ref _workAt, value);
    }

    /// <summary>True, once, when the deadline has come.</summary>
    public bool TakeDeadline(Instant now)
    {
        if (Deadline > now)
        {
            return false;
        }

        // The node sets the next one while it ticks.
        Volatile.Write(ref _deadline, Instant.Never.Microseconds);
        return true;
    }

    public void Ring()
    {
        if (Interlocked.Exchange(ref _isRung, 1) == 0)
        {
            lock (_bell)
            {
                Monitor.Pulse(_bell);
            }
        }
    }

    /// <summary>Sleeps until somebody rings or a time comes; whether a time has come.</summary>
    /// <param name="atLeast">
    /// Nobody can act on a time that has come before this is over, so only a ring ends the sleep. In milliseconds.
    /// </param>
    public bool Wait(int atLeast)
    {
        // Until it is known for how long, whoever sets a time rings.
        Interlocked.Exchange(ref _sleepsUntil, Instant.Never.Microseconds);
        Instant until = Instant.Min(Deadline, WorkAt);
        Interlocked.Exchange(ref _sleepsUntil, until.Microseconds);
        Instant now = MonotonicClock.Now;
        int milliseconds = Math.Max(atLeast, Milliseconds(until, now));
        if (milliseconds > 0)
        {
            lock (_bell)
            {
                if (Volatile.Read(ref _isRung) == 0)
                {
                    Monitor.Wait(_bell, milliseconds);
                }
            }

            // Before the reader looks at anything: who rings after this rings anew.
            Interlocked.Exchange(ref _isRung, 0);
        }

        return MonotonicClock.Now >= until;
    }

    /// <summary>Rounded up, since to wake early is to wake twice.</summary>
    private static int Milliseconds(Instant until, Instant now) => until == Instant.Never
        ? int.MaxValue
        : (int)Math.Clamp(((until - now).Microseconds + 999) / 1000, 0, int.MaxValue);

    private void Set(ref long time, Instant value)
    {
        if (time == value.Microseconds)
        {
            return;
        }

        Interlocked.Exchange(ref time, value.Microseconds);
        if (value.Microseconds < Volatile.Read(ref _sleepsUntil))
        {
            Ring();
        }
    }
}
