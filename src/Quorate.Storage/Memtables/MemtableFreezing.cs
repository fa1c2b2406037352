using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// The dirty rows of a memtable as they were at one index, handed out in the order of their keys while changes go on.
/// Only rows that are overwritten before they were handed out are kept for it.
/// </summary>
public sealed class MemtableFreeze
{
    private readonly Memtable _table;

    internal MemtableFreeze(Memtable table, LogIndex upTo)
    {
        _table = table;
        UpTo = upTo;
    }

    /// <summary>The index whose rows these are.</summary>
    public LogIndex UpTo { get; }

    /// <summary>All rows have been handed out.</summary>
    public bool IsPassed { get; internal set; }

    /// <summary>The slot that is being handed out, counted from the table's first.</summary>
    internal int SlotIndex { get; set; }

    /// <summary>The last key of that slot that has been passed; empty when none has been.</summary>
    internal byte[] LastKey { get; private set; } = [];

    internal int LastKeyLength { get; set; }

    /// <summary>The slot's order was made for this alone and goes with it.</summary>
    internal bool OwnsOrder { get; set; }

    /// <summary>
    /// Hands out the next rows, tombstones included, until so many have been looked at or the visitor has enough. True
    /// when there are more. Row key and row hold until the visitor returns; it must not change the table.
    /// </summary>
    public bool Next(int rowsMax, IRowVisitor visitor) => _table.NextFrozen(this, rowsMax, visitor);

    internal bool HasPassed(int slotIndex, ReadOnlySpan<byte> rowKey) =>
        IsPassed || slotIndex < SlotIndex
        || (slotIndex == SlotIndex && rowKey.SequenceCompareTo(LastKey.AsSpan(0, LastKeyLength)) <= 0);

    internal void Pass(ReadOnlySpan<byte> rowKey)
    {
        if (LastKey.Length < rowKey.Length)
        {
            LastKey = new byte[rowKey.Length * 2];
        }

        rowKey.CopyTo(LastKey);
        LastKeyLength = rowKey.Length;
    }

    internal void PassSlot()
    {
        SlotIndex++;
        LastKeyLength = 0;
        OwnsOrder = false;
    }
}

/// <content>Freezes, one at a time.</content>
public sealed unsafe partial class Memtable
{
    private readonly List<nint> _passed = [];
    private int _keptRows;

    /// <summary>
    /// Begins to hand out the dirty rows as of now, when everything up to this index is in the table. It takes no time
    /// to speak of. One freeze at a time; it ends with <see cref="Saved"/> or <see cref="Abandon"/>.
    /// </summary>
    public MemtableFreeze Freeze(LogIndex upTo)
    {
        Invariant.Check(_freeze is null && !_inBatch, "one freeze at a time, between batches");
        _frozenBytes = _dirtyBytes;
        _dirtyBytes = 0;
        _freeze = new MemtableFreeze(this, upTo);
        return _freeze;
    }

    /// <summary>What the freeze has handed out is on disk: those rows are clean, unless overwritten since.</summary>
    public void Saved(MemtableFreeze freeze)
    {
        Invariant.Check(ReferenceEquals(freeze, _freeze) && freeze.IsPassed, "what is saved has been handed out");
        _savedUpTo = Math.Max(_savedUpTo, freeze.UpTo.Value);
        _frozenBytes = 0;
        _freeze = null;
    }

    /// <summary>The freeze came to nothing; its rows stay dirty. It looks at rows that were kept for it.</summary>
    public void Abandon(MemtableFreeze freeze)
    {
        Invariant.Check(ReferenceEquals(freeze, _freeze), "a freeze that ends has begun");
        while (_keptRows > 0 && !freeze.IsPassed)
        {
            NextFrozen(freeze, int.MaxValue, null);
        }

        DropOwnOrder(freeze);
        freeze.IsPassed = true;
        _dirtyBytes += _frozenBytes;
        _frozenBytes = 0;
        _freeze = null;
    }

    internal bool NextFrozen(MemtableFreeze freeze, int rowsMax, IRowVisitor? visitor)
    {
        Invariant.Check(ReferenceEquals(freeze, _freeze), "a freeze is read until it ends");
        bool wantsMore = true;
        while (!freeze.IsPassed && rowsMax > 0 && wantsMore)
        {
            SlotHead* head = Head(freeze.SlotIndex);
            rowsMax--;
            if (head->Entries == 0 || head->DirtyIndexMax <= _savedUpTo || PassRows(head, freeze, ref rowsMax,
                ref wantsMore, visitor))
            {
                DropOwnOrder(freeze);
                freeze.PassSlot();
                freeze.IsPassed = freeze.SlotIndex == _slots.Count;
            }
        }

        return !freeze.IsPassed;
    }

    private bool IsFrozen(nint row) =>
        _freeze is not null && IsDirty(row) && RowBytes.VersionOf(row).Index.Value <= _freeze.UpTo.Value;

    /// <summary>The row that must be kept when this one goes: itself, one before it, or none (zero).</summary>
    private nint KeptOf(nint row, ReadOnlySpan<byte> rowKey)
    {
        nint previous = RowBytes.PreviousOf(row);
        if (previous != 0 || _freeze is null || RowBytes.IsGhost(row) || !IsFrozen(row))
        {
            return previous;
        }

        int slotIndex = RowKey.SlotOf(rowKey).Value - _slots.First.Value;
        if (_freeze.HasPassed(slotIndex, rowKey) || !Guards.FreezeKeepsOverwrittenRows)
        {
            return 0;
        }

        _keptRows++;
        return row;
    }

    /// <summary>Hands rows of one slot out; true when they were the last.</summary>
    private bool PassRows(
        SlotHead* head, MemtableFreeze freeze, ref int rowsMax, ref bool wantsMore, IRowVisitor? visitor)
    {
        if (head->Order == 0)
        {
            BuildOrder(head);
            freeze.OwnsOrder = true;
        }

        ReadOnlySpan<byte> last = freeze.LastKey.AsSpan(0, freeze.LastKeyLength);
        SlotOrder.Place place = SlotOrder.Seek(head, last);
        nint row = SlotOrder.RowAt(head, ref place);
        if (row != 0 && RowBytes.KeyOf(row).SequenceEqual(last))
        {
            place = new SlotOrder.Place(place.Leaf, place.Row + 1);
            row = SlotOrder.RowAt(head, ref place);
        }

        nint passed = 0;
        while (row != 0 && wantsMore && rowsMax-- > 0)
        {
            nint previous = RowBytes.PreviousOf(row);
            nint frozen = previous != 0 ? previous : IsFrozen(row) ? row : 0;
            if (frozen != 0 && visitor is not null)
            {
                wantsMore = visitor.Visit(RowBytes.KeyOf(frozen), RowBytes.Read(frozen));
            }

            if (previous != 0)
            {
                _passed.Add(row);
            }

            passed = row;
            place = new SlotOrder.Place(place.Leaf, place.Row + 1);
            row = SlotOrder.RowAt(head, ref place);
        }

        if (passed != 0)
        {
            freeze.Pass(RowBytes.KeyOf(passed));
            ReleaseKept(head);
        }

        return row == 0;
    }

    /// <summary>Rows that were kept behind these are needed no more, and neither are ghosts.</summary>
    private void ReleaseKept(SlotHead* head)
    {
        foreach (nint row in _passed)
        {
            nint previous = RowBytes.PreviousOf(row);
            RowBytes.ForgetPrevious(row);
            _memory.Retire(previous, RowBytes.Bytes(previous));
            _keptRows--;
            if (RowBytes.IsGhost(row))
            {
                ReadOnlySpan<byte> rowKey = RowBytes.KeyOf(row);
                ulong hash = _table.HashOf(rowKey);
                Change(head);
                TakeOut(head, SlotTable.Find(head, hash, rowKey, out _), hash, rowKey);
                _memory.Retire(row, RowBytes.Bytes(row));
            }
        }

        _passed.Clear();
        EndChange();
    }

    private void DropOwnOrder(MemtableFreeze freeze)
    {
        if (freeze.OwnsOrder)
        {
            SlotHead* head = Head(freeze.SlotIndex);
            if (head->Entries <= _settings.UnorderedRowsMax)
            {
                _order.Drop(head);
            }
        }
    }
}
