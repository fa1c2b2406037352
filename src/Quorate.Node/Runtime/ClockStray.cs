using Quorate.Core.Model;
using Quorate.Node.Liveness;

namespace Quorate.Node.Runtime;

/// <summary>
/// How far this node's wall clock is from those of the others, as their heartbeats show them. A heartbeat's time on the
/// way counts as stray; it is small beside the bound.
/// </summary>
internal sealed class ClockStray(long strayMaxMilliseconds)
{
    private readonly SortedDictionary<NodeId, long> _ahead = [];

    /// <summary>
    /// More than half of the nodes that are heard, this one counted, are further away than the bound.
    /// </summary>
    public bool IsTooFar
    {
        get
        {
            int far = 0;
            foreach (long ahead in _ahead.Values)
            {
                far += Math.Abs(ahead) > strayMaxMilliseconds ? 1 : 0;
            }

            return 2 * far > _ahead.Count + 1;
        }
    }

    public void Heard(in NodeHeartbeat heartbeat, long wallClock)
    {
        if (heartbeat.WallClock != 0)
        {
            _ahead[heartbeat.From] = heartbeat.WallClock - wallClock;
        }
    }

    public void Forget(NodeId node) => _ahead.Remove(node);
}
