using Quorate.Storage.Memory;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <content>Rows that go.</content>
public sealed unsafe partial class Memtable
{
    /// <summary>
    /// Forgets a row, for those that are on disk too or that hide nothing there. False when there is none.
    /// </summary>
    public bool Remove(ReadOnlySpan<byte> rowKey)
    {
        SlotHead* head = HeadOf(rowKey);
        ulong hash = _table.HashOf(rowKey);
        ulong* place = SlotTable.Find(head, hash, rowKey, out nint row);
        if (row == 0 || RowBytes.IsGhost(row))
        {
            return false;
        }

        Change(head);
        if (!TryLeaveGhost(head, place, hash, row))
        {
            TakeOut(head, place, hash, rowKey);
            Forget(head, row, 0);
        }

        EndChange();
        return true;
    }

    /// <summary>
    /// Forgets all rows of one space, as <see cref="Remove"/> does one: a batch over all slots, which takes as long as
    /// there are rows.
    /// </summary>
    public void RemoveAll(RowSpace space)
    {
        for (int i = 0; i < _slots.Count; i++)
        {
            SlotHead* head = Head(i);
            ulong hash = 0;
            do
            {
                ulong next = 0;
                if (head->Entries > 0)
                {
                    RemoveAll(head, SlotTable.SegmentOf(head, hash, out next), hash, space);
                }

                hash = head->Entries > 0 ? next : 0;
            }
            while (hash != 0);
        }

        EndChange();
    }

    private void RemoveAll(SlotHead* head, SlotTable.Segment* segment, ulong hash, RowSpace space)
    {
        for (int i = 0; i < segment->Capacity; i++)
        {
            nint row = SlotTable.RowOf(segment->Entries[i]);
            if (row == 0 || RowBytes.IsGhost(row) || RowKey.SpaceOf(RowBytes.KeyOf(row)) != space)
            {
                continue;
            }

            Change(head);
            if (!TryLeaveGhost(head, segment->Entries + i, _table.HashOf(RowBytes.KeyOf(row)), row))
            {
                TakeOut(head, segment, i);
            }
        }

        ShrinkAfter(head, segment, hash);
    }

    /// <summary>Leaves a ghost in the place of a row that goes, when a freeze needs what was there.</summary>
    private bool TryLeaveGhost(SlotHead* head, ulong* place, ulong hash, nint row)
    {
        ReadOnlySpan<byte> rowKey = RowBytes.KeyOf(row);
        nint previous = KeptOf(row, rowKey);
        if (previous == 0)
        {
            return false;
        }

        var ghost = new Row(RowBytes.Ghost, RowBytes.VersionOf(row), 0, 0, default);
        Replace(head, place, hash, rowKey, Write(rowKey, ghost, dirty: false, previous));
        Forget(head, row, previous);
        return true;
    }

    /// <summary>
    /// Takes an entry out of a segment that somebody walks through; then <see cref="ShrinkAfter"/>. What it took, in
    /// bytes.
    /// </summary>
    private int TakeOut(SlotHead* head, SlotTable.Segment* segment, int index)
    {
        nint row = SlotTable.RowOf(segment->Entries[index]);
        int bytes = NativeSlabs.CellBytes(RowBytes.Bytes(row));
        if (head->Order != 0)
        {
            _order.Remove(head, RowBytes.KeyOf(row));
        }

        SlotTable.RemoveEntry(head, segment, segment->Entries + index);
        Forget(head, row, 0);
        return bytes;
    }

    private void ShrinkAfter(SlotHead* head, SlotTable.Segment* segment, ulong hash)
    {
        if (head->Entries == 0)
        {
            _order.Drop(head);
        }

        if ((head->Sequence & 1) != 0)
        {
            _table.Shrink(head, segment, hash);
        }
    }

    private void TakeOut(SlotHead* head, ulong* place, ulong hash, ReadOnlySpan<byte> rowKey)
    {
        if (head->Order != 0)
        {
            _order.Remove(head, rowKey);
        }

        _table.Remove(head, place, hash);
        if (head->Entries == 0)
        {
            _order.Drop(head);
        }
    }
}
