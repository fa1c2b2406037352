using System.Runtime.InteropServices;
using Quorate.Storage.Memory;

namespace Quorate.Storage.Memtables;

/// <summary>
/// A memtable's native memory. What readers may have seen is retired, not freed: it waits until all readers inside
/// have begun after it was out of sight.
/// </summary>
internal sealed class RetiredMemory(MemtableSettings settings, NativeSlabs slabs, MemtableReaders readers)
{
    private readonly Queue<Piece> _pieces = new();
    private readonly Queue<Group> _groups = new();
    private int _ungrouped;

    /// <summary>What waits, in bytes.</summary>
    public long WaitingBytes { get; private set; }

    public nint Allocate(int bytes) => slabs.Allocate(bytes);

    /// <summary>Frees at once what no reader has ever seen.</summary>
    public void Free(nint address, int bytes) => slabs.Free(address, bytes);

    public void Retire(nint address, int bytes)
    {
        _pieces.Enqueue(new Piece(address, bytes));
        _ungrouped++;
        WaitingBytes += bytes;
    }

    /// <summary>Frees what readers have passed, once enough waits.</summary>
    public void ReclaimWhenMuch()
    {
        if (_pieces.Count >= settings.RetiredCountMax || WaitingBytes >= settings.RetiredBytesMax)
        {
            Reclaim();
        }
    }

    /// <summary>Frees what readers have passed.</summary>
    public void Reclaim()
    {
        if (_ungrouped > 0)
        {
            _groups.Enqueue(new Group(_ungrouped, readers.Advance()));
            _ungrouped = 0;
        }

        while (_groups.TryPeek(out Group group) && readers.HavePassed(group.Epoch))
        {
            _groups.Dequeue();
            for (int i = 0; i < group.Count; i++)
            {
                Piece piece = _pieces.Dequeue();
                slabs.Free(piece.Address, piece.Bytes);
                WaitingBytes -= piece.Bytes;
            }
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Piece(nint Address, int Bytes);

    /// <summary>Pieces that were retired in one epoch.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Group(int Count, long Epoch);
}
