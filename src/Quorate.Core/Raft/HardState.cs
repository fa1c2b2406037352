using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// What a replica must never forget (Raft, figure 2, persistent state): its term and its vote in that term. The
/// commit index rides along as a hint that saves work after a restart; losing it loses nothing.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct HardState(Term Term, ReplicaId Vote, LogIndex Commit)
{
    public override string ToString() => $"term {Term} vote {Vote} commit {Commit}";
}

/// <summary>
/// What a snapshot stands for: the state after applying <paramref name="Index"/>, the term of that entry, the
/// membership that was in force there (not a newer one: pitfall R18) and where each term began, so that session
/// tokens older than the snapshot can still be judged.
/// </summary>
public sealed record SnapshotMeta(
    LogIndex Index,
    Term Term,
    LogIndex MembershipIndex,
    Membership Membership,
    TermStart[] TermStarts)
{
    public override string ToString() => $"snapshot {Index}@{Term} {Membership}";
}

/// <summary>The first index of a term in a log.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TermStart(Term Term, LogIndex First);

/// <summary>A membership and the index of the entry that set it.</summary>
public readonly record struct MembershipAt(LogIndex Index, Membership Membership);

/// <summary>
/// What a replica finds on its disk when it starts. Everything in it must already be durable (pitfall R28).
/// </summary>
public sealed class RecoveredState
{
    public HardState HardState { get; init; }

    /// <summary>The checkpoint that the state machine was loaded from; null before the first.</summary>
    public SnapshotMeta? Checkpoint { get; init; }

    /// <summary>The entry before the first one that the log still holds: its index and term.</summary>
    public LogIndex LogBase { get; init; }

    public Term LogBaseTerm { get; init; }

    /// <summary>The last entry's index; equal to <see cref="LogBase"/> when the log is empty.</summary>
    public LogIndex LastIndex { get; init; }

    /// <summary>Where the terms in (LogBase, LastIndex] begin, ascending.</summary>
    public TermStart[] TermStarts { get; init; } = [];

    /// <summary>The memberships in (LogBase, LastIndex], ascending.</summary>
    public MembershipAt[] Memberships { get; init; } = [];

    /// <summary>
    /// The membership before any entry, for a group that is created with all its first replicas at once; all of
    /// them must be given the same. Null for a replica that will learn it from a leader.
    /// </summary>
    public Membership? Bootstrap { get; init; }
}
