using Quorate.Core.Model;
using Quorate.Storage.Disk;

namespace Quorate.Simulator.Disk;

/// <summary>
/// Stands in front of a disk and writes down what was asked of it and how, and in which order, it ended; so that the
/// same can be done to another disk by <see cref="ReplayOn"/> and the two compared. For one thread.
/// </summary>
/// <param name="operationsMax">More operations than this are a defect of the test that records.</param>
public sealed class RecordedDisk(IDisk disk, int operationsMax = 1_000_000) : IDisk
{
    private readonly List<Operation> _operations = [];

    /// <summary>Submissions and ends in their order: the operation's number, and whether it ended then.</summary>
    private readonly List<(int Number, bool IsEnd)> _events = [];

    /// <summary>Operations submitted so far.</summary>
    public int Count => _operations.Count;

    /// <summary>Submissions and ends so far: moments of the recording.</summary>
    public int Moments => _events.Count;

    public void Submit(in DiskOperation operation, IDiskClient client)
    {
        Invariant.Check(_operations.Count < operationsMax, "a recording has its bound");

        // The owner may use the bytes again once the operation has ended.
        DiskOperation kept = operation with { Data = operation.Data.ToArray() };
        var recorded = new Operation(this, _operations.Count, kept, client);
        _operations.Add(recorded);
        _events.Add((recorded.Number, IsEnd: false));
        disk.Submit(operation, recorded);
    }

    /// <summary>
    /// Does the same on another disk: an operation is submitted there once all have ended that had ended here by then.
    /// Operations that never ended here are left out. Returns what ended otherwise, one sentence each. Which of those
    /// that are under way together is done first is the other disk's affair, so a list of names is compared without the
    /// names that others touch meanwhile.
    /// </summary>
    /// <param name="wait">Lets the other disk work until something has ended.</param>
    public IReadOnlyList<string> ReplayOn(IDisk other, Action wait)
    {
        var ends = new Ends();
        var differences = new List<string>();
        var underWay = new SortedSet<int>();
        var touched = new SortedDictionary<int, HashSet<string>>();
        foreach ((int number, bool isEnd) in _events)
        {
            Operation recorded = _operations[number];
            if (recorded.End is not DiskCompletion expected)
            {
                continue;
            }

            if (!isEnd)
            {
                foreach (HashSet<string> names in touched.Values)
                {
                    names.UnionWith(NamesOf(recorded.Asked));
                }

                if (recorded.Asked.Kind == DiskOperationKind.List)
                {
                    touched.Add(number, [.. underWay.SelectMany(each => NamesOf(_operations[each].Asked))]);
                }

                underWay.Add(number);
                other.Submit(recorded.Asked with { Ticket = (ulong)number }, ends);
                continue;
            }

            DiskCompletion actual;
            while (!ends.TryTake((ulong)number, out actual))
            {
                wait();
            }

            underWay.Remove(number);
            touched.Remove(number, out HashSet<string>? besides);
            if (!IsSame(expected, actual, besides ?? []))
            {
                differences.Add(
                    $"operation {number}, {recorded.Asked.Kind} {recorded.Asked.File} at {recorded.Asked.Offset}, "
                        + $"ended in {actual.Status} with {actual.Data.Length} bytes, and in {expected.Status} with "
                        + $"{expected.Data.Length} when recorded");
            }
        }

        return differences;
    }

    /// <summary>Does the same on a simulated disk, one moment after the other.</summary>
    /// <param name="other">The disk.</param>
    /// <param name="begun">Where it puts what is submitted to it.</param>
    public IEnumerable<(DiskOperation Operation, bool IsEnd)> StepsOn(
        SimulatedDisk other, IReadOnlyList<PendingDiskOperation> begun)
    {
        var nobody = new Ends();
        var open = new Dictionary<int, PendingDiskOperation>();
        foreach ((int number, bool isEnd) in _events)
        {
            DiskOperation asked = _operations[number].Asked;
            if (isEnd)
            {
                open.Remove(number, out PendingDiskOperation? pending);
                other.Execute(pending!);
            }
            else
            {
                other.Submit(asked with { Ticket = (ulong)number }, nobody);
                open.Add(number, begun[^1]);
            }

            yield return (asked, isEnd);
        }
    }

    private static string[] NamesOf(in DiskOperation operation) =>
        operation.NewName is { } other ? [operation.File, other] : [operation.File];

    /// <param name="besides">Names that do not count.</param>
    private static bool IsSame(in DiskCompletion expected, in DiskCompletion actual, HashSet<string> besides) =>
        expected.Status == actual.Status
        && expected.Data.Span.SequenceEqual(actual.Data.Span)
        && (expected.Names ?? []).Where(name => !besides.Contains(name)).SequenceEqual(
            (actual.Names ?? []).Where(name => !besides.Contains(name)), StringComparer.Ordinal);

    private sealed class Operation(RecordedDisk owner, int number, DiskOperation asked, IDiskClient client)
        : IDiskClient
    {
        public int Number => number;

        public DiskOperation Asked => asked;

        public DiskCompletion? End { get; private set; }

        public void Complete(in DiskCompletion completion)
        {
            End = completion with { Data = completion.Data.ToArray() };
            owner._events.Add((number, IsEnd: true));
            client.Complete(completion);
        }
    }

    private sealed class Ends : IDiskClient
    {
        private readonly Dictionary<ulong, DiskCompletion> _ends = [];

        public void Complete(in DiskCompletion completion) => _ends.Add(completion.Ticket, completion);

        public bool TryTake(ulong ticket, out DiskCompletion completion) => _ends.Remove(ticket, out completion);
    }
}
