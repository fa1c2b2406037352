using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Counts ticks. A Tick is due at the group's next deadline and credits all whole ticks since the last one; a
/// process that was held up longer than that is credited to just before its next deadline, so that it hears what
/// has arrived meanwhile before it acts on the silence.
/// </summary>
internal sealed class Timers(GroupState state)
{
    private Instant _anchor = state.Now;
    private int _ticksAsked = 1;

    /// <summary>Ticks since the last word of a leader, the last vote given or the last campaign.</summary>
    public int ElectionElapsed { get; private set; }

    /// <summary>When to campaign, in ticks, drawn anew each time (Raft, section 5.2).</summary>
    public int ElectionTimeout { get; private set; } = DrawTimeout(state);

    public bool ElectionIsDue => ElectionElapsed >= ElectionTimeout;

    public void ResetElection()
    {
        // What has passed before must not count, so ticks are credited from now on.
        _anchor = state.Now;
        ElectionElapsed = 0;
        ElectionTimeout = DrawTimeout(state);
    }

    /// <summary>
    /// An election becomes due within one election timeout, since the silence has been measured elsewhere.
    /// </summary>
    public void HastenElection() => ElectionElapsed = Math.Max(ElectionElapsed, state.Settings.ElectionTicks);

    /// <summary>How many ticks an input of kind Tick is worth.</summary>
    public int Credit()
    {
        long interval = state.Settings.TickInterval.Microseconds;
        long ticks = (state.Now - _anchor).Microseconds / interval;
        if (ticks <= 0)
        {
            return 0;
        }

        bool heldUp = ticks > _ticksAsked + 2;
        long credited = heldUp ? Math.Max(1, _ticksAsked - 1) : ticks;
        _anchor = heldUp ? state.Now : _anchor + new Duration(ticks * interval);
        ElectionElapsed += (int)credited;
        return (int)credited;
    }

    /// <summary>Starts counting from now, after a sleep or a slow write.</summary>
    public void Restart()
    {
        _anchor = state.Now;
        ElectionElapsed = 0;
    }

    /// <summary>The moment at which <paramref name="ticks"/> more ticks are to be credited.</summary>
    public Instant Deadline(int ticks)
    {
        _ticksAsked = Math.Max(1, ticks);
        return _anchor + (state.Settings.TickInterval * _ticksAsked);
    }

    private static int DrawTimeout(GroupState state) =>
        state.Settings.ElectionTicks + (int)state.Random.Next(Math.Max(1, state.Settings.ElectionTicks));
}
