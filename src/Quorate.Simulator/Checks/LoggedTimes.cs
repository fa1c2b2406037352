using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Holds the time that committed entries carry against the true one, where most clocks are right: by it keys expire, so
/// as far as it is off they go too early or live too long.
/// </summary>
/// <param name="now">The true time, in milliseconds since 1970.</param>
/// <param name="strayMaxMilliseconds">How far a node's clock may be off before it gives its leaderships up.</param>
internal sealed class LoggedTimes(Func<long> now, long strayMaxMilliseconds)
{
    /// <summary>
    /// Beside the stray: what a clock may move at once, and for what a monotonic clock is off meanwhile, in
    /// milliseconds.
    /// </summary>
    private const long RoomMilliseconds = 2000;

    private readonly Dictionary<ReadToken, long> _proposedAt = [];

    private long Bound => strayMaxMilliseconds + RoomMilliseconds;

    /// <summary>A leader has put requests into an entry.</summary>
    public void Proposed(ReadToken place) => _proposedAt.TryAdd(place, now());

    /// <summary>An entry was committed.</summary>
    public void Committed(ReadToken place, HybridTime time)
    {
        long trueTime = now();
        if (time.Milliseconds - trueTime > Bound)
        {
            RunClaims.Break(
                RunClaims.ExpiryInTime,
                $"the entry at {place} carries a time that is {time.Milliseconds - trueTime} ms ahead: keys expire too "
                + "early");
        }

        if (_proposedAt.Remove(place, out long proposedAt) && proposedAt - time.Milliseconds > Bound)
        {
            RunClaims.Break(
                RunClaims.ExpiryInTime,
                $"the entry at {place} carries a time that is {proposedAt - time.Milliseconds} ms behind: keys live "
                + "too long");
        }
    }
}
