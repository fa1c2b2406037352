using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Partitions;

/// <summary>
/// Names a request of a client that may send it more than once: the session, the number within it, and up to which
/// number the client has seen all replies (they need not be remembered any longer).
/// </summary>
/// <param name="Session">
/// Given by the server. It carries the hybrid time of its making, so that one which was evicted is known as such.
/// </param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SessionRequest(ulong Session, ulong Number, ulong Acknowledged);

/// <summary>Commands for one partition, to be answered together.</summary>
public sealed record PartitionRequest
{
    public required RequestId Id { get; init; }

    /// <summary>One command, or several that take effect together (MULTI, a batch over HTTP): all or none
    /// seen.</summary>
    public required CommandLine[] Lines { get; init; }

    /// <summary>Several commands of which one's error does not hinder the others (a transaction's rule).</summary>
    public bool IsBatch { get; init; }

    public WriteLevel WriteLevel { get; init; } = WriteLevel.Majority;

    public ReadLevel ReadLevel { get; init; } = ReadLevel.Linearizable;

    /// <summary>Reads at level `session`: what the client has seen.</summary>
    public ReadToken Token { get; init; }

    /// <summary>On the node's monotonic clock; after it the outcome is unknown, or refused when nothing was
    /// logged.</summary>
    public Instant Deadline { get; init; } = Instant.Never;

    /// <summary>Null for a client that does not number its requests.</summary>
    public SessionRequest? Session { get; init; }
}

/// <summary>The answer to a <see cref="PartitionRequest"/>; each gets exactly one.</summary>
/// <param name="Outcome">Done, surely not executed, or unknown.</param>
/// <param name="Reason">Why it was not done; counts only when it was not.</param>
/// <param name="LeaderHint">Who may lead, when it was not done.</param>
/// <param name="Token">Done: what the client has seen, for its session.</param>
/// <param name="Version">Done, and something was written: the version of the last write.</param>
/// <param name="Reply">Done: RESP3; for a batch an array with a reply for each command.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct PartitionReply(
    RequestId Request,
    Outcome Outcome,
    DropReason Reason,
    ReplicaId LeaderHint,
    ReadToken Token,
    RowVersion Version,
    ReadOnlyMemory<byte> Reply)
{
    /// <summary>The term of the entry that has the version; zero when it is not known.</summary>
    public Term VersionTerm { get; init; }

    /// <summary>Done, and something was written: the version to hand to the client.</summary>
    public ValueVersion ValueVersion => new(VersionTerm, Version);
}
