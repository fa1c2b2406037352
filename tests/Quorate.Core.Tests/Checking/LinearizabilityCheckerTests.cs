using Quorate.Core.Checking;

namespace Quorate.Core.Tests.Checking;

/// <summary>Known histories, one claim each; H and W are Herlihy and Wing's examples told on a register.</summary>
public sealed class LinearizabilityCheckerTests
{
    private const long Key = 7;

    [Fact]
    public void A_history_without_operations_is_linearizable() => Assert.Equal(Verdict.Linearizable, Verdicts.Of());

    [Fact]
    public void A_key_that_was_never_written_reads_as_absent() =>
        Assert.Equal(Verdict.Linearizable, Verdicts.Of(Operation.Read(1, Key, 0, 0, 1)));

    [Fact]
    public void Overlapping_reads_may_see_the_old_and_the_new_value_in_that_order() => Assert.Equal(
        Verdict.Linearizable,
        Verdicts.Of(
            Operation.Write(1, Key, 1, 0, 100),
            Operation.Read(2, Key, 0, 10, 20),
            Operation.Read(3, Key, 1, 30, 40)));

    [Fact]
    public void Overlapping_reads_may_not_see_the_new_and_then_the_old_value() => Assert.Equal(
        Verdict.Violated,
        Verdicts.Of(
            Operation.Write(1, Key, 1, 0, 100),
            Operation.Read(2, Key, 1, 10, 20),
            Operation.Read(3, Key, 0, 30, 40)));

    [Fact]
    public void H_and_W_overlapping_writes_may_take_either_order_but_only_one()
    {
        Operation[] writes = [Operation.Write(1, Key, 1, 0, 10), Operation.Write(2, Key, 2, 5, 15)];
        Assert.Equal(Verdict.Linearizable, Verdicts.Of([.. writes, Operation.Read(1, Key, 1, 20, 25)]));
        Assert.Equal(Verdict.Linearizable, Verdicts.Of([.. writes, Operation.Read(1, Key, 2, 20, 25)]));
        Assert.Equal(
            Verdict.Violated,
            Verdicts.Of([.. writes, Operation.Read(1, Key, 1, 20, 25), Operation.Read(2, Key, 2, 30, 35)]));
    }

    [Fact]
    public void H_and_W_a_read_may_return_what_a_write_under_way_writes_and_nothing_later() => Assert.Equal(
        Verdict.Violated,
        Verdicts.Of(Operation.Read(1, Key, 1, 0, 10), Operation.Write(2, Key, 1, 20, 30)));

    [Fact]
    public void A_stale_read_is_a_violation_and_the_report_names_it()
    {
        BrokenClaim broken = Verdicts.Broken(
            Operation.Write(1, Key, 1, 0, 10),
            Operation.Write(1, Key, 2, 20, 30),
            Operation.Read(2, Key, 1, 40, 50),
            Operation.Write(1, Key, 3, 60, 70),
            Operation.Read(2, Key, 3, 80, 90));

        Assert.Equal(
            """
            linearizability: key 7: client 2: read -> 1 [40, 50] fits no order with the 2 replies before it
              an order that explains the 2 replies before it, the last 2 of 2:
                client 1: write 1 [0, 10]; then the value is 1
                client 1: write 2 [20, 30]; then the value is 2
              cannot be placed: client 2: read -> 1 [40, 50]
              makes the value 1: client 1: write 1 [0, 10]
            """,
            broken.Report());
    }

    [Fact]
    public void The_report_lists_what_was_not_answered_yet()
    {
        BrokenClaim broken = Verdicts.Broken(
            Operation.Write(1, Key, 1, 0, 10),
            Operation.Write(3, Key, 9, 5, 0).AsUnknown(),
            Operation.Write(4, Key, 8, 5, 100),
            Operation.Read(2, Key, 5, 40, 50));

        string[] lines = broken.Details.ToArray();
        Assert.Contains("not answered by then: client 3: write 9 -> unknown [5, ...]", lines, StringComparer.Ordinal);
        Assert.Contains("not answered by then: client 4: write 8 [5, 100]", lines, StringComparer.Ordinal);
        Assert.Contains("nothing names the value 5 as its result", lines, StringComparer.Ordinal);
    }

    [Fact]
    public void A_lost_update_is_a_violation() => Assert.Equal(
        Verdict.Violated,
        Verdicts.Of(Operation.Add(1, Key, 1, 1, 0, 10), Operation.Add(2, Key, 1, 1, 5, 15)));

    [Fact]
    public void Additions_that_each_see_the_other_are_a_violation() => Assert.Equal(
        Verdict.Violated,
        Verdicts.Of(Operation.Add(1, Key, 1, 2, 0, 10), Operation.Add(2, Key, 1, 2, 5, 15)));

    [Fact]
    public void Two_compare_and_sets_cannot_both_win()
    {
        Operation first = Operation.CompareAndSet(1, Key, 0, 1, true, 0, 10);
        Operation second = Operation.CompareAndSet(2, Key, 0, 2, true, 5, 15);
        Assert.Equal(Verdict.Violated, Verdicts.Of(first, second));
        Assert.Equal(Verdict.Linearizable, Verdicts.Of(first, second with { Result = 0 }));
    }

    [Fact]
    public void A_compare_and_set_cannot_fail_on_the_value_that_is_there() => Assert.Equal(
        Verdict.Violated,
        Verdicts.Of(Operation.Write(1, Key, 1, 0, 10), Operation.CompareAndSet(1, Key, 1, 2, false, 20, 30)));

    [Fact]
    public void An_unknown_write_may_appear_late()
    {
        Operation[] history =
        [
            Operation.Write(1, Key, 1, 0, 10),
            Operation.Write(2, Key, 2, 5, 0).AsUnknown(),
            Operation.Read(1, Key, 1, 100, 110),
            Operation.Read(1, Key, 2, 200, 210),
        ];
        Assert.Equal(Verdict.Linearizable, Verdicts.Of(history));
        Assert.Equal(Verdict.Violated, Verdicts.Of([.. history, Operation.Read(1, Key, 1, 300, 310)]));
    }

    [Fact]
    public void An_unknown_write_may_never_appear() => Assert.Equal(
        Verdict.Linearizable,
        Verdicts.Of(
            Operation.Write(1, Key, 1, 0, 10),
            Operation.Write(2, Key, 2, 5, 0).AsUnknown(),
            Operation.Read(1, Key, 1, 100, 110)));

    [Fact]
    public void An_unknown_write_cannot_appear_before_it_was_invoked() => Assert.Equal(
        Verdict.Violated,
        Verdicts.Of(Operation.Read(1, Key, 2, 0, 10), Operation.Write(2, Key, 2, 20, 0).AsUnknown()));

    [Fact]
    public void An_unknown_write_may_be_why_a_compare_and_set_failed()
    {
        Operation[] history =
        [
            Operation.Write(1, Key, 1, 0, 10),
            Operation.CompareAndSet(1, Key, 1, 3, false, 20, 30),
        ];
        Assert.Equal(Verdict.Violated, Verdicts.Of(history));
        Assert.Equal(Verdict.Linearizable, Verdicts.Of([.. history, Operation.Write(2, Key, 9, 5, 0).AsUnknown()]));
    }

    [Fact]
    public void An_unknown_compare_and_set_takes_effect_only_on_what_it_expects()
    {
        Operation swap = Operation.CompareAndSet(2, Key, 1, 5, true, 0, 0).AsUnknown();
        Operation read = Operation.Read(1, Key, 5, 20, 30);
        Assert.Equal(Verdict.Linearizable, Verdicts.Of(swap, Operation.Write(1, Key, 1, 0, 10), read));
        Assert.Equal(Verdict.Violated, Verdicts.Of(swap, Operation.Write(1, Key, 2, 0, 10), read));
    }

    [Fact]
    public void Unknown_additions_may_each_count_once()
    {
        Operation one = Operation.Add(2, Key, 5, 0, 0, 0).AsUnknown();
        Operation other = one with { Client = 3 };
        Assert.Equal(Verdict.Linearizable, Verdicts.Of(one, other, Operation.Read(1, Key, 10, 20, 30)));
        Assert.Equal(Verdict.Violated, Verdicts.Of(one, other, Operation.Read(1, Key, 15, 20, 30)));
    }

    [Fact]
    public void A_refused_write_that_is_seen_is_a_claim_of_its_own()
    {
        BrokenClaim broken = Verdicts.Broken(
            Operation.Write(1, Key, 1, 0, 10),
            Operation.Write(2, Key, 2, 20, 30).AsRefused(),
            Operation.Read(3, Key, 2, 40, 50));

        Assert.Equal(Claims.RefusedWriteSeen, broken.Claim);
        Assert.Equal(
            "refused-write-seen: key 7: client 3: read -> 2 [40, 50] is explained only by the refused "
            + "client 2: write 2 -> refused [20, 30]",
            broken.ToString());
    }

    [Fact]
    public void A_refused_addition_that_counted_is_a_refused_write_seen() => Assert.Equal(
        Claims.RefusedWriteSeen,
        Verdicts.Broken(
            Operation.Add(1, Key, 1, 1, 0, 10),
            Operation.Add(2, Key, 1, 0, 20, 30).AsRefused(),
            Operation.Add(3, Key, 1, 3, 40, 50)).Claim);

    [Fact]
    public void A_refused_write_that_explains_nothing_is_not_blamed() => Assert.Equal(
        Claims.Linearizability,
        Verdicts.Broken(
            Operation.Write(2, Key, 2, 20, 30).AsRefused(),
            Operation.Read(3, Key, 4, 40, 50)).Claim);

    [Fact]
    public void Operations_that_touch_in_time_overlap()
    {
        Assert.Equal(
            Verdict.Linearizable,
            Verdicts.Of(Operation.Write(1, Key, 1, 0, 10), Operation.Read(2, Key, 0, 10, 20)));
        Assert.Equal(
            Verdict.Violated,
            Verdicts.Of(Operation.Write(1, Key, 1, 0, 10), Operation.Read(2, Key, 0, 11, 20)));
    }

    [Fact]
    public void Each_key_is_judged_by_itself()
    {
        LinearizabilityResult result = Verdicts.Result(
            Operation.Read(1, 9, 5, 0, 10),
            Operation.Write(1, 3, 1, 0, 10),
            Operation.Read(1, 3, 1, 20, 30));

        Assert.Equal(Verdict.Violated, result.Verdict);
        Assert.Equal([3, 9], result.Keys.ToArray().Select(k => k.Key));
        Assert.Equal([Verdict.Linearizable, Verdict.Violated], result.Keys.ToArray().Select(k => k.Verdict));
        Assert.StartsWith("linearizability: key 9:", result.FirstBroken?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_reply_before_its_request_is_the_recorders_fault() =>
        Assert.Throws<ArgumentException>(() => Verdicts.Of(Operation.Read(1, Key, 0, 10, 9)));

    [Fact]
    public void Another_model_may_be_given()
    {
        var checker = new LinearizabilityChecker(1_000, new LockModel());
        Operation acquire = Operation.Write(1, Key, 1, 0, 10);
        Operation other = Operation.Write(2, Key, 2, 5, 20);
        Assert.Equal(Verdict.Violated, checker.Check([acquire, other]).Verdict);
        Assert.Equal(Verdict.Linearizable, checker.Check([acquire, Operation.Write(1, Key, 0, 11, 12), other]).Verdict);
    }

    /// <summary>A lock: writing a number takes it for that number, writing zero frees it.</summary>
    private sealed record LockModel : IKeyModel
    {
        public long Initial => 0;

        public Transition TransitionOf(in Operation operation) => operation.Argument == 0
            ? new(Guard.Unless, 0, Effect.Sets, 0)
            : new(Guard.When, 0, Effect.Sets, operation.Argument);
    }
}
