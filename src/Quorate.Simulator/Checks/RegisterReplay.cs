using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>The model of groups of numbered registers: an entry is one attempt's batch.</summary>
internal sealed class RegisterReplay(List<Attempt> attempts) : IGroupModel
{
    private readonly RegisterStore _store = new();

    public ulong? StateHash => _store.StateHash;

    public void Apply(Entry entry, CommittedHistory history)
    {
        ReadOnlyMemory<byte> results = _store.Apply(entry, resultWanted: true);
        if (entry.Kind != EntryKind.Data)
        {
            return;
        }

        ReadOnlySpan<byte> batch = entry.Payload.Span;
        for (int i = 0; i < CommandBatch.Count(batch); i++)
        {
            Command command = CommandBatch.CommandAt(batch, i);
            CommandResult result = CommandBatch.ResultAt(results.Span, i);
            if (command.Kind == OperationKind.Add)
            {
                history.Write(command.Key, result.Result);
            }
            else if (command.Kind == OperationKind.Write || result.Result != 0)
            {
                history.Write(command.Key, command.Argument);
            }
        }

        Attempt attempt = attempts[(int)CommandBatch.Attempt(batch) - 1];
        Settle(attempt, entry);
        attempt.TrueResult = results;
    }

    public Attempt? ExecutedFor(Attempt attempt) => attempt.CommittedAt == LogIndex.Zero ? null : attempt;

    public string? ResultDiffers(Attempt attempt, Attempt executed) =>
        attempt.Answer!.Result.Span.SequenceEqual(executed.TrueResult.Span)
            ? null
            : "is given another result than its entry has";

    /// <summary>An attempt is found in a committed entry: for the first time, and it was not refused.</summary>
    public static void Settle(Attempt attempt, Entry entry)
    {
        if (attempt.CommittedAt != LogIndex.Zero)
        {
            RunClaims.Break(
                RunClaims.ExecutedTwice, $"{attempt} was committed at {attempt.CommittedAt} and at {entry}");
        }

        if (attempt.Answer is { Outcome: Outcome.Refused } refused)
        {
            RunClaims.Break(
                RunClaims.RefusedExecuted, $"{attempt} was refused ({refused.Reason}) and then committed at {entry}");
        }

        attempt.CommittedAt = entry.Index;
    }
}
