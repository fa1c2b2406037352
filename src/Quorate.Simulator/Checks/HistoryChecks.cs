using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>What the check of all key histories came to.</summary>
internal readonly record struct HistoryFigures(int Keys, int Undecided, int Operations);

/// <summary>
/// Turns the attempts of a run into histories and has the checkers judge them, when the run is over.
/// <para>
/// A write whose answer was not seen and that was never committed has no effect that anyone may have seen; it
/// counts as refused, so a read that saw it has nothing to explain it. A write acknowledged at level `leader` and
/// lost with its leader likewise; one that was committed counts as done when it was acknowledged, since
/// linearizable reads cover it from then on.
/// </para>
/// </summary>
internal static class HistoryChecks
{
    /// <summary>A key that no client uses.</summary>
    private const long NoKey = -1;

    /// <summary>Steps of the search for one key before it counts as undecided.</summary>
    private const long StepsMax = 1_000_000;

    public static HistoryFigures Check(IReadOnlyList<Attempt> attempts, IReadOnlyList<GroupChecks> groups)
    {
        var figures = new HistoryFigures(0, 0, 0);
        var checker = new LinearizabilityChecker(StepsMax);
        for (int group = 0; group < groups.Count; group++)
        {
            CheckAcknowledged(attempts, groups[group], group);
            var values = groups[group].Model as ValueReplay;
            LinearizabilityResult result = checker.Check(values is null
                ? [.. Operations(attempts, group)]
                : [.. ValueHistories.Operations(attempts, group, values)]);
            if (result.FirstBroken is { } broken)
            {
                throw new ClaimBrokenException(Named(broken, group));
            }

            SessionOperation[] sessions = values is null
                ? [.. Sessions(attempts, group)]
                : [.. ValueHistories.Sessions(attempts, group, values)];
            if (new SessionChecker(groups[group].Committed.History).Check(sessions) is [var first, ..])
            {
                throw new ClaimBrokenException(Named(first, group));
            }

            foreach (KeyVerdict key in result.Keys)
            {
                figures = new HistoryFigures(
                    figures.Keys + 1,
                    figures.Undecided + (key.Verdict == Verdict.Undecided ? 1 : 0),
                    figures.Operations + key.Operations);
            }
        }

        return figures;
    }

    /// <summary>The linearizable part of a group's history.</summary>
    public static IEnumerable<Operation> Operations(IReadOnlyList<Attempt> attempts, int group)
    {
        foreach (Attempt attempt in attempts)
        {
            if (attempt.Group != group || (!attempt.IsWrite && attempt.ReadLevel != ReadLevel.Linearizable))
            {
                continue;
            }

            for (int i = 0; i < attempt.Commands.Length; i++)
            {
                yield return OperationOf(attempt, i);
            }
        }
    }

    /// <summary>The sessions' part of a group's history.</summary>
    public static IEnumerable<SessionOperation> Sessions(IReadOnlyList<Attempt> attempts, int group)
    {
        foreach (Attempt attempt in attempts)
        {
            if (attempt.Group != group || attempt.Returned is not { } returned)
            {
                continue;
            }

            Answer answer = attempt.Answer!;
            bool lost = answer.Reason == DropReason.SessionLost && answer.Outcome == Outcome.Refused;
            for (int i = 0; i < attempt.Commands.Length; i++)
            {
                Command command = attempt.Commands[i];
                if (answer.Outcome == Outcome.Done && attempt.IsWrite)
                {
                    // What wrote nothing still brought a token: as good as an eventual read of a key that never was.
                    yield return Written(attempt, i) is not { } value
                        ? SessionOperation.Read(
                            attempt.Session,
                            NoKey,
                            ReadLevel.Eventual,
                            0,
                            LogIndex.Zero,
                            answer.Token,
                            attempt.Invoked,
                            returned)
                        : SessionOperation.Write(
                            attempt.Session, command.Key, value, answer.Token, attempt.Invoked, returned);
                }
                else if (answer.Outcome == Outcome.Done && !attempt.IsWrite)
                {
                    CommandResult result = CommandBatch.ResultAt(answer.Result.Span, i);
                    yield return SessionOperation.Read(
                        attempt.Session,
                        command.Key,
                        attempt.ReadLevel,
                        result.Result,
                        new LogIndex(result.Version),
                        answer.Token,
                        attempt.Invoked,
                        returned);
                }
                else if (lost && i == 0)
                {
                    yield return SessionOperation.Lost(attempt.Session, command.Key, attempt.Invoked, returned);
                }
            }
        }
    }

    /// <summary>What was acknowledged at level `leader` is lost only together with the leadership.</summary>
    private static void CheckAcknowledged(IReadOnlyList<Attempt> attempts, GroupChecks checks, int group)
    {
        foreach (Attempt attempt in attempts)
        {
            if (attempt.Group != group || !attempt.IsWrite || attempt.Answer is not { Outcome: Outcome.Done } answer)
            {
                continue;
            }

            Term committed = checks.Committed.TermAt(answer.Token.Index.Value);
            bool mayBeLost = attempt.WriteLevel.Kind == WriteLevelKind.Leader && checks.LastElected > answer.Token.Term;
            if (committed != answer.Token.Term && !mayBeLost)
            {
                RunClaims.Break(
                    RunClaims.AcknowledgedDurability,
                    $"{attempt} was acknowledged at {answer.Token}; in the end an entry of term {committed} is there");
            }
        }
    }

    private static Operation OperationOf(Attempt attempt, int number)
    {
        Command command = attempt.Commands[number];
        var operation = new Operation
        {
            Client = attempt.Client,
            Key = command.Key,
            Kind = command.Kind,
            Argument = command.Argument,
            Expected = command.Expected,
            Outcome = Outcome.Done,
            Invoked = attempt.Invoked,
            Returned = attempt.Returned ?? long.MaxValue,
        };
        if (attempt.Seen(Outcome.Refused))
        {
            return operation.AsRefused();
        }

        if (attempt.IsWrite && attempt.CommittedAt == LogIndex.Zero)
        {
            return operation.AsRefused();
        }

        if (!attempt.Seen(Outcome.Done))
        {
            return operation.AsUnknown();
        }

        // Acknowledged before it was applied: its place in the log, which is decided, says what it came to.
        ReadOnlyMemory<byte> result = attempt.Answer!.Result.IsEmpty ? attempt.TrueResult : attempt.Answer.Result;
        return operation with { Result = CommandBatch.ResultAt(result.Span, number).Result };
    }

    /// <summary>The value that a done command wrote; null when it wrote none.</summary>
    private static long? Written(Attempt attempt, int number)
    {
        Command command = attempt.Commands[number];
        if (command.Kind == OperationKind.Write)
        {
            return command.Argument;
        }

        ReadOnlySpan<byte> results = attempt.Answer!.Result.IsEmpty
            ? attempt.TrueResult.Span
            : attempt.Answer.Result.Span;
        if (results.IsEmpty)
        {
            // Acknowledged at level `leader` and lost: what it would have written was never there.
            return command.Argument;
        }

        long result = CommandBatch.ResultAt(results, number).Result;
        return command.Kind == OperationKind.Add ? result : result != 0 ? command.Argument : null;
    }

    private static BrokenClaim Named(BrokenClaim broken, int group) =>
        new(broken.Claim, $"group {group + 1}: {broken.Text}", broken.Details);
}
