using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>What may happen to a group.</summary>
public enum RaftInputKind : byte
{
    /// <summary>Time has passed; due when the group's next deadline has come, harmless at any other time.</summary>
    Tick,

    /// <summary>A message has arrived.</summary>
    Message,

    /// <summary>Append a batch and say when it is written to a level.</summary>
    Propose,

    /// <summary>Move to another membership.</summary>
    ProposeMembership,

    /// <summary>Say when a read may be served from the applied state.</summary>
    Read,

    /// <summary>A <see cref="Persist"/> is durable.</summary>
    Persisted,

    /// <summary>The state machine has applied up to an index.</summary>
    Applied,

    /// <summary>The state machine's own checkpoint is durable: the log before it may go.</summary>
    Checkpointed,

    /// <summary>Entries that <see cref="EntriesFetch"/> asked for, read from the log.</summary>
    EntriesFetched,

    /// <summary>A piece of a checkpoint that <see cref="SnapshotFetch"/> asked for.</summary>
    SnapshotFetched,

    /// <summary>A received snapshot is whole, durable, and may take the place of the state machine.</summary>
    SnapshotPersisted,

    /// <summary>A received snapshot could not be stored, or is damaged.</summary>
    SnapshotFailed,

    /// <summary>Messages to a replica are known not to arrive.</summary>
    Unreachable,

    /// <summary>Hand leadership to another voter.</summary>
    Transfer,

    /// <summary>
    /// The node has news that a sleeping group cannot hear: a node that holds a replica of it fell silent, or
    /// came back.
    /// </summary>
    Wake,

    /// <summary>Reads were served under the <see cref="ReadLease"/>, so the group is not idle.</summary>
    Used,
}

/// <summary>
/// One input of a <see cref="RaftGroup"/>. Built by the factories below, which say which fields count.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct RaftInput
{
    public RaftInputKind Kind { get; private init; }

    /// <summary>
    /// The node's monotonic clock, read when the input was taken up (not when it was queued: pitfall R9).
    /// </summary>
    public Instant Now { get; private init; }

    public RaftMessage Message { get; private init; }

    public RequestId Request { get; private init; }

    public ReadOnlyMemory<byte> Batch { get; private init; }

    public WriteLevel WriteLevel { get; private init; }

    public ReadLevel ReadLevel { get; private init; }

    public ReadToken Token { get; private init; }

    public Instant Deadline { get; private init; }

    public Membership? Membership { get; private init; }

    public ulong Sequence { get; private init; }

    public LogIndex Index { get; private init; }

    public ReplicaId Peer { get; private init; }

    public Entry[]? Entries { get; private init; }

    public SnapshotMeta? Snapshot { get; private init; }

    /// <summary>Checkpointed: the log needs the space of what need not be kept.</summary>
    public bool SpaceIsWanted { get; private init; }

    public long Offset { get; private init; }

    public bool Done { get; private init; }

    public static RaftInput Tick(Instant now) => new() { Kind = RaftInputKind.Tick, Now = now };

    public static RaftInput FromPeer(Instant now, in RaftMessage message) =>
        new() { Kind = RaftInputKind.Message, Now = now, Message = message };

    /// <summary>
    /// Append <paramref name="batch"/>; answered by Acknowledged or Dropped under <paramref name="request"/>, once.
    /// </summary>
    public static RaftInput Propose(
        Instant now, RequestId request, ReadOnlyMemory<byte> batch, WriteLevel level, Instant deadline) =>
        new()
        {
            Kind = RaftInputKind.Propose, Now = now, Request = request, Batch = batch,
            WriteLevel = level, Deadline = deadline,
        };

    /// <summary>
    /// Move to <paramref name="target"/> (which must not be joint). One voter more or fewer is one entry; any
    /// other change goes through a joint membership, which the leader leaves by itself. Acknowledged when the
    /// final membership is applied.
    /// </summary>
    public static RaftInput ProposeMembership(Instant now, RequestId request, Membership target, Instant deadline) =>
        new()
        {
            Kind = RaftInputKind.ProposeMembership, Now = now, Request = request,
            Membership = target, Deadline = deadline,
        };

    /// <summary>Ask for a read; answered by ReadReady or Dropped under <paramref name="request"/>, once.</summary>
    public static RaftInput Read(Instant now, RequestId request, ReadLevel level, ReadToken token, Instant deadline) =>
        new()
        {
            Kind = RaftInputKind.Read, Now = now, Request = request,
            ReadLevel = level, Token = token, Deadline = deadline,
        };

    public static RaftInput Persisted(Instant now, ulong sequence) =>
        new() { Kind = RaftInputKind.Persisted, Now = now, Sequence = sequence };

    public static RaftInput Applied(Instant now, LogIndex index) =>
        new() { Kind = RaftInputKind.Applied, Now = now, Index = index };

    public static RaftInput Checkpointed(Instant now, SnapshotMeta checkpoint, bool spaceIsWanted = false) =>
        new()
        {
            Kind = RaftInputKind.Checkpointed, Now = now, Snapshot = checkpoint, SpaceIsWanted = spaceIsWanted,
        };

    /// <summary>
    /// The answer to an <see cref="EntriesFetch"/>; <paramref name="entries"/> is empty when the log no longer
    /// holds them.
    /// </summary>
    public static RaftInput EntriesFetched(Instant now, ReplicaId peer, LogIndex first, Entry[] entries) =>
        new() { Kind = RaftInputKind.EntriesFetched, Now = now, Peer = peer, Index = first, Entries = entries };

    /// <summary>
    /// The answer to a <see cref="SnapshotFetch"/>; a null <paramref name="meta"/> says that there is no checkpoint
    /// to send.
    /// </summary>
    public static RaftInput SnapshotFetched(
        Instant now, ReplicaId peer, SnapshotMeta? meta, long offset, ReadOnlyMemory<byte> chunk, bool done) =>
        new()
        {
            Kind = RaftInputKind.SnapshotFetched, Now = now, Peer = peer, Snapshot = meta,
            Offset = offset, Batch = chunk, Done = done,
        };

    public static RaftInput SnapshotPersisted(Instant now, SnapshotMeta meta) =>
        new() { Kind = RaftInputKind.SnapshotPersisted, Now = now, Snapshot = meta };

    public static RaftInput SnapshotFailed(Instant now, SnapshotMeta meta) =>
        new() { Kind = RaftInputKind.SnapshotFailed, Now = now, Snapshot = meta };

    public static RaftInput Unreachable(Instant now, ReplicaId peer) =>
        new() { Kind = RaftInputKind.Unreachable, Now = now, Peer = peer };

    public static RaftInput Transfer(Instant now, RequestId request, ReplicaId target) =>
        new() { Kind = RaftInputKind.Transfer, Now = now, Request = request, Peer = target };

    public static RaftInput Used(Instant now) => new() { Kind = RaftInputKind.Used, Now = now };

    public static RaftInput Wake(Instant now) => new() { Kind = RaftInputKind.Wake, Now = now };
}
