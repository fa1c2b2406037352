using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Simulator.Disk;

/// <summary>
/// A file on the <see cref="SimulatedDisk"/>: what the page cache shows, what is certain to survive a power loss,
/// and the changes that lie between the two.
/// <para>Invariants: outside the changes and the ranges whose sync failed, both images are the same. A sync copies
/// the changes alone, never the whole file. After a power loss a byte is what it was when last synced, or what the
/// page cache showed last; the model knows no third version, for nothing here overwrites unsynced bytes.</para>
/// </summary>
internal sealed class SimulatedFile
{
    /// <summary>What the kernel writes back as one, in bytes.</summary>
    public const int PageBytes = 4096;

    /// <summary>What the device writes whole or not at all, in bytes.</summary>
    public const int SectorBytes = 512;

    private readonly List<Change> _changes = [];
    private byte[] _cache = [];
    private byte[] _durable = [];
    private int _durableLength;

    public SimulatedFile Copy()
    {
        var copy = new SimulatedFile
        {
            _cache = _cache.AsSpan(0, Length).ToArray(),
            _durable = _durable.AsSpan(0, _durableLength).ToArray(),
            _durableLength = _durableLength,
            Length = Length,
        };
        copy._changes.AddRange(_changes);
        return copy;
    }

    /// <summary>The length that the page cache shows, in bytes.</summary>
    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Content => _cache.AsMemory(0, Length);

    public ReadOnlyMemory<byte> Durable => _durable.AsMemory(0, _durableLength);

    public void Write(long offset, ReadOnlySpan<byte> data, ulong number)
    {
        int end = checked((int)(offset + data.Length));
        Grow(ref _cache, end);
        data.CopyTo(_cache.AsSpan((int)offset));
        int start = Math.Min((int)offset, Length);
        Length = Math.Max(Length, end);
        _changes.Add(new(start, end, IsCut: false, number));
    }

    /// <summary>Zeros from the end of the file to <paramref name="length"/>, written like other bytes.</summary>
    public void Extend(int length, ulong number)
    {
        Grow(ref _cache, length);
        _changes.Add(new(Length, length, IsCut: false, number));
        Length = length;
    }

    public void Truncate(long length, ulong number)
    {
        if (length >= Length)
        {
            return;
        }

        _cache.AsSpan((int)length, Length - (int)length).Clear();
        Length = (int)length;
        _changes.Add(new(Length, Length, IsCut: true, number));
    }

    /// <summary>
    /// Ends a sync that was submitted as operation <paramref name="number"/>: it covers the changes that were
    /// complete by then, and those numbered <paramref name="own"/> or above, which it made itself. When it failed,
    /// the kernel takes them for clean: shown, never written again, and lost with the power.
    /// </summary>
    public void Sync(ulong number, ulong own, bool failed)
    {
        foreach (Change change in _changes)
        {
            if (!failed && IsCovered(change))
            {
                Apply(change);
            }
        }

        _changes.RemoveAll(IsCovered);
        bool IsCovered(Change change) => change.Number < number || change.Number >= own;
    }

    /// <summary>The page cache is gone; each unsynced page had been written back, in part, or not.</summary>
    public void LosePower(SeededRandom random, in Survival survival)
    {
        foreach (Change change in _changes)
        {
            if (change.IsCut)
            {
                if (survival.Page(random))
                {
                    Apply(change);
                }
            }
            else
            {
                WriteBack(change, random, survival);
            }
        }

        if (Length > _durableLength && _changes.Count > 0 && random.Chance(survival.LengthPpm))
        {
            Grow(ref _durable, Length);
            _durableLength = Length;
        }

        _changes.Clear();
        _cache = _durable.AsSpan(0, _durableLength).ToArray();
        Length = _durableLength;
    }

    /// <summary>
    /// Rot: a bit of the durable image turns; the page cache shows it unless it shows something newer there.
    /// </summary>
    public void Flip(long offset, int bit)
    {
        Invariant.Check(offset < _durableLength, "rot is in what is durable");
        byte before = _durable[offset];
        _durable[offset] ^= (byte)(1 << bit);
        if (offset < Length && _cache[offset] == before)
        {
            _cache[offset] = _durable[offset];
        }
    }

    private void WriteBack(in Change change, SeededRandom random, in Survival survival)
    {
        for (int page = change.Start / PageBytes * PageBytes; page < change.End; page += PageBytes)
        {
            if (!survival.Page(random))
            {
                continue;
            }

            bool torn = random.Chance(survival.TornPpm);
            for (int sector = page; sector < Math.Min(page + PageBytes, change.End); sector += SectorBytes)
            {
                int start = Math.Max(sector, change.Start);
                int end = Math.Min(sector + SectorBytes, change.End);
                if (start < end && (!torn || random.Chance(500_000)))
                {
                    Apply(new(start, end, IsCut: false, change.Number));
                }
            }
        }
    }

    private void Apply(in Change change)
    {
        if (change.IsCut)
        {
            if (change.Start < _durableLength)
            {
                _durable.AsSpan(change.Start, _durableLength - change.Start).Clear();
                _durableLength = change.Start;
            }

            return;
        }

        int end = Math.Min(change.End, Length);
        if (change.Start < end)
        {
            Grow(ref _durable, end);
            _cache.AsSpan(change.Start, end - change.Start).CopyTo(_durable.AsSpan(change.Start));
            _durableLength = Math.Max(_durableLength, end);
        }
    }

    private static void Grow(ref byte[] bytes, int length)
    {
        if (length > bytes.Length)
        {
            Array.Resize(ref bytes, Math.Max(length, Math.Max(PageBytes, bytes.Length * 2)));
        }
    }

    /// <summary>
    /// A range that was written, or a cut at <paramref name="Start"/>, by operation <paramref name="Number"/>.
    /// </summary>
    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Change(int Start, int End, bool IsCut, ulong Number);
}

/// <summary>
/// How much of what was not synced one power loss leaves, in parts per million, drawn once for each loss.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Survival(long PagePpm, long TornPpm, long LengthPpm)
{
    /// <summary>All extremes are drawn often: nothing survives, everything does, pages at random, torn pages.</summary>
    public static Survival Draw(SeededRandom random) => random.Next(4) switch
    {
        0 => new(0, 0, 0),
        1 => new(1_000_000, 0, 0),
        2 => new(500_000, 500_000, 500_000),
        _ => new(random.Next(1_000_001), random.Next(1_000_001), random.Next(1_000_001)),
    };

    public bool Page(SeededRandom random) => random.Chance(PagePpm);
}
