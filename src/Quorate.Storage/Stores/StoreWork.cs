using Quorate.Core;
using Quorate.Storage.Memory;

namespace Quorate.Storage.Stores;

/// <summary>
/// One kind of a store's work on files, which begins when there is memory for it; see <see cref="WorkRoom"/>.
/// <para>Invariant: a store that is dead holds no room.</para>
/// </summary>
/// <param name="kind">What it is for.</param>
/// <param name="again">Called when it may begin after it had to wait; it then does so, or returns what it got.</param>
internal sealed class StoreWork(StoreContext context, WorkKind kind, Action again)
{
    /// <summary>What a table's making takes beside what its writer holds: index and filter are put together.</summary>
    private const int FinishFactor = 3;

    /// <summary>All merges of a store together read ahead this part of the memory at most.</summary>
    private const int ReadAheadDivisor = 16;

    /// <summary>
    /// How often a large row is there while it is written: as a block, stored, and on its way to the disk.
    /// </summary>
    private const int WriterCopies = 3;

    private WorkRoom.WorkLease? _lease;

    /// <summary>What it waited for is there, and it has not begun yet.</summary>
    private bool _isGranted;

    /// <summary>It has asked for memory and has to wait.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Begins, if there is memory for tables of so many bytes of rows.</summary>
    /// <param name="bytes">Of the rows that are written, at most.</param>
    /// <param name="inputs">Runs of tables that are read for it.</param>
    public bool TryBegin(long bytes, int inputs)
    {
        if (IsWaiting || context.IsDead)
        {
            return false;
        }

        if (_isGranted)
        {
            _isGranted = false;
            return true;
        }

        long building = Math.Min(bytes, FinishFactor * (long)context.TableSettings.BuildBytesMax);
        long reading = Math.Min(
            Math.Min(bytes, inputs * (long)context.Settings.PassReadBytes),
            context.Budget.TotalBytes / ReadAheadDivisor);
        long memory = building + (inputs > 0 ? reading : 0) + context.Settings.Tables.WritePieceBytes;
        _lease = context.Budget.Work.TryBegin(kind, memory + LargeRowBytes(bytes, inputs), Granted);
        IsWaiting = _lease is null;
        return !IsWaiting;
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
    public static int RunsMax(StoreContext context)
    {
        long row = context.LargestRowBytes;
        bool isLarge = row > context.Settings.Tables.WritePieceBytes && Guards.LargeWorkIsCounted;
        long runs = isLarge ? (context.Budget.WorkBytesMax / row) - WriterCopies : int.MaxValue;
        return (int)Math.Clamp(runs, 2, int.MaxValue);
    }

    /// <summary>A row that is larger than what is written at a time is there whole, several times.</summary>
    private long LargeRowBytes(long bytes, int inputs)
    {
        long row = Math.Min(bytes, context.LargestRowBytes);
        bool isLarge = row > context.Settings.Tables.WritePieceBytes && Guards.LargeWorkIsCounted;
        return isLarge ? row * (WriterCopies + inputs) : 0;
    }

    private void Granted(WorkRoom.WorkLease lease)
    {
        IsWaiting = false;
        _lease = lease;
        _isGranted = true;
        again();
    }
}
