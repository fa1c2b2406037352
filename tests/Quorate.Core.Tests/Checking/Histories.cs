using FsCheck;
using FsCheck.Fluent;
using Quorate.Core.Checking;
using Quorate.Core.Model;

namespace Quorate.Core.Tests.Checking;

/// <summary>Histories to check: made up freely, or recorded from a register that is right by construction.</summary>
internal static class Histories
{
    /// <summary>Replies and times drawn at random: mostly not linearizable when there are many replies.</summary>
    public static Arbitrary<Operation[]> Arbitrary(int operationsMax, long keys) => Seeded(random =>
    {
        Operation[] history = new Operation[random.Next(operationsMax + 1)];
        for (int i = 0; i < history.Length; i++)
        {
            long invoked = random.Next(10);
            long key = random.Next(keys);
            history[i] = Outcomes(random, Draw(random, i, key, invoked, invoked + random.Next(6)));
        }

        return history;
    });

    /// <summary>A recording of a correct register: linearizable whatever outcomes are then forgotten.</summary>
    public static Arbitrary<Operation[]> Linearizable(int operationsMax) => Seeded(random =>
    {
        long value = 0;
        Operation[] history = new Operation[random.Next(operationsMax + 1)];
        for (int i = 0; i < history.Length; i++)
        {
            long moment = 4 * i;
            long invoked = moment - random.Next(12);
            Operation operation = Draw(random, i, 1, invoked, moment + random.Next(12));
            history[i] = random.Chance(250_000) ? Never(random, operation) : Answer(operation, ref value);
        }

        return history;
    });

    /// <summary>
    /// Clients that each do one thing at a time on a correct register: half of them reads, a fifth compare-and-sets,
    /// the rest writes of values of their own. Some replies are lost, and of those operations half happened.
    /// </summary>
    public static Operation[] Workload(
        ulong seed, int clients, int operations, long unknownPerMillion, long valuesMax = long.MaxValue, long key = 1)
    {
        var random = new SeededRandom(seed);
        Operation[] history = new Operation[operations];
        long[] free = new long[clients];
        long value = 0;
        long now = 0;
        for (int i = 0; i < operations; i++)
        {
            int client = (int)random.Next(clients);
            now = Math.Max(now + random.Between(1, 100), free[client]);
            long invoked = Math.Max(free[client], now - random.Next(clients * 50));
            free[client] = now + random.Between(1, clients * 50);
            long kind = random.Next(10);
            long argument = valuesMax == long.MaxValue ? i + 1 : 1 + random.Next(valuesMax);
            Operation drawn = kind switch
            {
                < 5 => Operation.Read(client, key, 0, invoked, free[client] - 1),
                < 7 => Operation.CompareAndSet(client, key, value, argument, true, invoked, free[client] - 1),
                _ => Operation.Write(client, key, argument, invoked, free[client] - 1),
            };
            bool unknown = random.Chance(unknownPerMillion);
            history[i] = unknown && random.Chance(500_000) ? drawn.AsUnknown() : Answer(drawn, ref value);
            history[i] = unknown ? history[i].AsUnknown() : history[i];
        }

        return history;
    }

    /// <summary>The operation with the reply that a register of this value gives.</summary>
    public static Operation Answer(Operation operation, ref long value)
    {
        bool succeeds = operation.Kind == OperationKind.CompareAndSet && operation.Expected == value;
        value = operation.Kind switch
        {
            OperationKind.Write => operation.Argument,
            OperationKind.CompareAndSet when succeeds => operation.Argument,
            OperationKind.Add => value + operation.Argument,
            _ => value,
        };
        long result = operation.Kind == OperationKind.CompareAndSet ? (succeeds ? 1 : 0) : value;
        return operation with { Result = operation.Kind == OperationKind.Write ? 0 : result };
    }

    private static Operation Never(SeededRandom random, Operation operation) =>
        random.Chance(500_000) ? operation.AsRefused() : operation.AsUnknown();

    private static Operation Outcomes(SeededRandom random, Operation operation) => random.Next(10) switch
    {
        < 3 => operation.AsUnknown(),
        < 4 => operation.AsRefused(),
        _ => operation,
    };

    private static Operation Draw(SeededRandom random, long client, long key, long invoked, long returned)
    {
        long a = random.Next(4);
        long b = random.Next(4);
        return random.Next(9) switch
        {
            < 3 => Operation.Read(client, key, a, invoked, returned),
            < 6 => Operation.Write(client, key, a, invoked, returned),
            < 8 => Operation.CompareAndSet(client, key, a, b, random.Chance(500_000), invoked, returned),
            _ => Operation.Add(client, key, 1 + (a & 1), b, invoked, returned),
        };
    }

    private static Arbitrary<Operation[]> Seeded(Func<SeededRandom, Operation[]> make)
    {
        Gen<Operation[]> histories = Gen.Choose(int.MinValue, int.MaxValue).Select(
            seed => make(new SeededRandom(unchecked((ulong)seed))));
        return Arb.From(histories, WithoutOne);
    }

    private static IEnumerable<Operation[]> WithoutOne(Operation[] history)
    {
        for (int i = 0; i < history.Length; i++)
        {
            yield return [.. history[..i], .. history[(i + 1)..]];
        }
    }
}
