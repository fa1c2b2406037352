using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// Rows of a range in order, tombstones included. The writer's: it holds until the table's next change.
/// </summary>
public unsafe ref struct MemtableCursor
{
    private readonly Memtable _table;
    private readonly ReadOnlySpan<byte> _from;
    private readonly ReadOnlySpan<byte> _to;
    private readonly bool _descending;
    private readonly int _lastSlotIndex;
    private readonly bool _oneSlot;
    private int _slotIndex;
    private bool _ownsOrder;
    private bool _placed;
    private SlotOrder.Place _place;

    internal MemtableCursor(Memtable table, in RowRange range)
    {
        _table = table;
        _from = range.From;
        _to = range.To;
        _descending = range.Descending;
        int first = Math.Max(0, table.SlotIndexOf(range.From));
        int last = Math.Min(table.Slots.Count - 1, table.SlotIndexOf(range.To));
        _slotIndex = _descending ? last : first;
        _lastSlotIndex = _descending ? first : last;
        _oneSlot = first == last;
    }

    private readonly bool IsDone => _descending ? _slotIndex < _lastSlotIndex : _slotIndex > _lastSlotIndex;

    /// <summary>The next row; false when there is none.</summary>
    public bool TryNext(out ReadOnlySpan<byte> rowKey, out Row row)
    {
        while (!IsDone)
        {
            nint found = NextInSlot();
            if (found != 0)
            {
                rowKey = RowBytes.KeyOf(found);
                if (_descending ? rowKey.SequenceCompareTo(_from) < 0 : rowKey.SequenceCompareTo(_to) >= 0)
                {
                    break;
                }

                MarkRead(found);
                row = RowBytes.Read(found);
                return true;
            }

            LeaveSlot();
            _slotIndex += _descending ? -1 : 1;
        }

        _slotIndex = _lastSlotIndex + (_descending ? -1 : 1);
        rowKey = default;
        row = default;
        return false;
    }

    private nint NextInSlot()
    {
        SlotHead* head = _table.Head(_slotIndex);
        if (head->Entries == 0)
        {
            return 0;
        }

        if (!_placed)
        {
            _placed = true;
            _ownsOrder = _table.EnsureOrder(head);
            _place = SlotOrder.Seek(head, _descending ? _to : _from);
        }

        nint row;
        do
        {
            if (_descending)
            {
                row = SlotOrder.RowBefore(head, ref _place);
            }
            else
            {
                row = SlotOrder.RowAt(head, ref _place);
                _place = new SlotOrder.Place(_place.Leaf, _place.Row + 1);
            }
        }
        while (row != 0 && RowBytes.IsGhost(row));
        return row;
    }

    /// <summary>A scan over many slots says nothing of what will be read again.</summary>
    private readonly void MarkRead(nint row)
    {
        if (_oneSlot)
        {
            RowBytes.MarkRead(row, true);
        }
    }

    /// <summary>A scan over many slots leaves no orders behind; one that ends in its slot may come again.</summary>
    private void LeaveSlot()
    {
        if (_ownsOrder)
        {
            _table.DropSmallOrder(_slotIndex);
        }

        _placed = false;
        _ownsOrder = false;
    }
}

/// <content>Rows in order.</content>
public sealed unsafe partial class Memtable
{
    private nint[] _gathered = [];

    /// <summary>
    /// The rows of a range in order. Within a slot whose order is known, finding the first row takes the logarithm of
    /// the slot's rows; a slot of up to <see cref="MemtableSettings.UnorderedRowsMax"/> rows may have to be sorted
    /// first, and larger ones are always in order.
    /// </summary>
    public MemtableCursor Seek(in RowRange range) => new(this, range);

    /// <summary>
    /// Which of the table's slots a bound lies in; below zero, or the count and more, when it is none of them.
    /// </summary>
    internal int SlotIndexOf(ReadOnlySpan<byte> bound)
    {
        Span<byte> prefix = [0, 0];
        bound[..Math.Min(2, bound.Length)].CopyTo(prefix);
        return RowKey.SlotOf(prefix).Value - _slots.First.Value;
    }

    /// <summary>True when the slot had no order and has one now.</summary>
    internal bool EnsureOrder(SlotHead* head)
    {
        if (head->Order != 0)
        {
            return false;
        }

        BuildOrder(head);
        return true;
    }

    internal void DropSmallOrder(int slotIndex)
    {
        SlotHead* head = Head(slotIndex);
        if (head->Entries <= _settings.UnorderedRowsMax && _freeze?.SlotIndex != slotIndex)
        {
            _order.Drop(head);
        }
    }

    private void BuildOrder(SlotHead* head)
    {
        if (_gathered.Length < head->Entries)
        {
            _gathered = new nint[Math.Max(head->Entries, _settings.UnorderedRowsMax + 1)];
        }

        int count = 0;
        ulong hash = 0;
        do
        {
            SlotTable.Segment* segment = SlotTable.SegmentOf(head, hash, out hash);
            for (int i = 0; i < segment->Capacity; i++)
            {
                if (SlotTable.RowOf(segment->Entries[i]) is nint row and not 0)
                {
                    _gathered[count++] = row;
                }
            }
        }
        while (hash != 0);

        Invariant.Check(count == head->Entries, "a slot's table holds as many rows as it counts");
        _order.Build(head, _gathered.AsSpan(0, count));
    }
}
