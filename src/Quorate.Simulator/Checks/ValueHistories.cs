using System.Globalization;
using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Model;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Turns the attempts of a group of typed values into histories for the checkers: registers and counters key by key,
/// and for sessions everything else as reads and writes of the log itself, a key that every entry writes.
/// <para>Attempts that repeat one numbered request are one operation: it began with the first of them and ended with
/// the first answer that arrived.</para>
/// </summary>
internal static class ValueHistories
{
    /// <summary>The key that every entry writes, with its own index.</summary>
    public const long LogKey = -2;

    /// <summary>A register's value from what GET answers; an absent one is zero.</summary>
    public static long ValueOf(string? text) =>
        text is null ? 0 : long.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>The linearizable part of a group's history.</summary>
    public static IEnumerable<Operation> Operations(IReadOnlyList<Attempt> attempts, int group, ValueReplay model)
    {
        foreach (Operation eviction in model.Evictions.Operations)
        {
            yield return eviction;
        }

        foreach (List<Attempt> request in Requests(attempts, group))
        {
            Attempt first = request[0];
            if (!first.IsWrite && first.ReadLevel != ReadLevel.Linearizable)
            {
                continue;
            }

            ValueRequest values = first.Values!;
            if (values.Register is { } use)
            {
                yield return OperationOf(request, use, model);
            }

            foreach (long key in values.IsClear ? ValueKeys.RegisterNumbers : [])
            {
                yield return OperationOf(request, new RegisterUse(OperationKind.Write, key, 0, 0), model);
            }
        }
    }

    /// <summary>The sessions' part of a group's history.</summary>
    public static IEnumerable<SessionOperation> Sessions(
        IReadOnlyList<Attempt> attempts, int group, ValueReplay model)
    {
        foreach (Attempt attempt in attempts)
        {
            if (attempt.Group != group || attempt.Returned is not { } returned)
            {
                continue;
            }

            Answer answer = attempt.Answer!;
            if (answer.Outcome == Outcome.Done)
            {
                yield return attempt.IsWrite
                    ? Write(attempt, answer, returned)
                    : Read(attempt, answer, returned, model);
            }
            else if (answer is { Reason: DropReason.SessionLost, Outcome: Outcome.Refused })
            {
                yield return SessionOperation.Lost(attempt.Session, LogKey, attempt.Invoked, returned);
            }
        }
    }

    private static SessionOperation Read(Attempt attempt, Answer answer, long returned, ValueReplay model)
    {
        LogIndex index = answer.Token.Index;
        SessionOperation read = SessionOperation.Read(
            attempt.Session,
            LogKey,
            attempt.ReadLevel,
            (long)index.Value,
            index,
            answer.Token,
            attempt.Invoked,
            returned);
        return attempt.Values!.Register is not { } use ? read : read with
        {
            Key = use.Key,
            Value = Result(use, ValueRequest.Text(answer.Result.Span)),
            Version = model.VersionAt(attempt.Values.Lines[0][1], index),
        };
    }

    private static SessionOperation Write(Attempt attempt, Answer answer, long returned)
    {
        LogIndex index = answer.Token.Index;
        bool wroteHere = attempt.CommittedAt == index
            && !attempt.WasFull
            && attempt.Values!.Register is { } use
            && (use.Kind != OperationKind.CompareAndSet || Result(use, ValueRequest.Text(answer.Result.Span)) != 0);
        (long key, long value) = !wroteHere
            ? (LogKey, (long)index.Value)
            : attempt.Values!.Register is { Kind: OperationKind.Add } add
                ? (add.Key, Result(add, ValueRequest.Text(answer.Result.Span)))
                : (attempt.Values.Register!.Value.Key, attempt.Values.Register.Value.Argument);
        return SessionOperation.Write(attempt.Session, key, value, answer.Token, attempt.Invoked, returned);
    }

    /// <summary>The attempts that belong together, in the order in which the first of each was made.</summary>
    private static IEnumerable<List<Attempt>> Requests(IReadOnlyList<Attempt> attempts, int group)
    {
        var numbered = new Dictionary<(ulong, ulong), List<Attempt>>();
        List<List<Attempt>> requests = [];
        foreach (Attempt attempt in attempts)
        {
            if (attempt.Group != group)
            {
                continue;
            }

            if (attempt.Numbered is { } number)
            {
                if (numbered.TryGetValue((number.Session, number.Number), out List<Attempt>? before))
                {
                    before.Add(attempt);
                    continue;
                }

                numbered.Add((number.Session, number.Number), [attempt]);
                requests.Add(numbered[(number.Session, number.Number)]);
            }
            else
            {
                requests.Add([attempt]);
            }
        }

        return requests;
    }

    private static Operation OperationOf(List<Attempt> request, in RegisterUse use, ValueReplay model)
    {
        Attempt first = request[0];
        Attempt? answered = request.Find(attempt => attempt.Seen(Outcome.Done) && !attempt.WasFull);
        var operation = new Operation
        {
            Client = first.Client,
            Key = use.Key,
            Kind = use.Kind,
            Argument = use.Argument,
            Expected = use.Expected,
            Outcome = Outcome.Done,
            Invoked = first.Invoked,
            Returned = answered?.Returned ?? long.MaxValue,
        };
        bool hadEffect = first.IsWrite
            ? request.Exists(attempt => model.ExecutedFor(attempt) is { WasFull: false, WasForgotten: false })
            : !request.TrueForAll(attempt => attempt.Seen(Outcome.Refused));
        if (!hadEffect)
        {
            return operation.AsRefused();
        }

        return answered is null
            ? operation.AsUnknown()
            : operation with { Result = Result(use, ValueRequest.Text(answered.Answer!.Result.Span)) };
    }

    /// <summary>As <see cref="Operation.Result"/> says.</summary>
    private static long Result(in RegisterUse use, string reply) => use.Kind switch
    {
        OperationKind.Write => 0,
        OperationKind.CompareAndSet => reply.StartsWith('$') ? 1 : 0,
        OperationKind.Add => ValueOf(reply[1..^2]),
        _ => ValueOf(ModelReply.Parts(reply) is [var value, ..]
            ? ModelReply.BulkText(value)
            : ModelReply.BulkText(reply)),
    };
}
