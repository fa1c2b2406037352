using Quorate.Core.Model;
using Quorate.Simulator.Engine;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// The timer of a machine's process: set on the machine's own clock, it rings in true time, and again when the clock
/// was slower than was thought.
/// </summary>
internal sealed class MachineAlarm(ClusterWorld world, ClusterMachine machine, Action rings)
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

    private void Arm()
    {
        if (_deadline == Instant.Never)
        {
            return;
        }

        long at = Math.Max(world.Now + Grain, machine.Clock.TrueTimeOf(_deadline, world.Now));
        if (at >= _at)
        {
            // The timer that is set comes earlier; it will be set anew when it fires.
            return;
        }

        _at = at;
        ulong number = ++_number;
        machine.Later(at - world.Now, EventKind.NodeTimer, number, () => Ring(number));
    }

    private void Ring(ulong number)
    {
        if (number != _number)
        {
            return;
        }

        _at = long.MaxValue;
        if (machine.Now < _deadline)
        {
            Arm();
            return;
        }

        _deadline = Instant.Never;
        rings();
    }
}
