using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Simulator.Plans;

namespace Quorate.Simulator.Workload;

/// <summary>What one client asks of groups of numbered registers, and what it has seen there.</summary>
internal sealed class RegisterAsking(WorkloadPlan plan, int groups, SeededRandom random)
{
    private readonly long[,] _lastSeen = new long[groups, plan.KeysPerGroup];

    /// <summary>How many keys the next operation concerns.</summary>
    public int DrawCount()
    {
        int count = random.Next(100) < plan.BatchPercent ? (int)random.Between(2, Math.Max(2, plan.KeysPerGroup)) : 1;
        return Math.Min(count, plan.KeysPerGroup);
    }

    public Command[] Draw(int group, int count, bool isWrite, WriteLevel level, ulong attempt)
    {
        int first = (int)random.Next(plan.KeysPerGroup);
        var commands = new Command[count];
        for (int i = 0; i < count; i++)
        {
            int key = (first + i) % plan.KeysPerGroup;
            commands[i] = !isWrite ? new Command(OperationKind.Read, key, 0)
                : level.Kind == WriteLevelKind.Leader ? WriteOf(key, attempt, i)
                : DrawWrite(group, key, attempt, i);
        }

        return commands;
    }

    /// <summary>Every written value is unlike every other one.</summary>
    public static Command WriteOf(int key, ulong attempt, int number) => IsCounter(key)
        ? new Command(OperationKind.Add, key, (long)(attempt * 16) + number + 1)
        : new Command(OperationKind.Write, key, (long)(attempt * 16) + number + 1);

    public void Learn(Attempt attempt, Answer answer)
    {
        for (int i = 0; i < attempt.Commands.Length && !answer.Result.IsEmpty; i++)
        {
            Command command = attempt.Commands[i];
            CommandResult result = CommandBatch.ResultAt(answer.Result.Span, i);
            _lastSeen[attempt.Group, command.Key] = command.Kind switch
            {
                OperationKind.Read => result.Result,
                OperationKind.CompareAndSet when result.Result == 0 => _lastSeen[attempt.Group, command.Key],
                _ => command.Argument,
            };
        }
    }

    /// <summary>Every fourth key is a counter, so that the checker need not follow additions everywhere.</summary>
    private static bool IsCounter(int key) => key % 4 == 3;

    private Command DrawWrite(int group, int key, ulong attempt, int number)
    {
        Command write = WriteOf(key, attempt, number);
        long kind = random.Next(100);
        if (IsCounter(key))
        {
            return write;
        }

        return kind switch
        {
            < 5 => write with { Argument = 0 },
            < 35 => write with { Kind = OperationKind.CompareAndSet, Expected = _lastSeen[group, key] },
            _ => write,
        };
    }
}
