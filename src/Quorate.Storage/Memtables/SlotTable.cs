using System.Runtime.Intrinsics.X86;
using Quorate.Core.Model;
using Quorate.Storage.Memory;

namespace Quorate.Storage.Memtables;

/// <summary>
/// The hash tables of a memtable's slots, grown by extendible hashing (Fagin and others, 1979): a directory of 2^depth
/// addresses, chosen by the hash's upper bits, each of a segment with up to some hundred entries, and an overfull
/// segment is split in two, so that growth never stops the writer for longer than that takes, however many rows one
/// slot holds.
/// <para>An entry is eight bytes: 16 bits of the hash, 48 bits of the row's address. Entries are found by linear
/// probing; one that was removed leaves a mark until its segment is rebuilt. A segment that is rebuilt or split
/// and a directory that has doubled are new memory, and the old one is retired: a reader that still looks at it finds
/// what was there.</para>
/// </summary>
internal sealed unsafe class SlotTable(MemtableSettings settings, RetiredMemory memory)
{
    private const int DepthMax = 24;
    private const int RootShift = 48;
    private const ulong AddressMask = (1UL << RootShift) - 1;
    private const ulong Removed = 1;

    /// <summary>The most entries of a segment that is still to be split, not grown.</summary>
    private const int SplitCapacity = (NativeSlabs.CellBytesMax - Segment.HeaderBytes) / sizeof(ulong);

    private static readonly int[] Capacities = [6, 10, 14, 22, 30, 46, 62, 94, 126, 190, 254, 338, 406, SplitCapacity];

    public ulong HashOf(ReadOnlySpan<byte> rowKey) => KeyHash.Of(rowKey) & settings.HashMask;

    /// <summary>
    /// The place of a row's entry; null when there is none. Readers may call it, inside an epoch.
    /// </summary>
    public static ulong* Find(SlotHead* head, ulong hash, ReadOnlySpan<byte> rowKey, out nint row)
    {
        row = 0;
        ulong root = MemtableReaders.Load(&head->Root);
        if (root == 0)
        {
            return null;
        }

        Segment* segment = SegmentAt(root, hash);
        ulong* entries = segment->Entries;
        int capacity = segment->Capacity;
        int at = HomeOf(hash, capacity);
        for (int looked = 0; looked < capacity; looked++)
        {
            ulong entry = MemtableReaders.Load(entries + at);
            if (entry == 0)
            {
                return null;
            }

            if (entry >> RootShift == TagOf(hash) && entry != Removed)
            {
                nint candidate = (nint)(entry & AddressMask);
                if (RowBytes.KeyOf(candidate).SequenceEqual(rowKey))
                {
                    row = candidate;
                    return entries + at;
                }
            }

            at = at + 1 == capacity ? 0 : at + 1;
        }

        return null;
    }

    /// <summary>Puts a row in the place of another with the same key.</summary>
    public static void Replace(ulong* place, ulong hash, nint row) =>
        MemtableReaders.Publish(place, EntryOf(hash, row));

    /// <summary>Adds a row whose key is not there.</summary>
    public void Add(SlotHead* head, ulong hash, nint row)
    {
        if (head->Root == 0)
        {
            nint directory = memory.Allocate(DirectoryBytes(0));
            *(ulong*)directory = (ulong)NewSegment(Capacities[0], 0);
            MemtableReaders.Publish(&head->Root, (ulong)directory);
        }

        Segment* segment = SegmentAt(head->Root, hash);
        while (segment->Used >= Limit(segment->Capacity))
        {
            MakeRoom(head, segment, hash);
            segment = SegmentAt(head->Root, hash);
        }

        segment->Used++;
        segment->Live++;
        Insert(segment, hash, row);
        head->Entries++;
    }

    /// <summary>Takes an entry out. The row is the caller's to retire.</summary>
    public void Remove(SlotHead* head, ulong* place, ulong hash)
    {
        Segment* segment = SegmentAt(head->Root, hash);
        RemoveEntry(head, segment, place);
        Shrink(head, segment, hash);
    }

    /// <summary>
    /// As <see cref="Remove"/>, but the segment keeps its size, so that whoever walks through it goes on safely; then
    /// <see cref="Shrink"/>.
    /// </summary>
    public static void RemoveEntry(SlotHead* head, Segment* segment, ulong* place)
    {
        int next = (int)(place - segment->Entries) + 1;
        bool endsRun = segment->Entries[next == segment->Capacity ? 0 : next] == 0;
        MemtableReaders.Publish(place, endsRun ? 0 : Removed);
        segment->Used -= endsRun ? 1 : 0;
        segment->Live--;
        head->Entries--;
    }

    /// <summary>Gives memory back that a segment needs no more.</summary>
    public void Shrink(SlotHead* head, Segment* segment, ulong hash)
    {
        if (head->Entries == 0)
        {
            RetireAll(head);
        }
        else if (segment->Live < segment->Capacity / 4 && CapacityFor(segment->Live) < segment->Capacity)
        {
            Rebuild(head, segment, hash, CapacityFor(segment->Live));
        }
    }

    /// <summary>The segment that holds these hashes, and the first hash behind it (zero: it is the last).</summary>
    public static Segment* SegmentOf(SlotHead* head, ulong hash, out ulong next)
    {
        Segment* segment = SegmentAt(head->Root, hash);
        int bits = segment->Depth;
        next = bits == 0 ? 0 : ((hash >> (64 - bits)) + 1) << (64 - bits);
        return segment;
    }

    /// <summary>The row of an entry; zero when the entry holds none.</summary>
    public static nint RowOf(ulong entry) => entry == Removed ? 0 : (nint)(entry & AddressMask);

    private static Segment* SegmentAt(ulong root, ulong hash)
    {
        ulong* directory = (ulong*)(root & AddressMask);
        int depth = (int)(root >> RootShift);
        return (Segment*)MemtableReaders.Load(directory + (depth == 0 ? 0 : hash >> (64 - depth)));
    }

    private static int HomeOf(ulong hash, int capacity) => (int)(((hash & uint.MaxValue) * (ulong)capacity) >> 32);

    private static ulong TagOf(ulong hash) => (hash >> 32) & 0xFFFF;

    private static ulong EntryOf(ulong hash, nint row) => (TagOf(hash) << RootShift) | (ulong)row;

    private static int Limit(int capacity) => capacity - 1 - (capacity / 8);

    private static int DirectoryBytes(int depth) => sizeof(ulong) << depth;

    /// <summary>The smallest capacity with room for these and some more.</summary>
    private static int CapacityFor(int live)
    {
        foreach (int capacity in Capacities)
        {
            if (live + (live / 16) + 1 < Limit(capacity))
            {
                return capacity;
            }
        }

        int doubled = SplitCapacity;
        while (live + (live / 16) + 1 >= Limit(doubled))
        {
            doubled *= 2;
        }

        return doubled;
    }

    private static void Insert(Segment* segment, ulong hash, nint row)
    {
        int at = HomeOf(hash, segment->Capacity);
        while (segment->Entries[at] > Removed)
        {
            at = at + 1 == segment->Capacity ? 0 : at + 1;
        }

        segment->Used -= segment->Entries[at] == Removed ? 1 : 0;
        MemtableReaders.Publish(segment->Entries + at, EntryOf(hash, row));
    }

    private void MakeRoom(SlotHead* head, Segment* segment, ulong hash)
    {
        int capacity = CapacityFor(segment->Live);
        if (capacity <= SplitCapacity || segment->Depth == DepthMax || SharesHash(segment))
        {
            Rebuild(head, segment, hash, capacity);
        }
        else
        {
            Split(head, segment, hash);
        }
    }

    /// <summary>
    /// Whether all rows have the same upper hash bits, down to the deepest directory, so that no split parts them:
    /// then the segment grows instead.
    /// </summary>
    private bool SharesHash(Segment* segment)
    {
        ulong first = 0;
        bool any = false;
        for (int i = 0; i < segment->Capacity; i++)
        {
            if (RowOf(segment->Entries[i]) is nint row and not 0)
            {
                ulong upper = HashOf(RowBytes.KeyOf(row)) >> (64 - DepthMax);
                if (any && upper != first)
                {
                    return false;
                }

                first = upper;
                any = true;
            }
        }

        return true;
    }

    private Segment* NewSegment(int capacity, int depth)
    {
        int bytes = Segment.Bytes(capacity);
        Segment* segment = (Segment*)memory.Allocate(bytes);
        new Span<byte>(segment, bytes).Clear();
        segment->Capacity = capacity;
        segment->Depth = depth;
        return segment;
    }

    private void Rebuild(SlotHead* head, Segment* old, ulong hash, int capacity)
    {
        Segment* rebuilt = NewSegment(capacity, old->Depth);
        Move(old, rebuilt, rebuilt, 0);
        Point(head, rebuilt, hash);
        memory.Retire((nint)old, Segment.Bytes(old->Capacity));
    }

    private void Split(SlotHead* head, Segment* old, ulong hash)
    {
        if (old->Depth == (int)(head->Root >> RootShift))
        {
            DoubleDirectory(head);
        }

        int depth = old->Depth + 1;
        ulong bit = 1UL << (64 - depth);
        int upperCount = 0;
        for (int i = 0; i < old->Capacity; i++)
        {
            if (RowOf(old->Entries[i]) is nint row and not 0)
            {
                upperCount += (HashOf(RowBytes.KeyOf(row)) & bit) != 0 ? 1 : 0;
            }
        }

        Segment* lower = NewSegment(CapacityFor(old->Live - upperCount), depth);
        Segment* upper = NewSegment(CapacityFor(upperCount), depth);
        Move(old, lower, upper, bit);
        Point(head, lower, hash & ~bit);
        Point(head, upper, hash | bit);
        memory.Retire((nint)old, Segment.Bytes(old->Capacity));
    }

    /// <summary>Moves all rows: those with the bit in their hash to the upper one.</summary>
    private void Move(Segment* old, Segment* lower, Segment* upper, ulong bit)
    {
        const int Ahead = 8;
        for (int i = 0; i < old->Capacity; i++)
        {
            if (Sse.IsSupported && i + Ahead < old->Capacity)
            {
                // The rows lie anywhere; asking early lets the waits for them overlap.
                Sse.Prefetch0((void*)(old->Entries[i + Ahead] & AddressMask));
            }

            if (RowOf(old->Entries[i]) is nint row and not 0)
            {
                ulong hash = HashOf(RowBytes.KeyOf(row));
                Segment* target = (hash & bit) != 0 ? upper : lower;
                target->Live++;
                target->Used++;
                Insert(target, hash, row);
            }
        }
    }

    private void DoubleDirectory(SlotHead* head)
    {
        int depth = (int)(head->Root >> RootShift);
        ulong* old = (ulong*)(head->Root & AddressMask);
        ulong* doubled = (ulong*)memory.Allocate(DirectoryBytes(depth + 1));
        for (int i = 0; i < 2 << depth; i++)
        {
            doubled[i] = old[i >> 1];
        }

        MemtableReaders.Publish(&head->Root, ((ulong)(depth + 1) << RootShift) | (ulong)doubled);
        memory.Retire((nint)old, DirectoryBytes(depth));
    }

    /// <summary>Lets all places of the directory that a segment serves point at it.</summary>
    private static void Point(SlotHead* head, Segment* segment, ulong hash)
    {
        int depth = (int)(head->Root >> RootShift);
        ulong* directory = (ulong*)(head->Root & AddressMask);
        int count = 1 << (depth - segment->Depth);
        int first = segment->Depth == 0 ? 0 : (int)(hash >> (64 - segment->Depth)) * count;
        for (int i = first; i < first + count; i++)
        {
            MemtableReaders.Publish(directory + i, (ulong)segment);
        }
    }

    private void RetireAll(SlotHead* head)
    {
        ulong hash = 0;
        do
        {
            Segment* segment = SegmentOf(head, hash, out hash);
            memory.Retire((nint)segment, Segment.Bytes(segment->Capacity));
        }
        while (hash != 0);

        nint directory = (nint)(head->Root & AddressMask);
        int depth = (int)(head->Root >> RootShift);
        MemtableReaders.Publish(&head->Root, 0);
        memory.Retire(directory, DirectoryBytes(depth));
    }

    /// <summary>The header of a segment; its entries follow.</summary>
    internal struct Segment
    {
        public const int HeaderBytes = 16;

        public int Capacity;
        public int Depth;

        /// <summary>Entries with a row.</summary>
        public int Live;

        /// <summary>Entries with a row or the mark of a removed one.</summary>
        public int Used;

        public ulong* Entries
        {
            get
            {
                fixed (Segment* start = &this)
                {
                    return (ulong*)start + (HeaderBytes / sizeof(ulong));
                }
            }
        }

        public static int Bytes(int capacity) => HeaderBytes + (capacity * sizeof(ulong));
    }
}
