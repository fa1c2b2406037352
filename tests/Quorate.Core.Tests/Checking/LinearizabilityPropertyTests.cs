using FsCheck;
using FsCheck.Fluent;
using Quorate.Core.Checking;
using Outcome = Quorate.Core.Raft.Outcome;

namespace Quorate.Core.Tests.Checking;

/// <summary>The checker against the definition, on histories small enough for it.</summary>
public sealed class LinearizabilityPropertyTests
{
    private static readonly Config Many =
        Config.QuickThrowOnFailure.WithMaxTest(4000).WithReplay(20_260_101UL, 4_711UL);

    [Fact]
    public void Arbitrary_histories_get_the_verdict_of_brute_force() =>
        Check.One(Many, Prop.ForAll(Histories.Arbitrary(operationsMax: 6, keys: 1), Agrees));

    [Fact]
    public void Arbitrary_histories_of_two_keys_get_the_verdict_of_brute_force() =>
        Check.One(Many, Prop.ForAll(Histories.Arbitrary(operationsMax: 7, keys: 2), Agrees));

    [Fact]
    public void Recordings_of_a_correct_register_are_linearizable() => Check.One(Many, Prop.ForAll(
        Histories.Linearizable(operationsMax: 6),
        history => Verdicts.Of(history) == Verdict.Linearizable && BruteForce.IsLinearizable(history)));

    [Fact]
    public void Recordings_with_one_reply_changed_get_the_verdict_of_brute_force() => Check.One(Many, Prop.ForAll(
        Histories.Linearizable(operationsMax: 6),
        history => Mutations(history).All(Agrees)));

    [Fact]
    public void Recordings_with_a_reply_lost_or_refused_get_the_verdict_of_brute_force() => Check.One(Many, Prop.ForAll(
        Histories.Linearizable(operationsMax: 6),
        history => Enumerable.Range(0, history.Length).All(i =>
            Agrees(With(history, i, history[i].AsUnknown())) && Agrees(With(history, i, history[i].AsRefused())))));

    [Fact]
    public void Histories_full_of_unknown_operations_get_the_verdict_of_brute_force() => Check.One(Many, Prop.ForAll(
        Histories.Arbitrary(operationsMax: 7, keys: 1),
        history => Agrees(
            [.. history.Select((o, i) => i % 3 != 0 && o.Kind != OperationKind.Read ? o.AsUnknown() : o)])));

    [Fact]
    public void A_violation_stays_one_when_the_history_goes_on() => Check.One(Many, Prop.ForAll(
        Histories.Arbitrary(operationsMax: 5, keys: 1),
        history => Verdicts.Of(history) != Verdict.Violated
            || Verdicts.Of([.. history, .. Later]) == Verdict.Violated));

    private static Operation[] Later => [Operation.Write(9, 1, 3, 100, 101), Operation.Read(9, 1, 3, 102, 103)];

    private static bool Agrees(Operation[] history) =>
        Verdicts.Of(history) == (BruteForce.IsLinearizable(history) ? Verdict.Linearizable : Verdict.Violated);

    private static Operation[] With(Operation[] history, int place, Operation operation)
    {
        Operation[] changed = [.. history];
        changed[place] = operation;
        return changed;
    }

    private static IEnumerable<Operation[]> Mutations(Operation[] history)
    {
        for (int i = 0; i < history.Length; i++)
        {
            if (history[i].Outcome == Outcome.Done && history[i].Kind != OperationKind.Write)
            {
                long result = history[i].Result;
                bool flips = history[i].Kind == OperationKind.CompareAndSet;
                yield return With(history, i, history[i] with { Result = flips ? 1 - result : result + 1 });
                yield return With(history, i, history[i] with { Result = flips ? 1 - result : 0 });
            }
        }
    }
}
