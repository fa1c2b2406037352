using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>What a checker found.</summary>
public enum Verdict
{
    /// <summary>Some order explains the history.</summary>
    Linearizable = 0,

    /// <summary>No order does.</summary>
    Violated = 1,

    /// <summary>The limit on search steps was reached first; this is not a pass.</summary>
    Undecided = 2,
}

/// <summary>The verdict on one key.</summary>
/// <param name="Operations">How many operations the key's history holds.</param>
/// <param name="Steps">How many steps the search looked at: what the limit counts.</param>
/// <param name="Broken">The claim that is broken, when one is.</param>
public readonly record struct KeyVerdict(long Key, Verdict Verdict, int Operations, long Steps, BrokenClaim? Broken);

/// <summary>
/// The verdicts on a history.
/// <para>Invariants: keys ascend; the verdict is Violated if any key's is, else Undecided if any key's is.</para>
/// </summary>
public sealed class LinearizabilityResult
{
    private readonly KeyVerdict[] _keys;

    internal LinearizabilityResult(KeyVerdict[] keys)
    {
        _keys = keys;
        foreach (KeyVerdict key in keys)
        {
            Steps += key.Steps;
            bool worse = key.Verdict == Verdict.Violated || Verdict == Verdict.Linearizable;
            Verdict = worse ? key.Verdict : Verdict;
            FirstBroken ??= key.Broken;
        }
    }

    public Verdict Verdict { get; }

    public ReadOnlySpan<KeyVerdict> Keys => _keys;

    /// <summary>The broken claim of the lowest key that has one.</summary>
    public BrokenClaim? FirstBroken { get; }

    public long Steps { get; }
}

/// <summary>
/// Decides whether a history is linearizable (Herlihy and Wing): whether each operation can be given one moment
/// between its invocation and its return, at which it takes effect, so that every reply is right. Linearizability
/// is local (their theorem 1), so each key is judged by itself. An operation of unknown outcome may take effect at
/// any time after its invocation or never; a refused one never does. Two operations of which one returned at the
/// very time the other was invoked count as overlapping: the clock cannot tell them apart.
/// <para>Invariants: the same history gives the same result; a key is called linearizable or violated only when
/// that is certain. One instance serves one caller at a time and reuses its buffers from call to call.</para>
/// </summary>
public sealed class LinearizabilityChecker
{
    /// <summary>The default limit on search steps for one key: about a second, and at most some 100 MB.</summary>
    public const long DefaultStepsMax = 10_000_000;

    private readonly long _stepsMax;
    private readonly IKeyModel _model;
    private readonly KeyProblem _problem = new();
    private readonly LinearizationSearch _search = new();

    public LinearizabilityChecker()
        : this(DefaultStepsMax)
    {
    }

    public LinearizabilityChecker(long stepsMax)
        : this(stepsMax, new RegisterModel())
    {
    }

    public LinearizabilityChecker(long stepsMax, IKeyModel model)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stepsMax);
        _stepsMax = stepsMax;
        _model = model;
    }

    /// <summary>Judges a history, its operations in any order.</summary>
    /// <exception cref="ArgumentException">A done operation returned before it was invoked.</exception>
    public LinearizabilityResult Check(ReadOnlySpan<Operation> history)
    {
        (long Key, long Invoked, int Place)[] order = new (long, long, int)[history.Length];
        for (int i = 0; i < history.Length; i++)
        {
            if (history[i].Outcome == Outcome.Done && history[i].Returned < history[i].Invoked)
            {
                throw new ArgumentException($"returned before it was invoked: {history[i]}", nameof(history));
            }

            order[i] = (history[i].Key, history[i].Invoked, i);
        }

        Array.Sort(order);
        Operation[] sorted = new Operation[history.Length];
        for (int i = 0; i < sorted.Length; i++)
        {
            sorted[i] = history[order[i].Place];
        }

        var verdicts = new List<KeyVerdict>();
        for (int start = 0, end; start < sorted.Length; start = end)
        {
            end = start + 1;
            while (end < sorted.Length && sorted[end].Key == sorted[start].Key)
            {
                end++;
            }

            verdicts.Add(CheckKey(sorted.AsSpan(start..end)));
        }

        return new([.. verdicts]);
    }

    private KeyVerdict CheckKey(ReadOnlySpan<Operation> operations)
    {
        _problem.Load(operations, _model);
        Verdict verdict = _search.Run(_problem, _stepsMax);
        long steps = _search.Steps;
        BrokenClaim? broken = verdict == Verdict.Violated
            ? new ViolationReport(_model, _problem, _search, _stepsMax).Explain(operations)
            : null;
        return new(operations[0].Key, verdict, operations.Length, steps, broken);
    }
}
