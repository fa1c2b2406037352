using System.Globalization;
using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Liveness;

namespace Quorate.Node.Runtime;

/// <summary>
/// The wall clock as far as a node believes it. What is logged expires by it, and what has expired does not come back,
/// so a clock that jumps for a moment must not be believed: while it is away from where the node's monotonic clock says
/// that it must be, the time goes on by the monotonic clock.
/// <para>A jump is believed at once when most of the nodes that are heard believe that time already, and after it has
/// stood for <see cref="NodeSettings.ClockTrustAfter"/> when most of their wall clocks do not say otherwise. A node
/// whose wall clock and belief are both far from most others' takes over their time, and so does one that has just been
/// started, whatever the wall clocks say: the others know what it was before.</para>
/// <para>Invariant: between two steps that are believed for one of these reasons, the time stays within
/// <see cref="NodeSettings.ClockStepMaxMilliseconds"/> of where the monotonic clock leads it, for each
/// <see cref="NodeSettings.ClockTrustAfter"/> begun.</para>
/// </summary>
internal sealed class BelievedClock(NodeSettings settings, Instant start)
{
    private readonly SortedDictionary<NodeId, PeerClock> _peers = [];

    /// <summary>What is believed less the monotonic clock, in milliseconds; null before the first reading.</summary>
    private long? _offset;

    /// <summary>The offset at <see cref="_anchoredAt"/>: steps are measured from here.</summary>
    private long _anchor;
    private Instant _anchoredAt;

    /// <summary>An offset that is not believed, and since when the wall clock has shown it.</summary>
    private long? _strange;
    private Instant _strangeSince;
    private bool _isKnown;

    /// <summary>In milliseconds: how far the wall clock is from what is believed; zero while it is believed.</summary>
    public long NotBelievedMilliseconds => _strange - _offset ?? 0;

    /// <summary>
    /// Whether the clocks of most nodes agree with this one's, or it has waited for them long enough: before that
    /// nothing is logged.
    /// </summary>
    /// <param name="watched">Other nodes of the cluster.</param>
    public bool IsKnown(int watched, Instant now)
    {
        long own = _offset ?? 0;
        int agreeing = Count(peer => Math.Abs(peer.Time - own) <= settings.ClockStrayMaxMilliseconds);
        _isKnown |= 2 * (agreeing + 1) > watched + 1 || now - start >= settings.ClockUnknownMax;
        return _isKnown;
    }

    /// <summary>The time in milliseconds since 1970.</summary>
    /// <param name="wallClock">What the machine's wall clock says, in the same unit.</param>
    public long Read(Instant now, long wallClock)
    {
        long passed = Milliseconds(now);
        long seen = wallClock - passed;
        if (_offset is not { } offset || !Guards.ClockJumpsAreNotBelieved)
        {
            Believe(seen, now);
            return wallClock;
        }

        if (now - _anchoredAt >= settings.ClockTrustAfter)
        {
            (_anchor, _anchoredAt) = (offset, now);
        }

        if (Math.Abs(seen - _anchor) <= settings.ClockStepMaxMilliseconds)
        {
            (_offset, _strange) = (seen, null);
            return wallClock;
        }

        if (_strange is not { } strange || Math.Abs(seen - strange) > settings.ClockStepMaxMilliseconds)
        {
            (_strange, _strangeSince) = (seen, now);
        }

        bool isTrusted = now - _strangeSince >= settings.ClockTrustAfter && !IsContradicted(seen);
        if (isTrusted || IsVouchedFor(seen))
        {
            Believe(seen, now);
        }

        return passed + _offset.Value;
    }

    /// <summary>What another node's clocks say.</summary>
    /// <param name="wallClock">This node's, in milliseconds since 1970.</param>
    public void Heard(in NodeHeartbeat heartbeat, Instant now, long wallClock)
    {
        if (heartbeat.WallClock == 0)
        {
            return;
        }

        long passed = Milliseconds(now);
        bool isSure = heartbeat.Time != 0;
        long time = isSure ? heartbeat.Time : heartbeat.WallClock;
        _peers[heartbeat.From] = new(heartbeat.WallClock - passed, time - passed, isSure);
        long believed = Read(now, wallClock) - passed;
        bool mayBeWrong = IsContradicted(wallClock - passed) || (!_isKnown && IsMost(Count(peer => peer.IsSure)));
        if (Guards.StrayingNodesTakeOthersTime && mayBeWrong
            && IsMost(Count(peer => Math.Abs(peer.Time - believed) > settings.ClockStrayMaxMilliseconds)))
        {
            // The middle one: as long as most are right, it lies between two that are.
            long[] times = [.. _peers.Values.Select(static peer => peer.Time).Order()];
            Believe(times[times.Length / 2], now);
        }
    }

    public void Forget(NodeId node) => _peers.Remove(node);

    /// <summary>What an operator is told while the wall clock is not believed; null while it is.</summary>
    public string? Problem(NodeId self) => _strange is null ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"The wall clock of node {self.Value} is {NotBelievedMilliseconds / 1000.0:0.0} s away from where it should be "
        + $"by the machine's monotonic clock, and is not believed: keys expire by the time from before. Set the clock "
        + $"right; if it is right, it is believed after {settings.ClockTrustAfter.Microseconds / 1_000_000} s.");

    private static long Milliseconds(Instant now) => now.Microseconds / 1000;

    private void Believe(long offset, Instant now) =>
        (_offset, _anchor, _anchoredAt, _strange) = (offset, offset, now, null);

    /// <summary>Most of the other nodes that are heard believe that offset.</summary>
    private bool IsVouchedFor(long offset) => _peers.Count < 2 * Count(
        peer => peer.IsSure && Math.Abs(peer.Time - offset) <= settings.ClockStepMaxMilliseconds);

    /// <summary>Most of the nodes that are heard, this one counted, have wall clocks far from that offset.</summary>
    private bool IsContradicted(long offset) =>
        IsMost(Count(peer => Math.Abs(peer.Wall - offset) > settings.ClockStrayMaxMilliseconds));

    private bool IsMost(int count) => 2 * count > _peers.Count + 1;

    private int Count(Func<PeerClock, bool> predicate) => _peers.Values.Count(predicate);

    /// <param name="Wall">Less this node's monotonic clock, in milliseconds.</param>
    /// <param name="Time">Likewise what the peer believes, or its wall clock while it is not sure of that.</param>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct PeerClock(long Wall, long Time, bool IsSure);
}
