using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// One partition's rows in native memory: one writer, any number of concurrent readers, and no managed object a row.
/// <para>Each slot has a hash table of row addresses (<see cref="SlotTable"/>) and, when somebody has asked for it, its
/// rows in order (<see cref="SlotOrder"/>). Rows are never changed in place: a new one takes the place of the old,
/// which is freed when no reader can be at it (<see cref="MemtableReaders"/>).</para>
/// <para>Invariants: a row's version never falls; a dirty row stays until it is saved or the caller takes it out;
/// what a batch changes in a slot is seen by concurrent readers all or none; a freeze hands out each row that was dirty
/// when it began, as it was then.</para>
/// </summary>
public sealed unsafe partial class Memtable : IDisposable
{
    private readonly SlotRange _slots;
    private readonly MemtableSettings _settings;
    private readonly NativeSlabs _slabs;
    private readonly RetiredMemory _memory;
    private readonly SlotTable _table;
    private readonly SlotOrder _order;
    private readonly List<nint> _changing = [];
    private nint _heads;
    private bool _inBatch;
    private ulong _savedUpTo;
    private long _dirtyBytes;
    private long _frozenBytes;
    private MemtableFreeze? _freeze;

    /// <summary>Readers are those who may read it concurrently; none need be named when there are none.</summary>
    public Memtable(SlotRange slots, MemtableSettings settings, MemoryBudget budget, MemtableReaders? readers = null)
    {
        _slots = slots;
        _settings = settings;
        Readers = readers ?? new MemtableReaders(1);
        _slabs = new NativeSlabs(budget, MemoryUse.Memtables);
        _memory = new RetiredMemory(settings, _slabs, Readers);
        _table = new SlotTable(settings, _memory);
        _order = new SlotOrder(_slabs);
        int bytes = slots.Count * SlotHead.Bytes;
        nint heads = (nint)NativeMemory.AlignedAlloc((nuint)bytes, SlotHead.Bytes);
        new Span<byte>((void*)heads, bytes).Clear();
        MemtableReaders.Publish(ref _heads, heads);
    }

    public MemtableReaders Readers { get; }

    /// <summary>What a row takes, in bytes: its cell, and its entry in the table that finds it.</summary>
    public static long BytesOf(int rowKeyBytes, int valueBytes, bool expires) =>
        NativeSlabs.CellBytes(RowBytes.Bytes(rowKeyBytes, valueBytes, expires, hasPrevious: false)) + sizeof(ulong);

    public SlotRange Slots => _slots;

    /// <summary>Rows, tombstones included.</summary>
    public int Count { get; private set; }

    /// <summary>Dirty rows, in bytes: what a checkpoint would write.</summary>
    public long DirtyBytes => _frozenBytes + _dirtyBytes;

    /// <summary>Of the largest row that was ever here, in bytes.</summary>
    public int LargestRowBytes { get; private set; }

    /// <summary>Users' rows without tombstones, in bytes.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>All memory in use, as the budget knows it: rows, tables, orders, what waits for readers.</summary>
    public long UsedBytes => _slabs.UsedBytes;

    /// <summary>
    /// What the system has handed out: <see cref="UsedBytes"/> and what is free in pages, for rows to come.
    /// </summary>
    public long NativeBytes => _slabs.NativeBytes + ((long)_slots.Count * SlotHead.Bytes);

    /// <summary>Memory out of sight that waits for concurrent readers, in bytes.</summary>
    public long RetiredBytes => _memory.WaitingBytes;

    /// <summary>
    /// Begins a batch: until <see cref="EndBatch"/> the slots that it changes show themselves to no concurrent reader.
    /// A change outside of a batch is one by itself.
    /// </summary>
    public void BeginBatch()
    {
        Invariant.Check(!_inBatch, "batches do not nest");
        _inBatch = true;
    }

    /// <summary>The batch's changes are seen from now on.</summary>
    public void EndBatch()
    {
        Invariant.Check(_inBatch, "a batch that ends has begun");
        _inBatch = false;
        Publish();
    }

    /// <summary>
    /// Looks a row up, for the writer. Tombstones are found too. The value lies in native memory and holds until the
    /// next change.
    /// </summary>
    public bool TryGet(ReadOnlySpan<byte> rowKey, out Row row)
    {
        SlotTable.Find(HeadOf(rowKey), _table.HashOf(rowKey), rowKey, out nint found);
        if (found == 0 || RowBytes.IsGhost(found))
        {
            row = default;
            return false;
        }

        RowBytes.MarkRead(found, true);
        row = RowBytes.Read(found);
        return true;
    }

    /// <summary>
    /// Puts a row or a tombstone. Clean means that it is on disk too. The expiry is in milliseconds since 1970, zero
    /// when never. Key and value are copied.
    /// </summary>
    public void Put(
        ReadOnlySpan<byte> rowKey, RowType type, RowVersion version, long expiry, ReadOnlySpan<byte> value, bool dirty)
    {
        SlotHead* head = HeadOf(rowKey);
        ulong keyHash = KeyHash.Of(rowKey);
        var content = new Row(type, version, expiry, KeyHash.Of(value, keyHash), value);
        ulong hash = keyHash & _settings.HashMask;
        ulong* place = SlotTable.Find(head, hash, rowKey, out nint old);
        CheckVersion(old, version, dirty);
        Change(head);
        nint previous = old == 0 ? 0 : KeptOf(old, rowKey);
        nint row = Write(rowKey, content, dirty, previous);
        if (old == 0)
        {
            _table.Add(head, hash, row);
            AddToOrder(head, rowKey, row);
        }
        else
        {
            Replace(head, place, hash, rowKey, row);
            Forget(head, old, previous);
        }

        Count++;
        head->Expiring += expiry != 0 ? 1 : 0;
        LiveBytes += IsLive(row) ? RowBytes.Bytes(row) : 0;
        if (dirty)
        {
            CountDirty(row, 1);
            head->DirtyIndexMax = Math.Max(head->DirtyIndexMax, version.Index.Value);
        }

        EndChange();
    }

    /// <summary>
    /// Gives all memory back. Whoever hands this table to readers has stopped that before; those who are still inside
    /// are waited for.
    /// </summary>
    public void Dispose()
    {
        nint heads = _heads;
        if (heads == 0)
        {
            return;
        }

        MemtableReaders.Publish(ref _heads, 0);
        Readers.AwaitAll();
        NativeMemory.AlignedFree((void*)heads);
        _slabs.Dispose();
        _freeze = null;
    }

    internal bool IsDirty(nint row) => RowBytes.WasDirty(row) && RowBytes.VersionOf(row).Index.Value > _savedUpTo;

    internal SlotHead* Head(int slotIndex)
    {
        Invariant.Check(_heads != 0, "a memtable is not used after it was disposed");
        return (SlotHead*)_heads + slotIndex;
    }

    private SlotHead* HeadOf(ReadOnlySpan<byte> rowKey)
    {
        Slot slot = RowKey.SlotOf(rowKey);
        Invariant.Check(_slots.Contains(slot), "a memtable is asked only for its own slots");
        return Head(slot.Value - _slots.First.Value);
    }

    private void CheckVersion(nint old, RowVersion version, bool dirty)
    {
        bool follows = old == 0 || version >= RowBytes.VersionOf(old);
        Invariant.Check(follows, "a row is not replaced by an older one");
        Invariant.Check(!dirty || version.Index.Value > _savedUpTo, "a dirty row is newer than all that is saved");
        bool late = dirty && _freeze is not null && version.Index.Value <= _freeze.UpTo.Value;
        Invariant.Check(!late || (old != 0 && IsFrozen(old)), "no row is added to a freeze after it has begun");
    }

    /// <summary>Before a slot is changed: readers see no part of what comes.</summary>
    private void Change(SlotHead* head)
    {
        if ((head->Sequence & 1) == 0)
        {
            MemtableReaders.BeginChange(ref head->Sequence);
            _changing.Add((nint)head);
        }
    }

    private void EndChange()
    {
        if (!_inBatch || !Guards.BatchesArePublishedWhole)
        {
            Publish();
        }
    }

    private void Publish()
    {
        foreach (nint head in _changing)
        {
            MemtableReaders.EndChange(ref ((SlotHead*)head)->Sequence);
        }

        _changing.Clear();
        _memory.ReclaimWhenMuch();
    }

    private nint Write(ReadOnlySpan<byte> rowKey, in Row content, bool dirty, nint previous)
    {
        int bytes = RowBytes.Bytes(rowKey.Length, content.Value.Length, content.Expiry != 0, previous != 0);
        nint row = _memory.Allocate(bytes);
        RowBytes.Write(row, rowKey, content, dirty, previous);
        return row;
    }

    private static void Replace(SlotHead* head, ulong* place, ulong hash, ReadOnlySpan<byte> rowKey, nint row)
    {
        SlotTable.Replace(place, hash, row);
        if (head->Order != 0)
        {
            SlotOrder.Replace(head, rowKey, row);
        }
    }

    private void AddToOrder(SlotHead* head, ReadOnlySpan<byte> rowKey, nint row)
    {
        if (head->Order != 0)
        {
            _order.Add(head, rowKey, row);
        }
        else if (head->Entries > _settings.UnorderedRowsMax)
        {
            BuildOrder(head);
        }
    }

    private void CountDirty(nint row, int sign)
    {
        int bytes = sign * RowBytes.Bytes(row);
        LargestRowBytes = Math.Max(LargestRowBytes, bytes);
        if (IsFrozen(row))
        {
            _frozenBytes += bytes;
        }
        else
        {
            _dirtyBytes += bytes;
        }
    }

    /// <summary>The row is no more what its key means; unless a freeze keeps it, its memory is retired.</summary>
    private void Forget(SlotHead* head, nint row, nint kept)
    {
        if (!RowBytes.IsGhost(row))
        {
            Count--;
            head->Expiring -= RowBytes.ExpiryOf(row) != 0 ? 1 : 0;
            LiveBytes -= IsLive(row) ? RowBytes.Bytes(row) : 0;
            if (IsDirty(row))
            {
                CountDirty(row, -1);
            }
        }

        if (row != kept)
        {
            _memory.Retire(row, RowBytes.Bytes(row));
        }
    }
}
