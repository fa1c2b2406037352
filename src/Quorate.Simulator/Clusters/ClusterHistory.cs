using Quorate.Core.Checking;
using Quorate.Core.Raft;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Engine;

namespace Quorate.Simulator.Clusters;

/// <summary>
/// What all clients have asked and been told, judged while it happens and at the end.
/// </summary>
internal sealed class ClusterHistory(ClusterWorld world)
{
    /// <summary>Steps of the search for one key before it counts as undecided.</summary>
    private const long StepsMax = 1_000_000;

    /// <summary>A call is answered at most so long after its deadline, in microseconds.</summary>
    private const long AnswerAfterMax = 250_000;

    private readonly List<ClusterOperation> _all = [];

    /// <summary>By key: values that someone has asked to write, and for counters the sum of all additions.</summary>
    private readonly SortedDictionary<long, SortedSet<long>> _written = [];
    private readonly SortedDictionary<long, long> _sums = [];
    private readonly List<ClusterCall> _open = [];

    public IReadOnlyList<ClusterOperation> All => _all;

    public int Next => _all.Count;

    public void Add(ClusterOperation operation) => _all.Add(operation);

    /// <summary>A node is asked: from now on the operation may have an effect.</summary>
    public void Asked(ClusterCall call)
    {
        _open.Add(call);
        ClusterOperation operation = call.Operation;
        if (operation.Kind == OperationKind.Write)
        {
            WrittenOf(operation.GlobalKey).Add(operation.Argument);
        }
        else if (operation is { Kind: OperationKind.Add, Attempts: 1 })
        {
            _sums[operation.GlobalKey] = _sums.GetValueOrDefault(operation.GlobalKey) + operation.Argument;
        }

        Watch(call, AnswerAfterMax);
    }

    public void Completed(ClusterCall call) => _open.Remove(call);

    public void ProcessEnded(ClusterMachine machine) => _open.RemoveAll(call => call.Machine == machine);

    /// <summary>A read that any replica may answer has returned a value.</summary>
    public void CheckFreeRead(ClusterOperation read, long value, bool isCounter)
    {
        bool isKnown = isCounter
            ? value >= 0 && value <= _sums.GetValueOrDefault(read.GlobalKey)
            : value == 0 || WrittenOf(read.GlobalKey).Contains(value);
        if (!isKnown)
        {
            RunClaims.Break(Claims.ValueNeverWritten, $"{read} returns {value}, which nobody has written");
        }
    }

    /// <summary>Has the checker judge the linearizable part.</summary>
    public HistoryFigures Check()
    {
        var figures = new HistoryFigures(0, 0, 0);
        Operation[] operations = [.. _all
            .Where(each => each.KeyspaceId is not null && (each.IsWrite || each.Level == ReadLevel.Linearizable))
            .Select(OperationOf)];
        LinearizabilityResult result = new LinearizabilityChecker(StepsMax).Check(operations);
        if (result.FirstBroken is { } broken)
        {
            throw new ClaimBrokenException(broken);
        }

        foreach (KeyVerdict key in result.Keys)
        {
            figures = new HistoryFigures(
                figures.Keys + 1,
                figures.Undecided + (key.Verdict == Verdict.Undecided ? 1 : 0),
                figures.Operations + key.Operations);
        }

        return figures;
    }

    private static Operation OperationOf(ClusterOperation each)
    {
        var operation = new Operation
        {
            Client = each.Client,
            Key = each.GlobalKey,
            Kind = each.Kind,
            Argument = each.Argument,
            Result = each.Result,
            Outcome = Outcome.Done,
            Invoked = each.Invoked,
            Returned = each.Returned ?? long.MaxValue,
        };
        return each.Returned is null || each.Outcome == Outcome.Unknown ? operation.AsUnknown()
            : each.Outcome == Outcome.Refused ? operation.AsRefused()
            : operation;
    }

    /// <summary>Nothing hangs: by then it is answered, unless its process was paused meanwhile or is gone.</summary>
    private void Watch(ClusterCall call, long extra)
    {
        ClusterMachine machine = call.Machine;
        long at = machine.Clock.TrueTimeOf(call.Deadline, world.Now) + extra;
        long asked = world.Now;
        machine.Later(at - world.Now, EventKind.Schedule, (ulong)call.Operation.Id, () =>
        {
            if (call.IsDone || call.IsOrphan)
            {
                return;
            }

            if (machine.RunningSince > asked)
            {
                Watch(call, AnswerAfterMax + machine.RunningSince - asked);
                return;
            }

            RunClaims.Break(
                RunClaims.SingleAnswer,
                $"{machine.Name} has not answered {call.Operation} {AnswerAfterMax / 1000} ms after its deadline");
        });
    }

    private SortedSet<long> WrittenOf(long key)
    {
        if (!_written.TryGetValue(key, out SortedSet<long>? written))
        {
            written = [];
            _written.Add(key, written);
        }

        return written;
    }
}
