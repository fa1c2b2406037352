using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Storage.Memory;
using Quorate.Storage.SSTable;

namespace Quorate.Storage.Blocks;

/// <summary>
/// The blocks in memory, of all files of a node, bounded in bytes. Blocks leave by the second chance (CLOCK, Corbató,
/// 1968): one that was found since the hand last passed stays for another round. A pinned block does not leave.
/// <para>Invariants: unpinned blocks take no more than the bound leaves; pinned ones exceed it only when a single
/// owner's do, who asks <see cref="MayPin"/> before it fetches. What is kept is counted in the node's memory budget,
/// and while that is exceeded no more stays than the cache's own share: rows in memory that are on disk too are worth
/// no more than blocks, and leave instead. It has one owner: nothing here is for two threads.</para>
/// </summary>
/// <param name="bytesMax">The bound, in bytes.</param>
/// <param name="budget">The node's memory; null for none but the bound.</param>
/// <param name="ownPercent">
/// What it keeps while memory is short: this share of its bound, or of half of the memory that indexes and filters
/// leave when that is less, in percent.
/// </param>
public sealed class BlockCache(long bytesMax, MemoryBudget? budget = null, int ownPercent = 50) : IBlockLookup
{
    private readonly Dictionary<BlockName, int> _places = [];
    private readonly List<Entry> _entries = [];
    private readonly Stack<int> _free = new();
    private int _hand;
    private ulong _files;

    /// <summary>The bound, in bytes. A smaller one takes effect at once.</summary>
    public long BytesMax { get; private set; } = bytesMax;

    /// <summary>What the blocks take, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>What of it is pinned, in bytes.</summary>
    public long PinnedBytes { get; private set; }

    /// <summary>What is being read by all who fetch, to be pinned when it comes, in bytes.</summary>
    public long ExpectedBytes { get; private set; }

    public int Count => _places.Count;

    /// <summary>Looks that found their block, and looks that did not.</summary>
    public long Hits { get; private set; }

    public long Misses { get; private set; }

    /// <summary>Gives a file the number under which its blocks are kept. Numbers are never used twice.</summary>
    public void Register(SSTableReader file) => file.CacheNumber = ++_files;

    public Block? Find(SSTableReader file, int block)
    {
        if (!_places.TryGetValue(NameOf(file, block), out int place))
        {
            Misses++;
            return null;
        }

        Hits++;
        Entry entry = _entries[place];
        _entries[place] = entry with { IsReferenced = true };
        return entry.Block;
    }

    /// <summary>So many bytes more are being read to be pinned, or less.</summary>
    public void Expect(long more) => ExpectedBytes += more;

    /// <summary>
    /// Whether so many more bytes may be pinned: when they fit beside what is, or when nothing else is pinned, since
    /// one large row must be readable under the smallest bound.
    /// </summary>
    public bool MayPin(long bytes) => PinnedBytes == 0 || PinnedBytes + bytes <= BytesMax;

    /// <summary>
    /// Puts a block there, unpinned; others leave for it. One that does not fit beside what is pinned is not kept.
    /// </summary>
    public void Add(SSTableReader file, int number, Block block)
    {
        if (!_places.ContainsKey(NameOf(file, number)) && PinnedBytes + block.MemoryBytes <= BytesMax)
        {
            Insert(NameOf(file, number), block);
            Shrink();
        }
    }

    /// <summary>Puts a block there, or keeps the one that is there, and pins it.</summary>
    public void AddPinned(SSTableReader file, int number, Block block)
    {
        if (!_places.ContainsKey(NameOf(file, number)))
        {
            Insert(NameOf(file, number), block);
        }

        bool isPinned = TryPin(file, number);
        Invariant.Check(isPinned, "a block that was just added is there");
        Shrink();
    }

    /// <summary>
    /// Pins a block: it stays until as many calls of <see cref="Unpin"/>. False when it is not there.
    /// </summary>
    public bool TryPin(SSTableReader file, int number)
    {
        if (!_places.TryGetValue(NameOf(file, number), out int place))
        {
            return false;
        }

        Entry entry = _entries[place];
        PinnedBytes += entry.Pins == 0 ? entry.Block!.MemoryBytes : 0;
        _entries[place] = entry with { Pins = entry.Pins + 1 };
        return true;
    }

    /// <summary>Whether a block is there and pinned.</summary>
    public bool IsPinned(SSTableReader file, int number) =>
        _places.TryGetValue(NameOf(file, number), out int place) && _entries[place].Pins > 0;

    public void Unpin(SSTableReader file, int number)
    {
        bool isThere = _places.TryGetValue(NameOf(file, number), out int place);
        Invariant.Check(isThere && _entries[place].Pins > 0, "a block that is unpinned was pinned");
        Entry entry = _entries[place];
        _entries[place] = entry with { Pins = entry.Pins - 1, IsReferenced = true };
        PinnedBytes -= entry.Pins == 1 ? entry.Block!.MemoryBytes : 0;
        Shrink();
    }

    /// <summary>A file is closed: its blocks leave. None of them is pinned.</summary>
    public void Forget(SSTableReader file)
    {
        for (int block = 0; block < file.BlockCount; block++)
        {
            if (_places.TryGetValue(NameOf(file, block), out int place))
            {
                Invariant.Check(_entries[place].Pins == 0, "a file is closed when nobody holds its blocks");
                Remove(place);
            }
        }
    }

    /// <summary>Sets the bound.</summary>
    public void Resize(long bytesMax)
    {
        BytesMax = bytesMax;
        Shrink();
    }

    /// <summary>Lets blocks beyond its own share go for as long as the node's memory is exceeded.</summary>
    public void MakeRoom() => Shrink();

    private static BlockName NameOf(SSTableReader file, int block)
    {
        Invariant.Check(file.CacheNumber != 0, "a file is registered with the cache before its blocks are");
        return new(file.CacheNumber, block);
    }

    private void Insert(BlockName name, Block block)
    {
        if (!_free.TryPop(out int place))
        {
            place = _entries.Count;
            _entries.Add(default);
        }

        _entries[place] = new(name, block, 0, IsReferenced: false);
        _places.Add(name, place);
        Bytes += block.MemoryBytes;
        budget?.Take(MemoryUse.BlockCache, block.MemoryBytes);
    }

    private bool MustShrink => Bytes > BytesMax || (budget?.OverBytes > 0 && Bytes > OwnBytes);

    /// <summary>
    /// Its own share, in bytes, of what indexes and filters leave: those never leave themselves (seed 7400013).
    /// </summary>
    private long OwnBytes => Math.Min(BytesMax, LeftByIndexes / 2) * ownPercent / 100;

    private long LeftByIndexes => Math.Max(0, budget!.TotalBytes - budget.UsedBy(MemoryUse.IndexesAndFilters));

    private void Shrink()
    {
        // After two rounds of the hand only pinned blocks are left.
        for (int steps = 2 * _entries.Count; steps > 0 && MustShrink && Bytes > PinnedBytes; steps--)
        {
            _hand = _hand + 1 < _entries.Count ? _hand + 1 : 0;
            Entry entry = _entries[_hand];
            if (entry.Block is null || entry.Pins > 0)
            {
                continue;
            }

            if (entry.IsReferenced)
            {
                _entries[_hand] = entry with { IsReferenced = false };
            }
            else
            {
                Remove(_hand);
            }
        }
    }

    private void Remove(int place)
    {
        Entry entry = _entries[place];
        Bytes -= entry.Block!.MemoryBytes;
        budget?.Give(MemoryUse.BlockCache, entry.Block.MemoryBytes);
        _places.Remove(entry.Name);
        _entries[place] = default;
        _free.Push(place);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct BlockName(ulong File, int Block);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Entry(BlockName Name, Block? Block, int Pins, bool IsReferenced);
}
