using Quorate.Core.Raft;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>
/// The one place where the end of a request becomes an error that a client sees: what happened, and what to do.
/// </summary>
public static class Outcomes
{
    /// <summary>The code and sentence of a request that was not done.</summary>
    public static string ErrorOf(Outcome outcome, DropReason reason) => outcome == Outcome.Unknown
        ? $"{ErrorCodes.Unknown} {UnknownSentence(reason)}"
        : $"{CodeOf(reason)} {RefusedSentence(reason)}";

    /// <summary>A read whose reply is let go since those of all clients take too much.</summary>
    public const string NoRoom = $"{ErrorCodes.OutOfMemory} the replies that wait for clients of this node to read "
        + "them take all the memory that they may; read yours and ask again, or ask for less at once";

    /// <summary>As <see cref="ErrorOf(Outcome, DropReason)"/>, of a call.</summary>
    internal static string ErrorOf(RespCall call) =>
        call.RefusedBytes > 0 ? NoRoom : ErrorOf(call.Result.Outcome, call.Result.Reason);

    private static string CodeOf(DropReason reason) => reason switch
    {
        DropReason.NotLeader => ErrorCodes.ClusterDown,
        DropReason.Transferring or DropReason.Overloaded or DropReason.MembershipChangePending => ErrorCodes.TryAgain,
        DropReason.SpaceIsLow or DropReason.MemoryIsFull => ErrorCodes.OutOfMemory,
        DropReason.SessionLost or DropReason.SessionTooOld => ErrorCodes.SessionLost,
        _ => ErrorCodes.Refused,
    };

    /// <summary>Of a command whose number was refused.</summary>
    public const string Unnumbered = $"{ErrorCodes.Refused} the CLIENT REQUESTID before this was refused, nothing was "
        + "done; number it again, or send it once more without a number";

    private static string UnknownSentence(DropReason reason) => reason switch
    {
        DropReason.DeadlinePassed =>
            "the deadline passed before enough replicas had it; it may have been executed, or may still be. Read it "
            + "back before you send it again, or number requests with CLIENT REQUESTID",
        DropReason.LevelUncounted =>
            "it was executed, but leadership ended before the write level could be counted; fewer replicas than asked "
            + "for may have it",
        _ => "it may have been executed, or may still be. Read it back before you send it again, or number requests "
            + "with CLIENT REQUESTID",
    };

    private static string RefusedSentence(DropReason reason) => reason switch
    {
        DropReason.NotLeader => "the partition has no leader that this node can reach, nothing was done; try again",
        DropReason.Transferring => "leadership of the partition is being handed over, nothing was done; try again",
        DropReason.Overloaded => "too many requests wait for the partition, nothing was done; try again later",
        DropReason.MembershipChangePending => "the replicas of the partition are changing, nothing was done; try again",
        DropReason.LevelImpossible =>
            "the partition has fewer replicas than the level asks for, nothing was done; choose another with "
            + "CONSISTENCY",
        DropReason.TooLarge => "the write is larger than an entry of the log may be, nothing was done",
        DropReason.Overwritten => "leadership changed before it was committed, nothing was done; send it again",
        DropReason.ReadDeadlinePassed => "the deadline passed before the read could be served; try again, or read at "
            + "level eventual",
        DropReason.RowsDeadlinePassed => "the deadline passed while the read went through rows, of which some are not "
            + "in memory; ask for less at a time (SCAN, a smaller range), or give it longer (--request-deadline-ms)",
        DropReason.DeadlinePassedUnlogged => "the deadline passed before anything was written; send it again",
        DropReason.SessionLost =>
            "a write that this session has seen was lost with its leader; the session begins anew with the next read",
        DropReason.SessionTooOld =>
            "what this session has seen is too old to be judged; the session begins anew with the next read",
        DropReason.SessionExpired =>
            "the request session is no longer remembered, nothing was done now; begin a new one with CLIENT SESSION "
            + "and read back what the old one wrote last",
        DropReason.RequestForgotten =>
            "this request number was used before and its reply is no longer remembered, nothing was done now",
        DropReason.MemoryIsFull =>
            "the memory of the partition's leader (--memory) is full of rows that are not on disk yet, and of indexes "
            + "and filters, which stay as long as their files; nothing was written; try again later, and if that does "
            + "not help give the node more memory",
        DropReason.KeyspaceDropped =>
            "the keyspace was dropped, nothing was done; choose another one with KEYSPACE USE",
        DropReason.SpaceIsLow => "the disk of the partition's leader is full, nothing was written; free space there, "
            + "reads and deletes of whole keyspaces still work",
        _ => $"nothing was done ({reason})",
    };
}
