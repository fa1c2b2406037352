using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <content>
/// Eviction and the sweep for expired rows: two hands that go round the slots, segment by segment, a bounded number of
/// rows at a time.
/// </content>
public sealed unsafe partial class Memtable
{
    private Hand _evictionHand;
    private Hand _sweepHand;
    private int _orderHand;

    /// <summary>
    /// Evicts clean rows that were not read since it last came by (the second chance, Corbató 1968), until so many
    /// bytes are freed, or <see cref="MemtableSettings.StepRowsMax"/> rows were looked at, or everything was looked at
    /// twice. Orders that can be made again go first. What was freed, or will be when readers have left, in bytes: zero
    /// says that this step found nothing, which a later one may.
    /// </summary>
    public long EvictClean(long bytes)
    {
        long freed = DropOrders(bytes);
        int looked = 0;
        for (int turn = 0; turn < 2 * _slots.Count && looked < _settings.StepRowsMax && freed < bytes; turn++)
        {
            SlotHead* head = Head(_evictionHand.Slot);
            looked += head->Entries == 0 ? 0 : EvictFrom(head, ref freed);
            _evictionHand.Advance(head, _slots.Count);
        }

        EndChange();
        _memory.Reclaim();
        return freed;
    }

    /// <summary>
    /// Shows rows whose expiry is not after this time (milliseconds since 1970) to the visitor, which must not change
    /// the table; the next call goes on where this one ended, after about so many rows. A visitor that ends it is shown
    /// the rest of that segment again, with what it has left there.
    /// </summary>
    public void SweepExpired(long time, int rowsMax, IRowVisitor visitor)
    {
        for (int turn = 0; turn < _slots.Count && rowsMax > 0; turn++)
        {
            SlotHead* head = Head(_sweepHand.Slot);
            if (head->Expiring == 0)
            {
                _sweepHand.SkipSlot(_slots.Count);
                continue;
            }

            SlotTable.Segment* segment = SlotTable.SegmentOf(head, _sweepHand.Hash, out _);
            rowsMax -= segment->Live;
            for (int i = 0; i < segment->Capacity; i++)
            {
                nint row = SlotTable.RowOf(segment->Entries[i]);
                if (row != 0 && RowBytes.ExpiryOf(row) is long expiry and not 0 && expiry <= time
                    && !visitor.Visit(RowBytes.KeyOf(row), RowBytes.Read(row)))
                {
                    return;
                }
            }

            _sweepHand.Advance(head, _slots.Count);
        }
    }

    /// <summary>Drops orders of slots that are quickly sorted again.</summary>
    private long DropOrders(long bytes)
    {
        long freed = 0;
        int turns = Math.Min(_slots.Count, _settings.StepRowsMax);
        for (int turn = 0; turn < turns && freed < bytes; turn++)
        {
            SlotHead* head = Head(_orderHand);
            if (head->Order != 0 && head->Entries <= _settings.UnorderedRowsMax && _freeze?.SlotIndex != _orderHand)
            {
                freed += _order.Drop(head);
            }

            _orderHand = (_orderHand + 1) % _slots.Count;
        }

        return freed;
    }

    private int EvictFrom(SlotHead* head, ref long freed)
    {
        SlotTable.Segment* segment = SlotTable.SegmentOf(head, _evictionHand.Hash, out _);
        int looked = segment->Live;
        for (int i = 0; i < segment->Capacity; i++)
        {
            nint row = SlotTable.RowOf(segment->Entries[i]);
            if (row == 0 || IsDirty(row) || RowBytes.IsGhost(row) || RowBytes.PreviousOf(row) != 0)
            {
                continue;
            }

            if (RowBytes.WasRead(row))
            {
                RowBytes.MarkRead(row, false);
                continue;
            }

            Change(head);
            freed += TakeOut(head, segment, i);
        }

        ShrinkAfter(head, segment, _evictionHand.Hash);
        return looked;
    }

    /// <summary>A segment of a slot's table, named by the first hash that it holds: splits do not move it.</summary>
    private struct Hand
    {
        public int Slot;
        public ulong Hash;

        public void Advance(SlotHead* head, int slots)
        {
            if (head->Entries > 0)
            {
                SlotTable.SegmentOf(head, Hash, out Hash);
            }
            else
            {
                Hash = 0;
            }

            if (Hash == 0)
            {
                SkipSlot(slots);
            }
        }

        public void SkipSlot(int slots)
        {
            Hash = 0;
            Slot = (Slot + 1) % slots;
        }
    }
}
