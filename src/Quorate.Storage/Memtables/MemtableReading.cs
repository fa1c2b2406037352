using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>The answer to a concurrent look at a memtable.</summary>
public enum MemtableRead : byte
{
    /// <summary>No row here; it may be on disk.</summary>
    Absent,

    /// <summary>A row, which may be a tombstone.</summary>
    Found,

    /// <summary>The slot is being changed, or the table is no more. Ask the owner.</summary>
    Busy,
}

/// <summary>A moment of one slot, to which a reader of several of its rows holds them.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SlotMoment(Slot Slot, long Sequence)
{
    /// <summary>A batch is changing the slot right now: look again, or ask the owner.</summary>
    public bool IsBusy => (Sequence & 1) != 0;
}

/// <content>What concurrent readers may call, from any thread.</content>
public sealed unsafe partial class Memtable
{
    /// <summary>
    /// Copies a row out, as of one moment between batches. Any thread may call it, each with a buffer of its own that
    /// was made for this table's <see cref="Readers"/>. Nothing is allocated once the buffer has grown.
    /// </summary>
    public MemtableRead TryRead(ReadOnlySpan<byte> rowKey, RowBuffer buffer)
    {
        ulong hash = _table.HashOf(rowKey);
        Enter(buffer);
        try
        {
            SlotHead* head = TryHead(RowKey.SlotOf(rowKey));
            for (int i = 0; head != null && i < _settings.ReadAttemptsMax; i++)
            {
                long sequence = MemtableReaders.BeginLook(ref head->Sequence);
                SlotTable.Find(head, hash, rowKey, out nint row);
                bool found = row != 0 && !RowBytes.IsGhost(row);
                if (found)
                {
                    buffer.Take(RowBytes.Read(row));
                }

                if (MemtableReaders.IsUnchanged(ref head->Sequence, sequence))
                {
                    MarkRead(row, found);
                    return found ? MemtableRead.Found : MemtableRead.Absent;
                }
            }

            return MemtableRead.Busy;
        }
        finally
        {
            Readers.Leave(buffer.Cell);
        }
    }

    /// <summary>
    /// Begins to read several rows of one slot. Whoever reads several slots begins with all of them first.
    /// </summary>
    public SlotMoment BeginRead(Slot slot, RowBuffer buffer)
    {
        Enter(buffer);
        SlotHead* head = TryHead(slot);
        long sequence = head == null ? 1 : MemtableReaders.BeginLook(ref head->Sequence);
        Readers.Leave(buffer.Cell);
        return new SlotMoment(slot, sequence);
    }

    /// <summary>
    /// Whether all that was read since is of one moment between batches. If not, all of it must be read again.
    /// </summary>
    public bool IsUnchanged(SlotMoment moment, RowBuffer buffer)
    {
        Enter(buffer);
        SlotHead* head = TryHead(moment.Slot);
        bool unchanged = head != null && MemtableReaders.IsUnchanged(ref head->Sequence, moment.Sequence);
        Readers.Leave(buffer.Cell);
        return unchanged;
    }

    /// <summary>Waits a little for a batch that changes the slot; false when that goes on.</summary>
    internal bool TryAwaitBatch(SlotHead* head, out long sequence)
    {
        sequence = MemtableReaders.BeginLook(ref head->Sequence);
        for (int i = 1; (sequence & 1) != 0 && i < _settings.ReadAttemptsMax; i++)
        {
            sequence = MemtableReaders.BeginLook(ref head->Sequence);
        }

        return (sequence & 1) == 0 || !Guards.ReadersRetryOnChange;
    }

    /// <summary>A row's address, inside an epoch; zero when there is none.</summary>
    internal void FindConcurrently(SlotHead* head, ReadOnlySpan<byte> rowKey, out nint row)
    {
        SlotTable.Find(head, _table.HashOf(rowKey), rowKey, out row);
        row = row != 0 && RowBytes.IsGhost(row) ? 0 : row;
    }

    /// <summary>A slot's head, inside an epoch; null when the table is no more or the slot is not its own.</summary>
    internal SlotHead* TryHead(Slot slot)
    {
        nint heads = MemtableReaders.Load(ref _heads);
        return heads != 0 && _slots.Contains(slot) ? (SlotHead*)heads + (slot.Value - _slots.First.Value) : null;
    }

    private static void MarkRead(nint row, bool found)
    {
        if (found)
        {
            RowBytes.MarkRead(row, true);
        }
    }

    private void Enter(RowBuffer buffer)
    {
        Invariant.Check(ReferenceEquals(buffer.Readers, Readers), "a row buffer is used with its own tables");
        Readers.Enter(buffer.Cell);
    }
}
