using Quorate.Core.Checking;
using Quorate.Core.Raft;

namespace Quorate.Core.Tests.Checking;

/// <summary>
/// Linearizability by its definition: every order of every choice of operations is tried. Written without the
/// checker's parts, so that the two share no mistake. Only for a handful of operations.
/// </summary>
internal static class BruteForce
{
    public static bool IsLinearizable(IReadOnlyList<Operation> history)
    {
        long[] keys = [.. history.Select(operation => operation.Key).Distinct().Order()];
        return keys.All(key => IsKeyLinearizable([.. history.Where(operation => operation.Key == key)]));
    }

    private static bool IsKeyLinearizable(Operation[] operations) =>
        TryOrders([.. operations.Where(operation => operation.Outcome != Outcome.Refused)], taken: 0, value: 0);

    private static bool TryOrders(Operation[] operations, int taken, long value)
    {
        bool complete = true;
        for (int i = 0; i < operations.Length; i++)
        {
            complete &= operations[i].Outcome == Outcome.Unknown || (taken & (1 << i)) != 0;
        }

        if (complete)
        {
            return true;
        }

        for (int i = 0; i < operations.Length; i++)
        {
            if ((taken & (1 << i)) == 0
                && MayBeNext(operations, taken, i)
                && TryApply(operations[i], value, out long next)
                && TryOrders(operations, taken | (1 << i), next))
            {
                return true;
            }
        }

        return false;
    }

    private static bool MayBeNext(Operation[] operations, int taken, int candidate)
    {
        for (int i = 0; i < operations.Length; i++)
        {
            bool waits = (taken & (1 << i)) == 0 && operations[i].Outcome == Outcome.Done;
            if (waits && operations[i].Returned < operations[candidate].Invoked)
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryApply(Operation operation, long value, out long next)
    {
        bool known = operation.Outcome == Outcome.Done;
        next = value;
        switch (operation.Kind)
        {
            case OperationKind.Read:
                return !known || operation.Result == value;
            case OperationKind.Write:
                next = operation.Argument;
                return true;
            case OperationKind.CompareAndSet:
                bool succeeds = operation.Expected == value;
                next = succeeds ? operation.Argument : value;
                return !known || succeeds == (operation.Result != 0);
            default:
                next = value + operation.Argument;
                return !known || operation.Result == next;
        }
    }
}
