using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>What a write waits for before it is acknowledged.</summary>
public enum WriteLevelKind : byte
{
    /// <summary>A majority has synced it and the leader has applied it. The default.</summary>
    Majority = 0,

    /// <summary>
    /// The leader has synced it (asynchronous replication); lost if leadership changes before a majority has it.
    /// </summary>
    Leader = 1,

    /// <summary>As <see cref="Majority"/>, and a number of replicas, the leader counted, have synced it.</summary>
    Count = 2,

    /// <summary>As <see cref="Majority"/>, and every voter and standing replica has synced it.</summary>
    All = 3,
}

/// <summary>A write level: a kind and, for <see cref="WriteLevelKind.Count"/>, the number of replicas.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct WriteLevel(WriteLevelKind Kind, int Replicas)
{
    public static readonly WriteLevel Majority;

    public static readonly WriteLevel Leader = new(WriteLevelKind.Leader, 0);

    public static readonly WriteLevel All = new(WriteLevelKind.All, 0);

    public static WriteLevel Count(int replicas) => new(WriteLevelKind.Count, replicas);

    public override string ToString() => Kind switch
    {
        WriteLevelKind.Majority => "majority",
        WriteLevelKind.Leader => "leader",
        WriteLevelKind.Count => $"{Replicas}",
        _ => "all",
    };
}

/// <summary>What a read may return.</summary>
public enum ReadLevel : byte
{
    /// <summary>
    /// The newest acknowledged state: the leader under its lease, or any replica after a ReadIndex round.
    /// </summary>
    Linearizable = 0,

    /// <summary>At least what the client's read token names, from any replica.</summary>
    Session = 1,

    /// <summary>Whatever this replica has applied, at once.</summary>
    Eventual = 2,
}

/// <summary>
/// What a client has seen of one group: an entry, by index and term. The term tells a write that was lost with
/// its leader from another entry that took its index. The default token names nothing and is always covered.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ReadToken(Term Term, LogIndex Index)
{
    public override string ToString() => $"{Index}@{Term}";
}

/// <summary>The three outcomes of a request; they are never blurred.</summary>
public enum Outcome
{
    /// <summary>Done, at the level that was asked for.</summary>
    Done,

    /// <summary>Surely not executed, now or later.</summary>
    Refused,

    /// <summary>It may have been executed, or may still be.</summary>
    Unknown,
}

/// <summary>Why a request was dropped. <see cref="DropReasons.Outcome"/> says what that means for the client.</summary>
public enum DropReason
{
    /// <summary>This replica does not lead the group; the hint names who may.</summary>
    NotLeader,

    /// <summary>Leadership is being handed over; the hint names the heir.</summary>
    Transferring,

    /// <summary>A named limit on waiting requests or uncommitted bytes is reached.</summary>
    Overloaded,

    /// <summary>A change of membership is under way, or none may start yet.</summary>
    MembershipChangePending,

    /// <summary>
    /// The membership that was asked for cannot be reached (no voters, an older incarnation of a member, and so on).
    /// </summary>
    MembershipInvalid,

    /// <summary>More replicas were asked for than the group has.</summary>
    LevelImpossible,

    /// <summary>The entry is larger than the named limit.</summary>
    TooLarge,

    /// <summary>Another leader's entry was committed at this proposal's index.</summary>
    Overwritten,

    /// <summary>The deadline passed before the level was met; the entry may be committed, or may yet be.</summary>
    DeadlinePassed,

    /// <summary>Leadership ended before the level could be counted; the entry was committed all the same.</summary>
    LevelUncounted,

    /// <summary>Leadership ended while a change of membership was under way; it may or may not come about.</summary>
    LeadershipLost,

    /// <summary>Leadership cannot be handed to that replica: it is no voter, or leads already.</summary>
    TransferImpossible,

    /// <summary>The heir did not take over in time; this replica goes on leading.</summary>
    TransferTimedOut,

    /// <summary>The deadline of a read passed before it could be served.</summary>
    ReadDeadlinePassed,

    /// <summary>The write that a session's read token names was lost with its leader.</summary>
    SessionLost,

    /// <summary>The session's token is older than what this replica remembers of terms; it cannot be judged.</summary>
    SessionTooOld,

    /// <summary>The deadline passed before anything was logged.</summary>
    DeadlinePassedUnlogged,

    /// <summary>
    /// The request session may have been evicted, so nobody can tell whether the request was executed before; this time
    /// it was not. The client begins a new session.
    /// </summary>
    SessionExpired,

    /// <summary>
    /// The request's number was executed, or may have been, and its reply is no longer remembered; this time it was
    /// not.
    /// </summary>
    RequestForgotten,

    /// <summary>The node's disk is full: it takes no writes.</summary>
    SpaceIsLow,

    /// <summary>
    /// A majority of the voters that were asked for is not known to live and to have nearly all that is committed. Add
    /// them as joining learners first: they are made voters once they have caught up.
    /// </summary>
    MembershipUnready,

    /// <summary>
    /// The node's memory is full of what can not go: rows that no checkpoint has yet, indexes and filters of open
    /// files. It takes no writes.
    /// </summary>
    MemoryIsFull,

    /// <summary>The keyspace was dropped.</summary>
    KeyspaceDropped,

    /// <summary>
    /// The deadline of a read passed while it went through rows, or waited for those that are not in memory.
    /// </summary>
    RowsDeadlinePassed,
}

/// <summary>From reason to outcome.</summary>
public static class DropReasons
{
    public static Outcome Outcome(this DropReason reason) => reason switch
    {
        DropReason.DeadlinePassed or DropReason.LevelUncounted => Raft.Outcome.Unknown,
        DropReason.LeadershipLost or DropReason.TransferTimedOut => Raft.Outcome.Unknown,
        _ => Raft.Outcome.Refused,
    };
}
