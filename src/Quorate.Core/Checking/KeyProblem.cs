using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>
/// One key's history made ready for the search: its steps, the mandatory ones first (they took effect between
/// invocation and return) by time of invocation, then the optional ones (they may take effect at any time after
/// their invocation, or never) in classes of equal steps. Refused operations are left out.
/// <para>
/// Optional steps are what makes the search exponential, so those that cannot matter are removed, and those that
/// must have happened are made mandatory. "Linearization" below is a sequence of all mandatory and some optional
/// steps that keeps the order of times and in which each step is legal. Since an optional step may be missing, a
/// linearization without it always is one with it; only the other direction needs a proof. None of the rules
/// looks at anything but <see cref="Transition"/>.
/// </para>
/// <para>
/// Idle steps. An optional step that keeps the state, and any step that is always legal and keeps it, can be
/// taken out of, or put anywhere in, a linearization.
/// </para>
/// <para>
/// Late steps. Let T be the last return of a mandatory step that is not blind, and w optional, invoked after T.
/// In a linearization with w everything behind w is blind or optional. Take out the optional ones from w on, the
/// last first: each is followed by nothing or by a blind step, which is legal and leaves the same state without it.
/// </para>
/// <para>
/// Unseen values. Let w be optional and set v, and let each step that may come after w (all but those that
/// returned before w was invoked) be blind or illegal in v. The step right behind w in a linearization is legal in
/// v, so it is blind, or there is none; taking w out changes nothing behind it. A failed compare-and-set counts
/// as one that sees v, for it may have failed only because v was there.
/// </para>
/// <para>
/// Impossible steps. An optional step that is legal only in a state that nothing makes is in no linearization.
/// </para>
/// <para>
/// Sole makers. If a mandatory step o is legal only in v, v is not the initial state, w is the only step that can
/// make v, and w is optional, then w stands before o in every linearization: w is mandatory and returned, for all
/// that anyone can tell, when the first such o did. (Should that be before w was invoked, w is never free to be
/// taken, and there is no linearization, as it should be.)
/// </para>
/// <para>
/// Like values. When no step adds, two states that no guard names are told apart by no step, so all of them may
/// be taken for one. That makes more optional steps equal, and equal ones may be taken in the order of their
/// invocation: in a linearization with the later but not (or not yet) the earlier of two, exchange them.
/// </para>
/// </summary>
internal sealed class KeyProblem
{
    private readonly List<long> _values = [];
    private Item[] _items = [];
    private ValueTally[] _tally = [];
    private int _count;
    private long _lastSensitive;
    private DiffersTally _differs;

    public long Initial { get; private set; }

    public int InitialId { get; private set; }

    /// <summary>How many steps are mandatory; they have the ids from 0.</summary>
    public int Mandatory { get; private set; }

    /// <summary>All steps; the optional ones have the ids from <see cref="Mandatory"/>.</summary>
    public int Count { get; private set; }

    /// <summary>True when some step adds, so that states need not be among the values that the history names.</summary>
    public bool Adds { get; private set; }

    /// <summary>The values that the history names, each by its place.</summary>
    public int ValueCount => _values.Count;

    public ReadOnlySpan<Item> Items => _items.AsSpan(0, Count);

    /// <summary>Reads the operations of one key, which are sorted by time of invocation.</summary>
    public void Load(ReadOnlySpan<Operation> operations, IKeyModel model)
    {
        if (_items.Length < operations.Length)
        {
            _items = new Item[Math.Max(operations.Length, _items.Length * 2)];
        }

        _count = 0;
        Initial = model.Initial;
        for (int i = 0; i < operations.Length; i++)
        {
            ref readonly Operation operation = ref operations[i];
            Transition transition = model.TransitionOf(operation);
            bool optional = operation.Outcome != Outcome.Done;
            bool idle = transition.KeepsState && (optional || transition.Guard == Guard.Always);
            if (operation.Outcome != Outcome.Refused && !idle)
            {
                long returned = optional ? long.MaxValue : operation.Returned;
                _items[_count++] = new(transition, operation.Invoked, returned, i, optional);
            }
        }

        NameValues();
        bool changed = true;
        while (changed)
        {
            Tally();
            changed = Promote();
            changed |= Drop();
        }

        MergeLikeValues();
        Arrange();
    }

    private static void Sort(Span<Item> items, Comparison<Item> order) => items.Sort(order);

    private int IdOf(long value)
    {
        int id = CollectionsMarshal.AsSpan(_values).BinarySearch(value);
        Invariant.Check(id >= 0, "every value that a step names has an id");
        return id;
    }

    private void NameValues()
    {
        _values.Clear();
        _values.Add(Initial);
        foreach (ref readonly Item item in _items.AsSpan(0, _count))
        {
            if (item.Step.Guard != Guard.Always)
            {
                _values.Add(item.Step.GuardValue);
            }

            if (item.Step.Effect == Effect.Sets)
            {
                _values.Add(item.Step.EffectValue);
            }
        }

        _values.Sort();
        int kept = 0;
        for (int i = 0; i < _values.Count; i++)
        {
            if (i == 0 || _values[i] != _values[i - 1])
            {
                _values[kept++] = _values[i];
            }
        }

        _values.RemoveRange(kept, _values.Count - kept);
        foreach (ref Item item in _items.AsSpan(0, _count))
        {
            item.GuardId = item.Step.Guard != Guard.Always ? IdOf(item.Step.GuardValue) : -1;
            item.SetId = item.Step.Effect == Effect.Sets ? IdOf(item.Step.EffectValue) : -1;
        }

        InitialId = IdOf(Initial);
        if (_tally.Length < _values.Count)
        {
            _tally = new ValueTally[Math.Max(_values.Count, _tally.Length * 2)];
        }
    }

    private void Tally()
    {
        Adds = false;
        _lastSensitive = long.MinValue;
        _differs = DiffersTally.Empty;
        _tally.AsSpan(0, _values.Count).Fill(ValueTally.Empty);
        for (int i = 0; i < _count; i++)
        {
            ref readonly Item item = ref _items[i];
            Adds |= item.Step.Effect == Effect.Adds;
            if (!item.Optional && !item.Step.IsBlind)
            {
                _lastSensitive = Math.Max(_lastSensitive, item.Returned);
            }

            if (item.SetId >= 0)
            {
                _tally[item.SetId].Makers++;
                _tally[item.SetId].Maker = i;
            }

            if (item.Step.Guard == Guard.When)
            {
                ref ValueTally needed = ref _tally[item.GuardId];
                needed.LastNeeded = Math.Max(needed.LastNeeded, item.Returned);
                needed.FirstNeeded = item.Optional ? needed.FirstNeeded : Math.Min(needed.FirstNeeded, item.Returned);
            }
            else if (item.Step.Guard == Guard.Unless)
            {
                _differs.Add(item.GuardId, item.Returned);
            }
        }
    }

    private bool Promote()
    {
        bool changed = false;
        for (int value = 0; value < _values.Count && !Adds; value++)
        {
            ref readonly ValueTally tally = ref _tally[value];
            bool sole = value != InitialId && tally.Makers == 1 && _items[tally.Maker].Optional;
            if (sole && tally.FirstNeeded != long.MaxValue)
            {
                ref Item maker = ref _items[tally.Maker];
                maker.Optional = false;
                maker.Returned = tally.FirstNeeded;
                changed = true;
            }
        }

        return changed;
    }

    private bool Drop()
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (!_items[i].Optional || !IsUseless(_items[i]))
            {
                _items[kept++] = _items[i];
            }
        }

        bool changed = kept < _count;
        _count = kept;
        return changed;
    }

    private bool IsUseless(in Item item)
    {
        if (item.Invoked > _lastSensitive)
        {
            return true;
        }

        if (Adds)
        {
            return false;
        }

        bool impossible = item.Step.Guard == Guard.When
            && item.GuardId != InitialId
            && _tally[item.GuardId].Makers == 0;
        bool unseen = item.SetId >= 0
            && Math.Max(_tally[item.SetId].LastNeeded, _differs.LastOtherThan(item.SetId)) < item.Invoked;
        return impossible || unseen;
    }

    private void MergeLikeValues()
    {
        if (Adds)
        {
            return;
        }

        Span<ValueTally> tally = _tally.AsSpan(0, _values.Count);
        foreach (ref readonly Item item in _items.AsSpan(0, _count))
        {
            if (item.GuardId >= 0)
            {
                tally[item.GuardId].Named = true;
            }
        }

        int like = -1;
        foreach (ref Item item in _items.AsSpan(0, _count))
        {
            if (item.SetId >= 0 && !tally[item.SetId].Named)
            {
                like = like < 0 ? item.SetId : like;
                item.SetId = like;
                item.Step = item.Step with { EffectValue = _values[like] };
            }
        }
    }

    private void Arrange()
    {
        Span<Item> items = _items.AsSpan(0, _count);
        Sort(items, static (a, b) => (a.Optional, a.Invoked, a.Source).CompareTo((b.Optional, b.Invoked, b.Source)));
        Count = _count;
        Mandatory = 0;
        while (Mandatory < _count && !_items[Mandatory].Optional)
        {
            Mandatory++;
        }

        Sort(items[Mandatory..], static (a, b) => a.CompareByClass(b));
    }

    /// <summary>A step, its times, where it came from, and the ids of the values that it names (-1: none).</summary>
    [StructLayout(LayoutKind.Auto)]
    internal struct Item(Transition step, long invoked, long returned, int source, bool optional)
    {
        public Transition Step = step;
        public long Invoked = invoked;
        public long Returned = returned;
        public int Source = source;
        public int GuardId = -1;
        public int SetId = -1;
        public bool Optional = optional;

        public readonly int CompareByClass(in Item other)
        {
            int order = ((int)Step.Guard, Step.GuardValue, (int)Step.Effect, Step.EffectValue).CompareTo(
                ((int)other.Step.Guard, other.Step.GuardValue, (int)other.Step.Effect, other.Step.EffectValue));
            return order != 0 ? order : (Invoked, Source).CompareTo((other.Invoked, other.Source));
        }
    }

    /// <summary>Who makes one value, and when it is demanded.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct ValueTally
    {
        public static readonly ValueTally Empty = new() { LastNeeded = long.MinValue, FirstNeeded = long.MaxValue };

        public int Makers;
        public int Maker;
        public long LastNeeded;
        public long FirstNeeded;
        public bool Named;
    }

    /// <summary>The last return of a step that forbids another value than v, for any v: two are enough.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct DiffersTally
    {
        public static readonly DiffersTally Empty =
            new() { _latestId = -1, _latest = long.MinValue, _latestOther = long.MinValue };

        private int _latestId;
        private long _latest;
        private long _latestOther;

        public readonly long LastOtherThan(int id) => id == _latestId ? _latestOther : _latest;

        public void Add(int id, long returned)
        {
            if (id == _latestId)
            {
                _latest = Math.Max(_latest, returned);
            }
            else if (returned > _latest)
            {
                (_latestOther, _latest, _latestId) = (_latest, returned, id);
            }
            else
            {
                _latestOther = Math.Max(_latestOther, returned);
            }
        }
    }
}
