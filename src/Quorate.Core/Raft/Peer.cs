using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>How a leader sends to a peer.</summary>
internal enum PeerState : byte
{
    /// <summary>It is not known where the logs part: one append at a time.</summary>
    Probe,

    /// <summary>Appends are sent before the former ones are answered.</summary>
    Replicate,

    /// <summary>A snapshot is on its way.</summary>
    Snapshot,
}

/// <summary>
/// What a leader knows of another replica (Raft, figure 2, volatile state on leaders).
/// <para>Invariants: Match &lt; Next; Match never falls within a term; what is in flight is bounded.</para>
/// </summary>
internal sealed class Peer(ReplicaId id, LogIndex next)
{
    /// <summary>Earlier than every reading of a clock.</summary>
    public static readonly Instant NeverAcked = new(long.MinValue);

    private readonly Queue<Sent> _inFlight = new();
    private bool _wasActive;

    /// <summary>How far it had come when the log last wanted space; null before that.</summary>
    private Progress? _whenSpaceWasWanted;
    private Instant _lookedAt;

    public ReplicaId Id { get; } = id;

    public PeerState State { get; private set; }

    /// <summary>Entries up to here are known to be on the peer, durably (matchIndex).</summary>
    public LogIndex Match { get; private set; }

    /// <summary>The next entry to send (nextIndex).</summary>
    public LogIndex Next { get; set; } = next;

    /// <summary>The commit index that the peer was last told.</summary>
    public LogIndex CommitSent { get; set; }

    /// <summary>A probe is out, or entries are being fetched, and nothing more is sent until an answer.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Something came from it since the last check of the quorum.</summary>
    public bool IsActive { get; private set; } = true;

    /// <summary>Something came from it since the check before the last: it is not given up yet.</summary>
    public bool IsAlive => IsActive || _wasActive;

    /// <summary>
    /// Ticks since the peer last made progress, or since something was last sent that should bring some.
    /// </summary>
    public int TicksWaiting { get; set; }

    /// <summary>How often in a row something was sent again without an answer; each time the wait doubles.</summary>
    public int Resends { get; set; }

    /// <summary>The greatest read round that it answered.</summary>
    public ulong AckedRound { get; set; }

    /// <summary>The latest sending time (this leader's clock) that it answered; lowest when none.</summary>
    public Instant AckedSentAt { get; set; } = NeverAcked;

    /// <summary>The snapshot being sent; zero while the host has not said which.</summary>
    public LogIndex SnapshotIndex { get; set; }

    /// <summary>How much of it the peer has, in bytes.</summary>
    public long SnapshotOffset { get; set; }

    public int InFlightCount => _inFlight.Count;

    public int InFlightBytes { get; private set; }

    /// <summary>Something came from it.</summary>
    public void Hear() => IsActive = true;

    /// <summary>
    /// The log wants space, which it may say several times in one moment. False when the peer has come no further for
    /// so long a time since it was first looked at for that.
    /// </summary>
    public bool ComesFurther(Instant now, Duration within)
    {
        var progress = new Progress(Match, SnapshotIndex, SnapshotOffset);
        if (_whenSpaceWasWanted != progress)
        {
            (_whenSpaceWasWanted, _lookedAt) = (progress, now);
        }

        return now < _lookedAt + within;
    }

    /// <summary>The quorum has been checked; who says nothing until the next check is silent.</summary>
    public void EndPeriod()
    {
        _wasActive = IsActive;
        IsActive = false;
    }

    public void BecomeProbe(LogIndex next)
    {
        Clear(PeerState.Probe);
        Next = LogIndex.Max(next, Match.Next);
    }

    public void BecomeReplicate()
    {
        Clear(PeerState.Replicate);
        Next = Match.Next;
    }

    public void BecomeSnapshot()
    {
        Clear(PeerState.Snapshot);
        SnapshotIndex = LogIndex.Zero;
        SnapshotOffset = 0;
    }

    public void Track(LogIndex last, int bytes)
    {
        if (_inFlight.Count == 0)
        {
            TicksWaiting = 0;
        }

        _inFlight.Enqueue(new(last, bytes));
        InFlightBytes += bytes;
    }

    /// <summary>The peer holds everything up to <paramref name="index"/>. True when that is news.</summary>
    public bool Acknowledge(LogIndex index)
    {
        while (_inFlight.Count > 0 && _inFlight.Peek().Last <= index)
        {
            InFlightBytes -= _inFlight.Dequeue().Bytes;
            TicksWaiting = 0;
        }

        if (index <= Match)
        {
            return false;
        }

        Resends = 0;

        Match = index;
        Next = LogIndex.Max(Next, index.Next);
        return true;
    }

    private void Clear(PeerState state)
    {
        State = state;
        IsPaused = false;
        TicksWaiting = 0;
        _inFlight.Clear();
        InFlightBytes = 0;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Progress(LogIndex Match, LogIndex SnapshotIndex, long SnapshotOffset);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Sent(LogIndex Last, int Bytes);
}
