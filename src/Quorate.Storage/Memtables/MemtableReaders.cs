using Quorate.Core;
using Quorate.Core.Model;

// The only place where threads meet: this class orders what the writer does and what readers see of it.
#pragma warning disable RS0030

namespace Quorate.Storage.Memtables;

/// <summary>
/// Where the readers of memtables meet their writer. One for all memtables of a node.
/// <para>Epochs (Fraser, "Practical lock-freedom", 2004, section 5.2.3): a reader names the epoch in which it began in
/// a cell of its own; what the writer has taken out of sight is freed only when all readers inside have begun
/// later.</para>
/// <para>Sequences (Boehm, "Can seqlocks get along with programming language memory models?", 2012): a slot's number
/// is odd while a batch changes it; who reads looks at it before and after, and reads again when it was odd or has
/// changed. Rows are never changed once they can be seen, so what is copied is a row at any rate; the sequence makes it
/// one of a whole batch.</para>
/// </summary>
public sealed unsafe class MemtableReaders
{
    /// <summary>No cell: all are in use.</summary>
    internal const int None = -1;

    private const int CellLongs = 8;

    private readonly long[] _epochs;
    private readonly int[] _claimed;
    private long _epoch = 1;

    public MemtableReaders(int readersMax = 256)
    {
        ReadersMax = readersMax;
        _epochs = new long[(readersMax + 1) * CellLongs];
        _claimed = new int[readersMax];
    }

    /// <summary>
    /// Readers at a time, each a <see cref="ConcurrentReader"/> or one with a <see cref="RowBuffer"/>.
    /// </summary>
    public int ReadersMax { get; }

    /// <summary>Takes a cell for one reader; <see cref="None"/> when all are taken.</summary>
    internal int Claim()
    {
        for (int i = 0; i < _claimed.Length; i++)
        {
            if (Volatile.Read(ref _claimed[i]) == 0 && Interlocked.CompareExchange(ref _claimed[i], 1, 0) == 0)
            {
                return i;
            }
        }

        return None;
    }

    internal void Yield(int cell) => Volatile.Write(ref _claimed[cell], 0);

    /// <summary>From now on nothing is freed that this reader can reach.</summary>
    internal void Enter(int cell)
    {
        ref long epoch = ref EpochOf(cell);
        Invariant.Check(epoch == 0, "a place among the readers is used by one at a time");
        Volatile.Write(ref epoch, Volatile.Read(ref _epoch));

        // What is loaded from here on is what a writer that did not see this cell had left in sight.
        Interlocked.MemoryBarrier();
    }

    internal void Leave(int cell) => Volatile.Write(ref EpochOf(cell), 0);

    /// <summary>Ends the current epoch and returns it: what has been taken out of sight by now belongs to it.</summary>
    internal long Advance() => Interlocked.Increment(ref _epoch) - 1;

    /// <summary>Whether all readers inside have begun after this epoch.</summary>
    internal bool HavePassed(long epoch)
    {
        Interlocked.MemoryBarrier();
        for (int i = 0; i < _claimed.Length; i++)
        {
            long inside = Volatile.Read(ref EpochOf(i));
            if (inside != 0 && inside <= epoch && Guards.RetiredMemoryWaitsForReaders)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Waits until all readers that are inside now have left. They wait for nothing themselves, so it is short: at
    /// worst as long as the system keeps one of them off its processor.
    /// </summary>
    internal void AwaitAll()
    {
        long epoch = Advance();
        while (!HavePassed(epoch))
        {
            Interlocked.MemoryBarrier();
        }
    }

    /// <summary>The writer begins to change what a sequence covers.</summary>
    internal static void BeginChange(ref long sequence)
    {
        Volatile.Write(ref sequence, sequence + 1);
        Volatile.WriteBarrier();
    }

    /// <summary>What the writer has changed since <see cref="BeginChange"/> is whole.</summary>
    internal static void EndChange(ref long sequence) => Volatile.Write(ref sequence, sequence + 1);

    /// <summary>A sequence; odd while what it covers is being changed.</summary>
    internal static long BeginLook(ref long sequence) => Volatile.Read(ref sequence);

    /// <summary>Whether what was read since <see cref="BeginLook"/> is of one moment.</summary>
    internal static bool IsUnchanged(ref long sequence, long begun)
    {
        Volatile.ReadBarrier();
        return !Guards.ReadersRetryOnChange || ((begun & 1) == 0 && Volatile.Read(ref sequence) == begun);
    }

    /// <summary>Shows readers what lies behind an address, which is complete by now.</summary>
    internal static void Publish(ulong* place, ulong value) => Volatile.Write(ref *place, value);

    internal static ulong Load(ulong* place) => Volatile.Read(ref *place);

    internal static nint Load(ref nint place) => Volatile.Read(ref place);

    internal static void Publish(ref nint place, nint value) => Volatile.Write(ref place, value);

    private ref long EpochOf(int cell) => ref _epochs[(cell + 1) * CellLongs];
}
