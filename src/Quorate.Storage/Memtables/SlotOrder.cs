using System.Runtime.InteropServices;
using Quorate.Storage.Memory;

namespace Quorate.Storage.Memtables;

/// <summary>
/// The rows of one slot in the order of their keys: a sorted directory of leaves, each a sorted run of up to some
/// hundred addresses. Built when somebody asks for the order, maintained from then on until it is dropped. The
/// writer's alone: readers never look at it, so its memory is freed at once.
/// <para>Finding a place takes the logarithm of the rows, changing one moves a leaf's addresses, and once in some
/// hundred changes those of the directory: in a slot of ten million rows a few hundred kilobytes.</para>
/// </summary>
internal sealed unsafe class SlotOrder(NativeSlabs slabs)
{
    private const int LeafRowsMin = 6;
    private const int LeafRowsMax = (NativeSlabs.CellBytesMax - Run.HeaderBytes) / sizeof(ulong);
    private const int DirectoryMin = 6;

    private Sortable[] _sorting = [];

    /// <summary>Begins the order of a slot with these rows.</summary>
    public void Build(SlotHead* head, ReadOnlySpan<nint> rows)
    {
        if (_sorting.Length < rows.Length)
        {
            _sorting = new Sortable[Math.Max(rows.Length, 256)];
        }

        for (int i = 0; i < rows.Length; i++)
        {
            _sorting[i] = new Sortable(RowBytes.OrderOf(RowBytes.KeyOf(rows[i])), rows[i]);
        }

        Span<Sortable> sorted = _sorting.AsSpan(0, rows.Length);
        sorted.Sort();
        const int Filled = LeafRowsMax * 3 / 4;
        Run* directory = NewRun(Math.Max(DirectoryMin, (rows.Length / Filled) + 2));
        for (int from = 0; from < rows.Length; from += Filled)
        {
            int count = Math.Min(Filled, rows.Length - from);
            Run* leaf = NewRun(Math.Min(LeafRowsMax, Math.Max(LeafRowsMin, count + (count / 8))));
            for (int i = 0; i < count; i++)
            {
                leaf->Items[i] = sorted[from + i].Row;
            }

            leaf->Count = count;
            directory->Items[directory->Count++] = (nint)leaf;
        }

        head->Order = (nint)directory;
    }

    /// <summary>Forgets the order; what it took, in bytes.</summary>
    public long Drop(SlotHead* head)
    {
        if (head->Order == 0)
        {
            return 0;
        }

        Run* directory = (Run*)head->Order;
        long bytes = Run.Bytes(directory->Capacity);
        for (int i = 0; i < directory->Count; i++)
        {
            Run* leaf = (Run*)directory->Items[i];
            bytes += Run.Bytes(leaf->Capacity);
            FreeRun(leaf);
        }

        FreeRun(directory);
        head->Order = 0;
        return bytes;
    }

    /// <summary>The place of the first row whose key is not before this one.</summary>
    public static Place Seek(SlotHead* head, ReadOnlySpan<byte> rowKey)
    {
        Run* directory = (Run*)head->Order;
        int low = 0;
        int high = directory->Count;
        while (low < high)
        {
            // The last leaf that begins not after the key.
            int middle = (low + high) / 2;
            Run* leaf = (Run*)directory->Items[middle];
            if (RowBytes.KeyOf(leaf->Items[0]).SequenceCompareTo(rowKey) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        int leafIndex = Math.Max(0, low - 1);
        return directory->Count == 0
            ? default
            : new Place(leafIndex, FirstFrom((Run*)directory->Items[leafIndex], rowKey));
    }

    /// <summary>The row at a place or, when that is behind a leaf's end, the next one; zero at the end.</summary>
    public static nint RowAt(SlotHead* head, ref Place place)
    {
        Run* directory = (Run*)head->Order;
        while (place.Leaf < directory->Count)
        {
            Run* leaf = (Run*)directory->Items[place.Leaf];
            if (place.Row < leaf->Count)
            {
                return leaf->Items[place.Row];
            }

            place = new Place(place.Leaf + 1, 0);
        }

        return 0;
    }

    /// <summary>The row before a place, which becomes the place; zero at the beginning.</summary>
    public static nint RowBefore(SlotHead* head, ref Place place)
    {
        Run* directory = (Run*)head->Order;
        while (place.Row == 0)
        {
            if (place.Leaf == 0)
            {
                return 0;
            }

            place = new Place(place.Leaf - 1, ((Run*)directory->Items[place.Leaf - 1])->Count);
        }

        place = new Place(place.Leaf, place.Row - 1);
        return ((Run*)directory->Items[place.Leaf])->Items[place.Row];
    }

    /// <summary>A row takes the place of another with the same key.</summary>
    public static void Replace(SlotHead* head, ReadOnlySpan<byte> rowKey, nint row)
    {
        Place place = Seek(head, rowKey);
        Run* leaf = (Run*)((Run*)head->Order)->Items[place.Leaf];
        leaf->Items[place.Row] = row;
    }

    public void Add(SlotHead* head, ReadOnlySpan<byte> rowKey, nint row)
    {
        Run* directory = (Run*)head->Order;
        if (directory->Count == 0)
        {
            directory->Items[directory->Count++] = (nint)NewRun(LeafRowsMin);
        }

        Place place = Seek(head, rowKey);
        Run* leaf = (Run*)directory->Items[place.Leaf];
        if (leaf->Count == LeafRowsMax)
        {
            SplitLeaf(head, place.Leaf, place.Row == LeafRowsMax);
            place = Seek(head, rowKey);
            directory = (Run*)head->Order;
            leaf = (Run*)directory->Items[place.Leaf];
        }

        leaf = WithRoom(leaf, LeafRowsMax);
        directory->Items[place.Leaf] = (nint)leaf;
        leaf->Insert(place.Row, row);
    }

    public void Remove(SlotHead* head, ReadOnlySpan<byte> rowKey)
    {
        Place place = Seek(head, rowKey);
        Run* directory = (Run*)head->Order;
        Run* leaf = (Run*)directory->Items[place.Leaf];
        leaf->Delete(place.Row);
        if (leaf->Count == 0)
        {
            FreeRun(leaf);
            directory->Delete(place.Leaf);
        }
    }

    private static int FirstFrom(Run* leaf, ReadOnlySpan<byte> rowKey)
    {
        int low = 0;
        int high = leaf->Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (rowKey.SequenceCompareTo(RowBytes.KeyOf(leaf->Items[middle])) > 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    /// <summary>
    /// Halves a full leaf, but one to whose end rows are added stays full: rows that come in order fill leaves.
    /// </summary>
    private void SplitLeaf(SlotHead* head, int index, bool atEnd)
    {
        Run* directory = WithRoom((Run*)head->Order, int.MaxValue);
        head->Order = (nint)directory;
        Run* leaf = (Run*)directory->Items[index];
        int kept = atEnd ? leaf->Count - 1 : leaf->Count / 2;
        Run* right = NewRun(LeafRowsMax);
        right->Count = leaf->Count - kept;
        leaf->All[kept..].CopyTo(new Span<nint>(right->Items, right->Count));
        leaf->Count = kept;
        directory->Insert(index + 1, (nint)right);
    }

    private Run* WithRoom(Run* run, int most)
    {
        if (run->Count < run->Capacity)
        {
            return run;
        }

        Run* larger = NewRun(Math.Min(most, run->Capacity + (run->Capacity / 2)));
        run->All.CopyTo(new Span<nint>(larger->Items, run->Count));
        larger->Count = run->Count;
        FreeRun(run);
        return larger;
    }

    private Run* NewRun(int capacity)
    {
        Run* run = (Run*)slabs.Allocate(Run.Bytes(capacity));
        run->Count = 0;
        run->Capacity = capacity;
        return run;
    }

    private void FreeRun(Run* run) => slabs.Free((nint)run, Run.Bytes(run->Capacity));

    /// <summary>A place in the order: a leaf, and a row in it or behind its last one.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Place(int Leaf, int Row);

    /// <summary>A row by the first bytes of its key, so that sorting rarely has to look at the row.</summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Sortable(ulong Order, nint Row) : IComparable<Sortable>
    {
        public int CompareTo(Sortable other) => Order != other.Order
            ? Order.CompareTo(other.Order)
            : RowBytes.KeyOf(Row).SequenceCompareTo(RowBytes.KeyOf(other.Row));
    }

    /// <summary>The header of a leaf or of the directory; its items follow.</summary>
    private struct Run
    {
        public const int HeaderBytes = 8;

        public int Count;
        public int Capacity;

        public nint* Items
        {
            get
            {
                fixed (Run* start = &this)
                {
                    return (nint*)((byte*)start + HeaderBytes);
                }
            }
        }

        public Span<nint> All => new(Items, Count);

        public static int Bytes(int capacity) => HeaderBytes + (capacity * sizeof(ulong));

        public void Insert(int at, nint item)
        {
            Count++;
            All[at..^1].CopyTo(All[(at + 1)..]);
            Items[at] = item;
        }

        public void Delete(int at)
        {
            All[(at + 1)..].CopyTo(All[at..]);
            Count--;
        }
    }
}
