using System.Globalization;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>
/// Turns the bare "no order explains this key" into something that a person can act on. Linearizability is closed
/// under prefixes (Herlihy and Wing, section 3.1), so there is a first reply with which the history stops being
/// linearizable; it is found by bisection, replies that came later counting as never seen. The report names that
/// operation, shows an order that explains everything answered before it, and what else was under way.
/// </summary>
internal sealed class ViolationReport(IKeyModel model, KeyProblem problem, LinearizationSearch search, long stepsMax)
{
    private const int LinesMax = 12;

    private readonly List<string> _lines = [];

    /// <summary>Explains one key's history, sorted by time of invocation, which is known to be violated.</summary>
    public BrokenClaim Explain(ReadOnlySpan<Operation> operations)
    {
        int[] replies = RepliesInOrder(operations);
        int good = 0;
        int bad = replies.Length;
        while (bad - good > 1)
        {
            int middle = good + ((bad - good) / 2);
            bool violated = Decide(Known(operations, replies.AsSpan(0, middle)), out _) == Verdict.Violated;
            (good, bad) = violated ? (good, middle) : (middle, bad);
        }

        Invariant.Check(bad > 0, "a history without replies is linearizable");
        Operation culprit = operations[replies[bad - 1]];
        Operation[] failing = Known(operations, replies.AsSpan(0, bad));
        AddOrder(operations, replies.AsSpan(0, bad - 1));
        _lines.Add($"cannot be placed: {culprit}");
        AddUnderWay(operations, replies.AsSpan(0, bad));
        AddMakers(operations, culprit);
        string? refused = FindRefused(operations, failing, culprit);
        string key = Text($"key {culprit.Key}");
        return refused is not null
            ? new(Claims.RefusedWriteSeen, $"{key}: {culprit} is explained only by the refused {refused}", [.. _lines])
            : new(Claims.Linearizability, $"{key}: {culprit} fits no order with {Before(bad - 1)}", [.. _lines]);
    }

    private static int[] RepliesInOrder(ReadOnlySpan<Operation> operations)
    {
        var replies = new List<(long Returned, int Place)>();
        for (int i = 0; i < operations.Length; i++)
        {
            if (operations[i].Outcome == Outcome.Done)
            {
                replies.Add((operations[i].Returned, i));
            }
        }

        replies.Sort();
        return [.. replies.Select(reply => reply.Place)];
    }

    /// <summary>The history in which only these replies have come.</summary>
    private static Operation[] Known(ReadOnlySpan<Operation> operations, ReadOnlySpan<int> replies)
    {
        Operation[] known = new Operation[operations.Length];
        for (int i = 0; i < known.Length; i++)
        {
            known[i] = operations[i].Outcome == Outcome.Done ? operations[i].AsUnknown() : operations[i];
        }

        foreach (int place in replies)
        {
            known[place] = operations[place];
        }

        return known;
    }

    private static string Before(int replies) => Text($"the {replies} replies before it");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private Verdict Decide(ReadOnlySpan<Operation> operations, out int[] path)
    {
        problem.Load(operations, model);
        Verdict verdict = search.Run(problem, stepsMax);
        path = new int[verdict == Verdict.Linearizable ? search.PathLength : 0];
        for (int place = 0; place < path.Length; place++)
        {
            path[place] = search.PathAt(place);
        }

        return verdict;
    }

    private void AddOrder(ReadOnlySpan<Operation> operations, ReadOnlySpan<int> replies)
    {
        Operation[] known = Known(operations, replies);
        if (Decide(known, out int[] path) != Verdict.Linearizable)
        {
            _lines.Add($"{Before(replies.Length)} took too many steps to put in an order");
            return;
        }

        long state = model.Initial;
        int shown = Math.Max(0, path.Length - LinesMax);
        string before = Before(replies.Length);
        _lines.Add(Text($"an order that explains {before}, the last {path.Length - shown} of {path.Length}:"));
        for (int place = 0; place < path.Length; place++)
        {
            state = model.TransitionOf(known[path[place]]).From(state);
            if (place >= shown)
            {
                _lines.Add(Text($"  {known[path[place]]}; then the value is {state}"));
            }
        }
    }

    private void AddUnderWay(ReadOnlySpan<Operation> operations, ReadOnlySpan<int> replies)
    {
        long until = operations[replies[^1]].Returned;
        var answered = new HashSet<int>(replies.ToArray());
        int count = 0;
        for (int i = 0; i < operations.Length; i++)
        {
            bool underWay = operations[i].Invoked <= until && !answered.Contains(i);
            if (underWay && operations[i].Outcome != Outcome.Refused && ++count <= LinesMax)
            {
                _lines.Add($"not answered by then: {operations[i]}");
            }
        }

        if (count > LinesMax)
        {
            _lines.Add(Text($"not answered by then: {count - LinesMax} more"));
        }
    }

    private void AddMakers(ReadOnlySpan<Operation> operations, in Operation culprit)
    {
        Transition needs = model.TransitionOf(culprit);
        if (needs.Guard != Guard.When || needs.GuardValue == model.Initial)
        {
            return;
        }

        int count = 0;
        foreach (ref readonly Operation operation in operations)
        {
            Transition transition = model.TransitionOf(operation);
            bool makes = transition.Effect == Effect.Sets && transition.EffectValue == needs.GuardValue;
            if (makes && operation != culprit && ++count <= LinesMax)
            {
                _lines.Add(Text($"makes the value {needs.GuardValue}: {operation}"));
            }
        }

        if (count == 0)
        {
            _lines.Add(Text($"nothing names the value {needs.GuardValue} as its result"));
        }
    }

    /// <summary>
    /// A refused operation with which the history can be explained (without any it cannot), or null. Of several
    /// in the explanation, the one that makes what the culprit saw, else the last.
    /// </summary>
    private string? FindRefused(ReadOnlySpan<Operation> operations, Operation[] failing, in Operation culprit)
    {
        for (int i = 0; i < failing.Length; i++)
        {
            failing[i] = operations[i].Outcome == Outcome.Refused ? operations[i].AsUnknown() : failing[i];
        }

        Decide(failing, out int[] path);
        Transition needs = model.TransitionOf(culprit);
        string? found = null;
        foreach (int place in path)
        {
            if (operations[place].Outcome == Outcome.Refused)
            {
                found = operations[place].ToString();
                Transition refused = model.TransitionOf(operations[place]);
                bool makes = refused.Effect == Effect.Sets && refused.EffectValue == needs.GuardValue;
                if (needs.Guard == Guard.When && makes)
                {
                    break;
                }
            }
        }

        return found;
    }
}
