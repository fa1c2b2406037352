using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Storage.Rows;

namespace Quorate.Storage.Memtables;

/// <summary>
/// What a partition's store shows to readers that do not hold the node's lock (<see cref="ConcurrentReader"/>): its
/// rows in memory, how far they are applied, and what decides whether a row counts. One writer, who holds that lock.
/// <para>Two sequences, as a slot has one. The first covers applied index and logged time, which every entry changes.
/// The second covers the table, the last clear, and whether rows may be on disk too, which change seldom: readers hold
/// on to it as to their slots, so that a clear is seen with the rest of its batch.</para>
/// </summary>
public sealed class ConcurrentRows
{
    /// <summary>Looks at a sequence that is being changed before a reader is sent away.</summary>
    private const int AttemptsMax = 64;

    private long _stateSequence;
    private ulong _applied;
    private ulong _time;
    private long _frameSequence;
    private ulong _clearedAt;
    private bool _mayBeOnDisk;
    private Memtable? _memory;

    /// <summary>What the rows are held to: see <see cref="ConcurrentReader"/>.</summary>
    internal readonly record struct Frame(long Sequence, Memtable? Memory, RowVersion ClearedAt, bool MayBeOnDisk);

    /// <summary>
    /// Another table takes the place of the one before, which may be disposed then; null: there is none.
    /// </summary>
    internal void Exchange(Memtable? memory, RowVersion clearedAt)
    {
        BeginFrame();
        _memory = memory;
        _clearedAt = clearedAt.Packed;
        EndFrame();
    }

    /// <summary>
    /// Says whether a row that is not in memory may be on disk. It is told before the first row that is there leaves
    /// the memory.
    /// </summary>
    internal void NoteTables(bool any)
    {
        if (any != _mayBeOnDisk)
        {
            BeginFrame();
            _mayBeOnDisk = any;
            EndFrame();
        }
    }

    /// <summary>A batch clears: nobody is let in until <see cref="EndClear"/>, when all of the batch is seen.</summary>
    internal void BeginClear(RowVersion version)
    {
        if ((_frameSequence & 1) == 0)
        {
            BeginFrame();
        }

        _clearedAt = version.Packed;
        if (!Guards.ClearsShowWithTheirBatch)
        {
            EndFrame();
        }
    }

    /// <summary>The batch is whole; it need not have cleared anything.</summary>
    internal void EndClear()
    {
        if ((_frameSequence & 1) != 0)
        {
            EndFrame();
        }
    }

    /// <summary>The rows are applied up to here, and seen.</summary>
    internal void Publish(LogIndex applied, HybridTime time)
    {
        MemtableReaders.BeginChange(ref _stateSequence);
        _applied = applied.Value;
        _time = time.Packed;
        MemtableReaders.EndChange(ref _stateSequence);
    }

    internal bool TryReadState(out LogIndex applied, out HybridTime time)
    {
        for (int i = 0; i < AttemptsMax; i++)
        {
            long sequence = MemtableReaders.BeginLook(ref _stateSequence);
            applied = new(_applied);
            time = new(_time);
            if (MemtableReaders.IsUnchanged(ref _stateSequence, sequence))
            {
                return true;
            }
        }

        applied = default;
        time = default;
        return false;
    }

    internal bool TryReadFrame(out Frame frame)
    {
        for (int i = 0; i < AttemptsMax; i++)
        {
            long sequence = MemtableReaders.BeginLook(ref _frameSequence);
            frame = new(sequence, _memory, new(_clearedAt), _mayBeOnDisk);
            if (MemtableReaders.IsUnchanged(ref _frameSequence, sequence))
            {
                return true;
            }
        }

        frame = default;
        return false;
    }

    internal bool IsUnchanged(in Frame frame) => MemtableReaders.IsUnchanged(ref _frameSequence, frame.Sequence);

    private void BeginFrame() => MemtableReaders.BeginChange(ref _frameSequence);

    private void EndFrame() => MemtableReaders.EndChange(ref _frameSequence);
}
