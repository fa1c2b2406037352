using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Storage.Memory;

/// <summary>
/// Cells of native memory by size class (Bonwick, "The Slab Allocator", 1994): arenas are cut into pages of 16 KiB, a
/// page into cells of one class, and a piece that is larger than a quarter of a page is allocated by itself. A page
/// without cells in use goes back to its arena, and an arena without pages in use to the system.
/// <para>Invariants: whoever frees a cell names the bytes that it asked for; the budget knows the cells in use, to the
/// byte of their class. One thread at a time.</para>
/// </summary>
internal sealed unsafe class NativeSlabs(MemoryBudget budget, MemoryUse use) : IDisposable
{
    /// <summary>The largest piece that comes from a page, in bytes.</summary>
    public const int CellBytesMax = (PageBytes - HeaderBytes) / 4;

    public const int PageBytes = 16 * 1024;

    private const int HeaderBytes = 64;
    private const int LinkBytes = 16;
    private const int ArenaPagesMin = 4;
    private const int ArenaPagesMax = 64;

    private static readonly int[] ClassBytes = MakeClasses();
    private static readonly byte[] ClassOf = MakeClassOf();

    private readonly Page*[] _open = new Page*[ClassBytes.Length];
    private readonly List<Arena?> _arenas = [];
    private readonly Stack<int> _arenaNumbers = new();
    private Arena? _withPages;
    private int _arenaPages = ArenaPagesMin;
    private Large* _large;
    private long _largeBytes;

    /// <summary>Cells in use, in bytes of their classes, and large pieces.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>What the system has handed out, in bytes: cells in use or free, pages, and what pages need.</summary>
    public long NativeBytes { get; private set; }

    /// <summary>What a piece of this size takes, in bytes.</summary>
    public static int CellBytes(int bytes) =>
        bytes > CellBytesMax ? bytes + LinkBytes : ClassBytes[ClassOf[(bytes + 7) >> 3]];

    public nint Allocate(int bytes)
    {
        if (bytes > CellBytesMax)
        {
            return AllocateLarge(bytes);
        }

        int kind = ClassOf[(bytes + 7) >> 3];
        Page* page = _open[kind];
        if (page == null)
        {
            page = OpenPage(kind);
        }

        nint cell = page->Free;
        if (cell != 0)
        {
            page->Free = *(nint*)cell;
        }
        else
        {
            cell = (nint)page + HeaderBytes + ((nint)page->Fresh * ClassBytes[kind]);
            page->Fresh++;
        }

        if (++page->Live == page->Capacity)
        {
            Unlink(page);
        }

        Count(ClassBytes[kind]);
        return cell;
    }

    public void Free(nint cell, int bytes)
    {
        if (bytes > CellBytesMax)
        {
            FreeLarge(cell, bytes);
            return;
        }

        Page* page = (Page*)(cell & ~(nint)(PageBytes - 1));
        *(nint*)cell = page->Free;
        page->Free = cell;
        Count(-ClassBytes[page->Class]);
        if (page->Live-- == page->Capacity)
        {
            Link(page);
        }

        if (page->Live == 0)
        {
            Unlink(page);
            ClosePage(page);
        }
    }

    /// <summary>Gives all memory back, cells in use too.</summary>
    public void Dispose()
    {
        while (_large != null)
        {
            Large* next = _large->Next;
            NativeMemory.Free(_large);
            _large = next;
        }

        NativeBytes -= _largeBytes;
        _largeBytes = 0;
        foreach (Arena? arena in _arenas)
        {
            if (arena is not null)
            {
                Release(arena);
            }
        }

        _arenas.Clear();
        _withPages = null;
        Array.Clear(_open);
        Count(-UsedBytes);
        Invariant.Check(NativeBytes == 0, "all native memory is given back");
    }

    private void Count(long bytes)
    {
        UsedBytes += bytes;
        if (bytes >= 0)
        {
            budget.Take(use, bytes);
        }
        else
        {
            budget.Give(use, -bytes);
        }
    }

    private nint AllocateLarge(int bytes)
    {
        Large* piece = (Large*)NativeMemory.Alloc((nuint)bytes + LinkBytes);
        *piece = new Large { Next = _large };
        if (_large != null)
        {
            _large->Previous = piece;
        }

        _large = piece;
        CountLarge(bytes + LinkBytes);
        return (nint)piece + LinkBytes;
    }

    private void FreeLarge(nint cell, int bytes)
    {
        Large* piece = (Large*)(cell - LinkBytes);
        if (piece->Next != null)
        {
            piece->Next->Previous = piece->Previous;
        }

        if (piece->Previous != null)
        {
            piece->Previous->Next = piece->Next;
        }
        else
        {
            _large = piece->Next;
        }

        NativeMemory.Free(piece);
        CountLarge(-bytes - LinkBytes);
    }

    private void CountLarge(int bytes)
    {
        _largeBytes += bytes;
        NativeBytes += bytes;
        Count(bytes);
    }

    private Page* OpenPage(int kind)
    {
        Arena arena = _withPages ?? NewArena();
        nint address = arena.FreePage;
        if (address != 0)
        {
            arena.FreePage = *(nint*)address;
        }
        else
        {
            address = arena.FirstPage + ((nint)arena.FreshPages * PageBytes);
            arena.FreshPages++;
        }

        if (++arena.UsedPages == arena.Pages)
        {
            Unlink(arena);
        }

        Page* page = (Page*)address;
        int capacity = (PageBytes - HeaderBytes) / ClassBytes[kind];
        *page = new Page { Class = kind, Capacity = capacity, Arena = arena.Number };
        Link(page);
        return page;
    }

    private void ClosePage(Page* page)
    {
        Arena arena = _arenas[page->Arena]!;
        *(nint*)page = arena.FreePage;
        arena.FreePage = (nint)page;
        if (arena.UsedPages-- == arena.Pages)
        {
            Link(arena);
        }

        // One without pages in use stays, so that a page that comes and goes does not ask the system each time.
        if (arena.UsedPages == 0 && (_withPages != arena || arena.Next is not null))
        {
            Unlink(arena);
            _arenas[arena.Number] = null;
            _arenaNumbers.Push(arena.Number);
            Release(arena);
        }
    }

    private Arena NewArena()
    {
        if (!_arenaNumbers.TryPop(out int number))
        {
            number = _arenas.Count;
            _arenas.Add(null);
        }

        nuint bytes = (nuint)(_arenaPages * PageBytes);
        var arena = new Arena
        {
            Number = number,
            Pages = _arenaPages,
            FirstPage = (nint)NativeMemory.AlignedAlloc(bytes, PageBytes),
        };
        _arenas[number] = arena;
        NativeBytes += (long)bytes;
        _arenaPages = Math.Min(_arenaPages * 2, ArenaPagesMax);
        Link(arena);
        return arena;
    }

    private void Release(Arena arena)
    {
        NativeMemory.AlignedFree((void*)arena.FirstPage);
        NativeBytes -= (long)arena.Pages * PageBytes;
    }

    private void Link(Page* page)
    {
        ref Page* first = ref _open[page->Class];
        page->Previous = null;
        page->Next = first;
        if (first != null)
        {
            first->Previous = page;
        }

        first = page;
    }

    private void Unlink(Page* page)
    {
        if (page->Next != null)
        {
            page->Next->Previous = page->Previous;
        }

        if (page->Previous != null)
        {
            page->Previous->Next = page->Next;
        }
        else
        {
            _open[page->Class] = page->Next;
        }
    }

    private void Link(Arena arena)
    {
        arena.Previous = null;
        arena.Next = _withPages;
        if (_withPages is not null)
        {
            _withPages.Previous = arena;
        }

        _withPages = arena;
    }

    private void Unlink(Arena arena)
    {
        if (arena.Next is not null)
        {
            arena.Next.Previous = arena.Previous;
        }

        if (arena.Previous is not null)
        {
            arena.Previous.Next = arena.Next;
        }
        else
        {
            _withPages = arena.Next;
        }
    }

    /// <summary>Steps of 8 bytes to 256, of a sixteenth at most above, then whole parts of a page.</summary>
    private static int[] MakeClasses()
    {
        List<int> classes = [];
        for (int bytes = 16; bytes <= 2048; bytes += bytes < 256 ? 8 : bytes < 512 ? 16 : bytes < 1024 ? 32 : 64)
        {
            classes.Add(bytes);
        }

        for (int parts = 7; parts >= 4; parts--)
        {
            classes.Add((PageBytes - HeaderBytes) / parts / 8 * 8);
        }

        return [.. classes];
    }

    private static byte[] MakeClassOf()
    {
        byte[] classOf = new byte[(CellBytesMax / 8) + 1];
        int kind = 0;
        for (int i = 0; i < classOf.Length; i++)
        {
            kind += ClassBytes[kind] < i * 8 ? 1 : 0;
            classOf[i] = (byte)kind;
        }

        return classOf;
    }

    private struct Large
    {
        public Large* Previous;
        public Large* Next;
    }

    private struct Page
    {
        public int Class;
        public int Capacity;
        public int Live;
        public int Fresh;
        public int Arena;
        public nint Free;
        public Page* Previous;
        public Page* Next;
    }

    private sealed class Arena
    {
        public int Number { get; init; }

        public int Pages { get; init; }

        public nint FirstPage { get; init; }

        public nint FreePage { get; set; }

        public int FreshPages { get; set; }

        public int UsedPages { get; set; }

        public Arena? Previous { get; set; }

        public Arena? Next { get; set; }
    }
}
