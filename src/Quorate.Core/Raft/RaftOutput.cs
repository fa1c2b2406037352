using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>What a replica is to its group.</summary>
public enum Role : byte
{
    Follower,

    /// <summary>Asks whether it could win, in a term not yet begun.</summary>
    PreCandidate,
    Candidate,
    Leader,
}

/// <summary>
/// One write to the group's log, to be made durable as a whole and in order of <see cref="Sequence"/>. First the
/// log is reset or cut, then the entries are appended, then the hard state is set, then a prefix may go.
/// </summary>
public sealed class Persist
{
    /// <summary>
    /// 1, 2, 3 and so on in the life of a <see cref="RaftGroup"/>; named in <see cref="RaftInput.Persisted"/>.
    /// </summary>
    public ulong Sequence { get; init; }

    /// <summary>
    /// An installed snapshot takes the place of the whole log, which then begins after it; else null.
    /// </summary>
    public SnapshotMeta? ResetTo { get; init; }

    /// <summary>Entries from this index on are gone; zero when none are cut.</summary>
    public LogIndex TruncateFrom { get; init; }

    /// <summary>Entries to append, consecutive, beginning where the log (after the cut) ends.</summary>
    public Entry[] Entries { get; init; } = [];

    /// <summary>The hard state to set; null when it has not changed.</summary>
    public HardState? HardState { get; init; }

    /// <summary>
    /// Entries up to this index may be released once this write is durable, and not before; zero for none. The
    /// state machine's checkpoint that covers them is durable already.
    /// </summary>
    public LogIndex ReleaseTo { get; init; }

    /// <summary>
    /// False when losing this write loses nothing that anyone was told: the log may then complete it without a
    /// sync, but never before the writes ahead of it.
    /// </summary>
    public bool MustSync { get; init; }

    /// <summary>
    /// Messages that say something is durable. They leave only when this write and all before it are durable, so
    /// that an acknowledgement before its sync cannot be written (pitfall R10).
    /// </summary>
    public IReadOnlyList<RaftMessage> SendAfter { get; init; } = [];
}

/// <summary>
/// Committed entries to apply, in order. One range is out at a time, until <see cref="RaftInput.Applied"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ApplyRange(Entry[] Entries)
{
    public LogIndex First => Entries[0].Index;

    public LogIndex Last => Entries[^1].Index;
}

/// <summary>
/// A read may now be served from the applied state. <paramref name="Token"/> names what it will see at least, to
/// be handed to the client's session.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ReadReady(RequestId Request, ReadToken Token);

/// <summary>
/// A proposal met its level; <paramref name="Token"/> names its entry. A transfer succeeded; it has no entry.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Acknowledged(RequestId Request, ReadToken Token);

/// <summary>A proposal was given this place in the log; whether it stays there is not decided yet.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Appended(RequestId Request, ReadToken Token);

/// <summary>
/// A request will not be done (or, for some reasons, may or may not be): see <see cref="DropReasons"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Dropped(RequestId Request, DropReason Reason, ReplicaId LeaderHint);

/// <summary>
/// Entries are needed that are no longer in memory: for <paramref name="Peer"/>, or to apply when that is this
/// replica. Answered by <see cref="RaftInput.EntriesFetched"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct EntriesFetch(ReplicaId Peer, LogIndex First, LogIndex Last, int MaxBytes);

/// <summary>
/// A peer needs a snapshot. With <paramref name="Snapshot"/> zero: the newest checkpoint, from its beginning. Else
/// the next piece of that very one; if it is gone, start over with the newest at offset zero. Answered by
/// <see cref="RaftInput.SnapshotFetched"/>.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SnapshotFetch(ReplicaId Peer, LogIndex Snapshot, long Offset, int MaxBytes);

/// <summary>
/// A piece of a snapshot has arrived. A piece at offset zero begins a new file (and drops a former unfinished
/// one). After the last, the host makes the file durable and answers SnapshotPersisted or SnapshotFailed.
/// </summary>
public sealed record InstallSnapshot(SnapshotMeta Meta, long Offset, ReadOnlyMemory<byte> Chunk, bool Done);

/// <summary>
/// What readers beside the group may rely on from now until the next step's: while the clock is before <paramref
/// name="Until"/>, the state that has applied <paramref name="Index"/> is one that a linearizable read may see. The
/// host withdraws the one before ahead of all else that a step asks for, since a message or an acknowledgement may end
/// it (pitfalls R8 and R31).
/// </summary>
/// <param name="Term">Of the leader; zero when there is no lease.</param>
/// <param name="First">The first index of the term; it is applied.</param>
/// <param name="Until">On the node's monotonic clock.</param>
/// <param name="Index">All that is committed, and all that was acknowledged before that.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ReadLease(Term Term, LogIndex First, Instant Until, LogIndex Index);

/// <summary>The replica's role, term or known leader has changed.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct RoleChanged(Role Role, Term Term, ReplicaId Leader);

/// <summary>
/// What a step asks of its host. The host clears it before a step, or lets several steps fill it as long as it
/// takes every Persist in order. Nothing in it may be done in another order than: send what is in
/// <see cref="SendNow"/> at any time, write <see cref="Persists"/> in order.
/// </summary>
public sealed class RaftOutput
{
    public List<RaftMessage> SendNow { get; } = [];

    public List<Persist> Persists { get; } = [];

    public List<ApplyRange> Applies { get; } = [];

    public List<ReadReady> ReadsReady { get; } = [];

    public List<Appended> Appended { get; } = [];

    public List<Acknowledged> Acknowledged { get; } = [];

    public List<Dropped> Dropped { get; } = [];

    public List<EntriesFetch> EntriesFetches { get; } = [];

    public List<SnapshotFetch> SnapshotFetches { get; } = [];

    public List<InstallSnapshot> Installs { get; } = [];

    public List<RoleChanged> RoleChanges { get; } = [];

    /// <summary>As of the end of the last step.</summary>
    public ReadLease ReadLease { get; set; }

    /// <summary>
    /// When the group next needs a <see cref="RaftInputKind.Tick"/>; a sleeping group has only
    /// the deadlines of requests that wait, or <see cref="Instant.Never"/>.
    /// </summary>
    public Instant NextDeadline { get; set; } = Instant.Never;

    public void Clear()
    {
        SendNow.Clear();
        Persists.Clear();
        ClearTaken();
    }

    /// <summary>Clears all but what is sent and written.</summary>
    public void ClearTaken()
    {
        Applies.Clear();
        ReadsReady.Clear();
        Appended.Clear();
        Acknowledged.Clear();
        Dropped.Clear();
        EntriesFetches.Clear();
        SnapshotFetches.Clear();
        Installs.Clear();
        RoleChanges.Clear();
    }
}
