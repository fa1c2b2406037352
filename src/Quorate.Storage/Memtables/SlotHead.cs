using System.Runtime.InteropServices;

namespace Quorate.Storage.Memtables;

/// <summary>What a memtable keeps for each slot: one cache line of native memory, so that slots do not disturb each
/// other. Readers look at the sequence and the root, the writer at all of it.</summary>
[StructLayout(LayoutKind.Sequential, Size = Bytes)]
internal struct SlotHead
{
    public const int Bytes = 64;

    /// <summary>Odd while a batch changes the slot.</summary>
    public long Sequence;

    /// <summary>The table: depth (upper 16 bits) and address of its directory; zero when the slot is empty.</summary>
    public ulong Root;

    /// <summary>The rows in order; zero when nobody has asked for it.</summary>
    public nint Order;

    /// <summary>The largest index of a dirty row: when that is saved, the slot has no dirty rows.</summary>
    public ulong DirtyIndexMax;

    /// <summary>Entries of the table: rows, tombstones and ghosts.</summary>
    public int Entries;

    /// <summary>Rows that have an expiry.</summary>
    public int Expiring;
}
