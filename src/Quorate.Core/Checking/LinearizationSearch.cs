using System.Runtime.InteropServices;

namespace Quorate.Core.Checking;

/// <summary>
/// The search for a linearization of one <see cref="KeyProblem"/>: Wing and Gong, "Testing and verifying
/// concurrent objects" (section 4), over linked lists from which a step's call and return are lifted while it is
/// taken, with the memo of Lowe, "Testing for linearizability" (section 3.2), applied key by key (Horn and Kroening,
/// "Faster linearizability checking via P-compositionality").
/// <para>
/// A configuration is the set of steps taken and the state. A step may be taken next if no mandatory step that is
/// not taken returned before it was invoked; equal times count as overlapping. Four rules narrow the search. Let a
/// completion of a configuration be the rest of a linearization, d the mandatory steps missing, m the fewest
/// optional steps of any completion.
/// </para>
/// <para>Greed: a mandatory step that never changes the state is taken as soon as it is legal, without
/// alternatives: in any completion it can be moved to the front.</para>
/// <para>Thrift: right after an optional step from p to v, a step that leads to the same state from p as from v is
/// not taken, for without that optional step the same is reached.</para>
/// <para>Order: of equal optional steps the earliest is taken first.</para>
/// <para>Dead ends: a state is not left while a mandatory step is missing that needs it and no step is left that
/// makes it again.</para>
/// <para>
/// Together they lose nothing. Suppose that the search ends without success although configurations it has been
/// at have completions; take such a C with the least (d, m). A first step y of its best completion (greedy if
/// there is one, the earliest of its equals) leads to a configuration with a completion and less (d, m), so the
/// search was not there: thrift held y back. Then C was reached from some R by optional steps alone, y is not held
/// back at R and leads, from R, to the same state with fewer optional steps taken. That configuration has the
/// completion too, its (d, m) is less than C's, and the search was there: a contradiction.
/// </para>
/// <para>Invariants: the lists hold exactly the mandatory steps that are not taken; the set of taken steps and the
/// tallies of needs and makers agree with them.</para>
/// </summary>
internal sealed class LinearizationSearch
{
    private readonly VisitedStates _visited = new();
    private readonly TakenSteps _taken = new();
    private KeyProblem _problem = null!;
    private Links[] _calls = [];
    private Links[] _returns = [];
    private int[] _order = [];
    private int[] _classOf = [];
    private int[] _classNext = [];
    private int[] _classEnd = [];
    private int _classes;
    private Frame[] _path = [];
    private int _depth;
    private int[] _needs = [];
    private int[] _makers = [];
    private long _state;
    private int _stateId;
    private long _steps;

    /// <summary>How many steps the last run looked at.</summary>
    public long Steps => _steps;

    /// <summary>How many steps the linearization that the last run found has.</summary>
    public int PathLength => _depth;

    /// <summary>Which of the operations that the problem was loaded from stands at a place of it.</summary>
    public int PathAt(int place) => _problem.Items[_path[place].Id].Source;

    public Verdict Run(KeyProblem problem, long stepsMax)
    {
        Prepare(problem);
        if (HasImpossibleNeed())
        {
            return Verdict.Violated;
        }

        int end = problem.Mandatory;
        while (_returns[end].Next != end)
        {
            int idle = FindGreedy();
            if (idle >= 0)
            {
                _taken.Add(idle);
                Take(idle, greedy: true);
                continue;
            }

            int cursor = _calls[end].Next;
            while (!TryAdvance(cursor))
            {
                if (_steps > stepsMax)
                {
                    return Verdict.Undecided;
                }

                if (!TryBacktrack(out cursor))
                {
                    return Verdict.Violated;
                }
            }
        }

        return Verdict.Linearizable;
    }

    private static void Fit<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[Math.Max(length, array.Length * 2)];
        }
    }

    private void Prepare(KeyProblem problem)
    {
        _problem = problem;
        _steps = 0;
        _depth = 0;
        _state = problem.Initial;
        _stateId = problem.InitialId;
        _visited.Clear();
        Fit(ref _path, problem.Count);
        _taken.Clear(problem.Mandatory, problem.Count);
        PrepareLists();
        PrepareClasses();
        PrepareTallies();
    }

    private void PrepareLists()
    {
        int end = _problem.Mandatory;
        Fit(ref _calls, end + 1);
        Fit(ref _returns, end + 1);
        Fit(ref _order, end + 1);
        for (int id = 0; id <= end; id++)
        {
            _order[id] = id;
            _calls[id] = new(id == 0 ? end : id - 1, id == end ? 0 : id + 1);
        }

        KeyProblem problem = _problem;
        _order.AsSpan(0, end).Sort(
            (a, b) => (problem.Items[a].Returned, a).CompareTo((problem.Items[b].Returned, b)));
        int previous = end;
        for (int place = 0; place <= end; place++)
        {
            int id = _order[place];
            _returns[previous].Next = id;
            _returns[id].Previous = previous;
            previous = id;
        }
    }

    private void PrepareClasses()
    {
        ReadOnlySpan<KeyProblem.Item> items = _problem.Items;
        Fit(ref _classOf, items.Length);
        Fit(ref _classNext, items.Length);
        Fit(ref _classEnd, items.Length);
        _classes = 0;
        for (int id = _problem.Mandatory; id < items.Length; id++)
        {
            if (id == _problem.Mandatory || items[id].Step != items[id - 1].Step)
            {
                _classNext[_classes++] = id;
            }

            _classOf[id] = _classes - 1;
            _classEnd[_classes - 1] = id + 1;
        }
    }

    private void PrepareTallies()
    {
        Fit(ref _needs, _problem.ValueCount);
        Fit(ref _makers, _problem.ValueCount);
        _needs.AsSpan(0, _problem.ValueCount).Clear();
        _makers.AsSpan(0, _problem.ValueCount).Clear();
        foreach (ref readonly KeyProblem.Item item in _problem.Items)
        {
            Count(item, 1);
        }
    }

    private void Count(in KeyProblem.Item item, int change)
    {
        if (!item.Optional && item.Step.Guard == Guard.When)
        {
            _needs[item.GuardId] += change;
        }

        if (item.SetId >= 0)
        {
            _makers[item.SetId] += change;
        }
    }

    private bool HasImpossibleNeed()
    {
        for (int value = 0; value < _problem.ValueCount && !_problem.Adds; value++)
        {
            if (_needs[value] > 0 && _makers[value] == 0 && value != _problem.InitialId)
            {
                return true;
            }
        }

        return false;
    }

    private long Horizon() => _problem.Items[_returns[_problem.Mandatory].Next].Returned;

    private int FindGreedy()
    {
        ReadOnlySpan<KeyProblem.Item> items = _problem.Items;
        int end = _problem.Mandatory;
        long horizon = Horizon();
        for (int id = _calls[end].Next; id != end && items[id].Invoked <= horizon; id = _calls[id].Next)
        {
            _steps++;
            if (items[id].Step.KeepsState && items[id].Step.IsLegalIn(_state))
            {
                return id;
            }
        }

        return -1;
    }

    /// <summary>
    /// Takes the first step that can be taken, from the cursor on: a mandatory id, then (behind the end of these)
    /// a class of optional ones.
    /// </summary>
    private bool TryAdvance(int cursor)
    {
        ReadOnlySpan<KeyProblem.Item> items = _problem.Items;
        int end = _problem.Mandatory;
        long horizon = Horizon();
        for (int id = cursor; id < end && items[id].Invoked <= horizon; id = _calls[id].Next)
        {
            _steps++;
            if (TryTake(id))
            {
                return true;
            }
        }

        for (int of = Math.Max(0, cursor - end - 1); of < _classes; of++)
        {
            int id = _classNext[of];
            if (id != _classEnd[of] && items[id].Invoked <= horizon)
            {
                _steps++;
                if (TryTake(id))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool TryTake(int id)
    {
        ref readonly KeyProblem.Item item = ref _problem.Items[id];
        if (!item.Step.IsLegalIn(_state))
        {
            return false;
        }

        long next = item.Step.From(_state);
        if (next == _state ? item.Optional : IsStillNeeded(item))
        {
            return false;
        }

        if (_depth > 0 && _path[_depth - 1].Id >= _problem.Mandatory)
        {
            long before = _path[_depth - 1].State;
            if (item.Step.IsLegalIn(before) && item.Step.From(before) == next)
            {
                return false;
            }
        }

        _taken.Add(id);
        if (!_visited.Add(_taken, next))
        {
            _taken.Remove(id);
            return false;
        }

        Take(id, greedy: false);
        return true;
    }

    private bool IsStillNeeded(in KeyProblem.Item leaving)
    {
        if (_problem.Adds || _makers[_stateId] > 0)
        {
            return false;
        }

        int own = !leaving.Optional && leaving.Step.Guard == Guard.When ? 1 : 0;
        return _needs[_stateId] > own;
    }

    private void Take(int id, bool greedy)
    {
        ref readonly KeyProblem.Item item = ref _problem.Items[id];
        _path[_depth++] = new(id, _stateId, _state, greedy);
        _state = item.Step.From(_state);
        _stateId = item.SetId >= 0 ? item.SetId : _stateId;
        Count(item, -1);
        if (item.Optional)
        {
            _classNext[_classOf[id]]++;
        }
        else
        {
            Lift(_calls, id);
            Lift(_returns, id);
        }
    }

    /// <summary>Takes back steps up to one that has alternatives; the cursor is behind it.</summary>
    private bool TryBacktrack(out int cursor)
    {
        while (_depth > 0)
        {
            Frame frame = _path[--_depth];
            int id = frame.Id;
            ref readonly KeyProblem.Item item = ref _problem.Items[id];
            (_state, _stateId) = (frame.State, frame.StateId);
            Count(item, 1);
            _taken.Remove(id);
            if (item.Optional)
            {
                _classNext[_classOf[id]]--;
                cursor = _problem.Mandatory + 1 + _classOf[id] + 1;
                return true;
            }

            Unlift(_returns, id);
            Unlift(_calls, id);
            if (!frame.Greedy)
            {
                cursor = _calls[id].Next;
                return true;
            }
        }

        cursor = 0;
        return false;
    }

    private static void Lift(Links[] list, int id)
    {
        Links links = list[id];
        list[links.Previous].Next = links.Next;
        list[links.Next].Previous = links.Previous;
    }

    private static void Unlift(Links[] list, int id)
    {
        Links links = list[id];
        list[links.Previous].Next = id;
        list[links.Next].Previous = id;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Links(int previous, int next)
    {
        public int Previous = previous;
        public int Next = next;
    }

    /// <summary>A step that was taken, and the state before it.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Frame(int Id, int StateId, long State, bool Greedy);
}
