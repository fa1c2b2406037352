using Quorate.Core.Model;
using Quorate.Simulator.Engine;

namespace Quorate.Simulator.World;

/// <summary>
/// A timer of a process: set on the node's own clock, it rings in true time, and again when the clock was slower than
/// was thought.
/// </summary>
/// <param name="ring">The event that is to happen, by its number.</param>
internal sealed class NodeAlarm(Simulation world, SimulatedNode node, Func<ulong, SimEvent> ring)
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

    /// <summary>Whether the deadline has come with this event.</summary>
    public bool Rings(ulong number)
    {
        if (number != _number)
        {
            return false;
        }

        _at = long.MaxValue;
        if (node.LocalTime >= _deadline)
        {
            return true;
        }

        Arm();
        return false;
    }

    private void Arm()
    {
        if (_deadline == Instant.Never)
        {
            return;
        }

        long at = Math.Max(world.Now + Grain, node.Clock.TrueTimeOf(_deadline, world.Now));
        if (at >= _at)
        {
            // The timer that is set comes earlier; it will be set anew when it fires.
            return;
        }

        _at = at;
        world.Queue.Add(at, ring(++_number));
    }
}
