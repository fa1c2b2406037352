using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;

namespace Quorate.Simulator.Workload;

/// <summary>
/// One attempt of a client at one operation: what it asked of whom, what it was told, and what became of it.
/// <para>Times are true time in microseconds. What the client saw and what truly happened are kept apart.</para>
/// </summary>
internal sealed class Attempt
{
    /// <summary>Unique in the run; a write's entry carries it. From one.</summary>
    public required ulong Id { get; init; }

    public required int Client { get; init; }

    public required int Group { get; init; }

    /// <summary>The client's session on the group; a new one when the former could not be judged any more.</summary>
    public required long Session { get; init; }

    public required bool IsWrite { get; init; }

    public required Command[] Commands { get; init; }

    /// <summary>The entry's bytes, or the query's.</summary>
    public required byte[] Batch { get; init; }

    /// <summary>What is asked, in groups of typed values; <see cref="Commands"/> is empty then.</summary>
    public ValueRequest? Values { get; init; }

    /// <summary>The request's number in its session; null when it has none.</summary>
    public SessionRequest? Numbered { get; init; }

    public WriteLevel WriteLevel { get; init; }

    public ReadLevel ReadLevel { get; init; }

    /// <summary>Session reads: what the client's session has seen.</summary>
    public ReadToken Token { get; init; }

    public required long Invoked { get; init; }

    public required long Deadline { get; init; }

    /// <summary>The node asked, from zero.</summary>
    public required int Node { get; init; }

    /// <summary>Asked after the faults, to show that the group serves again.</summary>
    public bool IsFinal { get; init; }

    /// <summary>What the node answered, whether or not the answer arrived.</summary>
    public Answer? Answer { get; set; }

    /// <summary>When the answer arrived at the client; null when it did not.</summary>
    public long? Returned { get; set; }

    /// <summary>Where the write was committed; zero when it was not.</summary>
    public LogIndex CommittedAt { get; set; }

    /// <summary>A committed write: the results of its commands, or its reply, in the committed order.</summary>
    public ReadOnlyMemory<byte> TrueResult { get; set; }

    /// <summary>It was answered that the cache is full: it did nothing, though it has a place in the log.</summary>
    public bool WasFull => Values is not null
        && ValueRequest.Text((TrueResult.IsEmpty && Answer is { } answer ? answer.Result : TrueResult).Span)
            .StartsWith(ValueRequest.FullError, StringComparison.Ordinal);

    /// <summary>
    /// A compare-and-set that had the right version, whose term the leader had forgotten: it did nothing.
    /// </summary>
    public bool WasForgotten { get; set; }

    /// <summary>True when the client holds an answer.</summary>
    public bool Seen(Outcome outcome) => Returned is not null && Answer!.Outcome == outcome;

    public override string ToString() =>
        $"attempt {Id} of client {Client} on group {Group + 1}, "
            + $"{(IsWrite ? $"write {WriteLevel}" : $"read {ReadLevel}")}"
            + (Values is null ? "" : $" {Values}")
            + (Numbered is { } numbered ? $" (number {numbered.Number} of session {numbered.Session:x})" : "");
}

/// <summary>What a node answered to an attempt.</summary>
/// <param name="At">True time.</param>
/// <param name="Hint">Who may lead, when the attempt was refused for that.</param>
internal sealed record Answer(
    Outcome Outcome, DropReason Reason, ReplicaId Hint, ReadToken Token, ReadOnlyMemory<byte> Result, long At);
