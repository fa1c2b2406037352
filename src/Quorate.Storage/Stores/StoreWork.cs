using System.Runtime.InteropServices;
using Quorate.Core;
using Quorate.Storage.Blocks;
using Quorate.Storage.Memory;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Stores;

/// <summary>What work on files goes through, by which it is known before it begins what memory it takes.</summary>
/// <param name="Bytes">Of the rows that are written, as they are in memory, at most.</param>
/// <param name="LargestBytes">Of the largest of these rows, or of the largest block of them.</param>
/// <param name="Runs">Runs of tables that are read side by side; none when the rows are in memory.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct WorkSize(long Bytes, long LargestBytes, int Runs);

/// <summary>
/// One kind of a store's work on files, which begins when there is memory for it; see <see cref="WorkRoom"/>.
/// <para>Invariant: a store that is dead holds no room.</para>
/// </summary>
/// <param name="kind">What it is for.</param>
/// <param name="again">Called when it may begin after it had to wait; it then does so, or returns what it got.</param>
internal sealed class StoreWork(StoreContext context, WorkKind kind, Action again)
{
    /// <summary>
    /// A table's making takes so many times what its writer may hold, or what the rows take: that, and three times
    /// index and filter while they are put together, written and read back.
    /// </summary>
    private const int FinishFactor = 4;

    /// <summary>The writer fills one piece while another is written, and both may have grown by doubling.</summary>
    private const int PieceFactor = 4;

    /// <summary>What is read is there as it is stored and, for a while, as blocks.</summary>
    private const int ReadFactor = 2;

    /// <summary>
    /// How often a large row is there while it is written: as a block, stored, and on its way to the disk. For each run
    /// that is merged it is there once more.
    /// </summary>
    private const int WriterCopies = 3;

    private WorkRoom.WorkLease? _lease;

    /// <summary>What it waited for is there, and it has not begun yet.</summary>
    private bool _isGranted;

    /// <summary>It has asked for memory and has to wait.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Begins, if there is memory for it.</summary>
    public bool TryBegin(in WorkSize size)
    {
        if (IsWaiting || context.IsDead)
        {
            return false;
        }

        long needed = BytesOf(size);
        WorkRoom.WorkLease? granted = _isGranted ? _lease : null;
        _isGranted = false;
        if (granted is not null && (needed <= granted.Bytes || !Guards.LeasesFitTheWork))
        {
            return true;
        }

        // What was granted was enough for what there was to do when it was asked for, and is not for this.
        _lease = null;
        IsWaiting = true;
        WorkRoom room = context.Budget.Work;
        WorkRoom.WorkLease? lease = granted is null
            ? room.TryBegin(kind, needed, Granted)
            : room.TryExchange(granted, needed, Granted);
        if (lease is null)
        {
            return false;
        }

        (_lease, IsWaiting) = (lease, false);
        return true;
    }

    /// <summary>The work has ended, or the store is dead.</summary>
    public void End()
    {
        if (IsWaiting)
        {
            IsWaiting = false;
            context.Budget.Work.Forget(Granted);
        }

        _isGranted = false;
        _lease?.Dispose();
        _lease = null;
    }

    /// <summary>What was granted and is not wanted any more goes to others.</summary>
    public void ReturnUnused()
    {
        if (_isGranted)
        {
            End();
        }
    }

    /// <summary>
    /// Of how many runs a merge may be: each has a block in memory, which is as large as its largest row.
    /// </summary>
    public static int RunsMax(StoreContext context, TableSet set)
    {
        long row = set.Tables.Count == 0 ? 0 : set.Tables.Max(table => (long)table.Reader.LargestBlockMemoryBytes);
        bool isLarge = row > context.Settings.Tables.WritePieceBytes && Guards.LargeWorkIsCounted;
        long runs = isLarge ? (context.Budget.WorkBytesMax / row) - WriterCopies : int.MaxValue;
        return (int)Math.Clamp(runs, 2, int.MaxValue);
    }

    /// <summary>The memory that it takes at most, in bytes.</summary>
    private long BytesOf(in WorkSize size)
    {
        SSTableSettings tables = context.TableSettings;
        long block = Math.Max(tables.BlockBytes, size.LargestBytes) + EncodedRow.HeaderBytesMax;
        long building = FinishFactor * Math.Min(size.Bytes, tables.BuildBytesMax);
        long pieces = PieceFactor * (Math.Min(size.Bytes, tables.WritePieceBytes) + block);
        long reading = size.Runs == 0
            ? 0
            : Math.Min(size.Bytes, size.Runs * Math.Max(TableWindow.BytesMax(context, size.Runs), block));
        return SSTableWriter.MemoryBytesMin + building + pieces + block + (ReadFactor * reading);
    }

    private void Granted(WorkRoom.WorkLease lease)
    {
        IsWaiting = false;
        _lease = lease;
        _isGranted = true;
        again();
    }
}
