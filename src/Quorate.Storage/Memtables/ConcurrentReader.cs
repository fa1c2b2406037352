using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// Reads a partition's rows in memory from any thread, while the one that holds the node's lock writes them. Nothing
/// is copied and nothing allocated.
/// <para>Use: <see cref="TryBegin"/>; look rows up; <see cref="Validate"/>; <see cref="End"/>, whatever came of it.
/// What was read counts only if it was validated: then it is of one moment, whole batches only, over however many rows
/// and slots. If not, forget it and begin again, a few times, then go the slow way. Go it at once when a look answers
/// <see cref="Lookup.Cold"/>: the memory does not decide it, or the slot is busy.</para>
/// <para>Invariants: rows hold until <see cref="End"/>, and no memory that they lie in is freed before; they are at
/// least as new as <see cref="Applied"/> says, and none is newer than <see cref="Seen"/>. Between begin and end the
/// writer may have to wait for this reader, so it must not wait for anything itself, least of all for the lock.</para>
/// </summary>
public sealed unsafe class ConcurrentReader : IRowSource, IDisposable
{
    /// <summary>Slots that one reading may touch; a look into one more is cold.</summary>
    public const int SlotsMax = 64;

    private readonly MemtableReaders _readers;
    private readonly HeldSlot[] _held = new HeldSlot[SlotsMax];
    private int _cell;
    private int _heldCount;
    private ConcurrentRows? _rows;
    private ConcurrentRows.Frame _frame;

    private ConcurrentReader(MemtableReaders readers, int cell)
    {
        _readers = readers;
        _cell = cell;
    }

    /// <summary>The rows are applied at least up to here.</summary>
    public LogIndex Applied { get; private set; }

    /// <summary>The logged time as of <see cref="Applied"/>, by which expiry is judged.</summary>
    public HybridTime Time { get; private set; }

    /// <summary>
    /// No row that was shown is of a later entry: what a read token has to name, so that a later read of the same
    /// client shows no older rows.
    /// </summary>
    public LogIndex Seen { get; private set; }

    /// <summary>Null when there are <see cref="MemtableReaders.ReadersMax"/> readers already.</summary>
    public static ConcurrentReader? TryMake(MemtableReaders readers)
    {
        int cell = readers.Claim();
        return cell == MemtableReaders.None ? null : new ConcurrentReader(readers, cell);
    }

    /// <summary>
    /// Begins to read. False, and nothing has begun, when the store is not open or is being changed as a whole.
    /// </summary>
    public bool TryBegin(ConcurrentRows rows)
    {
        Invariant.Check(_rows is null, "a concurrent reader ends one reading before it begins another");
        _readers.Enter(_cell);

        // The state first: rows that are looked at later are not older.
        bool begins = rows.TryReadState(out LogIndex applied, out HybridTime time)
            && rows.TryReadFrame(out _frame) && _frame.Memory is not null;
        if (!begins)
        {
            _readers.Leave(_cell);
            return false;
        }

        Invariant.Check(ReferenceEquals(_frame.Memory!.Readers, _readers), "a reader is used with its own tables");
        _rows = rows;
        _heldCount = 0;
        Applied = applied;
        Time = time;
        Seen = applied;
        if (_frame.ClearedAt.Index > applied)
        {
            Seen = _frame.ClearedAt.Index;
        }

        return true;
    }

    /// <summary>Looks a row up. <paramref name="row"/> holds until <see cref="End"/>.</summary>
    public Lookup Get(ReadOnlySpan<byte> rowKey, out Row row)
    {
        Invariant.Check(_rows is not null, "a concurrent reader reads between begin and end");
        row = default;
        SlotHead* head = Hold(RowKey.SlotOf(rowKey));
        if (head == null)
        {
            return Lookup.Cold;
        }

        _frame.Memory!.FindConcurrently(head, rowKey, out nint found);
        if (found == 0)
        {
            return _frame.MayBeOnDisk && Guards.RowsMissingInMemoryAreCold ? Lookup.Cold : Lookup.Absent;
        }

        RowBytes.MarkRead(found, true);
        row = RowBytes.Read(found);
        Seen = row.Version.Index > Seen ? row.Version.Index : Seen;
        bool counts = !row.IsTombstone
            && (row.Version >= _frame.ClearedAt || RowKey.SpaceOf(rowKey) != RowSpace.User);
        return counts ? Lookup.Found : Lookup.Absent;
    }

    /// <summary>
    /// Cold, always: the order of a slot's rows is the writer's, and whether a range is whole in memory nobody knows.
    /// </summary>
    public Lookup Scan(in RowRange range, IRowVisitor visitor) => Lookup.Cold;

    /// <summary>Whether all that was looked up since <see cref="TryBegin"/> is of one moment between batches.</summary>
    public bool Validate()
    {
        Invariant.Check(_rows is not null, "a concurrent reader reads between begin and end");
        bool unchanged = _rows.IsUnchanged(_frame);
        for (int i = 0; i < _heldCount && unchanged; i++)
        {
            unchanged = MemtableReaders.IsUnchanged(ref _held[i].Head->Sequence, _held[i].Sequence);
        }

        return unchanged;
    }

    /// <summary>Ends the reading; rows hold no longer.</summary>
    public void End()
    {
        Invariant.Check(_rows is not null, "a reading that ends has begun");
        _rows = null;
        _frame = default;
        _readers.Leave(_cell);
    }

    /// <summary>Gives its place among the readers back; a reading under way ends.</summary>
    public void Dispose()
    {
        if (_rows is not null)
        {
            End();
        }

        if (_cell != MemtableReaders.None)
        {
            _readers.Yield(_cell);
            _cell = MemtableReaders.None;
        }
    }

    /// <summary>
    /// Holds all that is read to the slot's moment at its first look. Every moment is before every validation, so there
    /// is one at which all slots were as they were read.
    /// </summary>
    private SlotHead* Hold(Slot slot)
    {
        for (int i = 0; i < _heldCount; i++)
        {
            if (_held[i].Slot == slot)
            {
                return _held[i].Head;
            }
        }

        SlotHead* head = _frame.Memory!.TryHead(slot);
        if (head == null || _heldCount == SlotsMax || !_frame.Memory.TryAwaitBatch(head, out long sequence))
        {
            return null;
        }

        _held[_heldCount++] = new() { Slot = slot, Head = head, Sequence = sequence };
        return head;
    }

    private struct HeldSlot
    {
        public Slot Slot;
        public SlotHead* Head;
        public long Sequence;
    }
}
