using Quorate.Core.Model;

namespace Quorate.Storage.SSTable;

/// <summary>
/// A set of hashes that may say "held" of one that is not (about one in a hundred at ten bits each), never "not held"
/// of one that is (Bloom, 1970; in blocks of one cache line each after Putze, Sanders and Singler, "Cache-, hash- and
/// space-efficient Bloom filters", 2007). One hash sets seven bits of the 512 of its line.
/// </summary>
internal sealed class BloomFilter
{
    private const int LineBytes = 64;
    private const int Probes = 7;
    private const int BitNumberBits = 9;

    private readonly byte[] _bits;

    private BloomFilter(byte[] bits) => _bits = bits;

    public ReadOnlySpan<byte> Bytes => _bits;

    /// <param name="parts">The hashes, in parts of which all but the last are full.</param>
    /// <param name="count">How many hashes there are.</param>
    /// <param name="bitsPerKey">So many bits for each.</param>
    public static BloomFilter Of(IReadOnlyList<ulong[]> parts, int count, int bitsPerKey)
    {
        long lines = Math.Max(1, ((count * (long)bitsPerKey) + (LineBytes * 8) - 1) / (LineBytes * 8));
        var filter = new BloomFilter(new byte[checked((int)lines * LineBytes)]);
        foreach (ulong[] part in parts)
        {
            foreach (ulong hash in part.AsSpan(0, Math.Min(part.Length, count)))
            {
                filter.Add(hash);
            }

            count -= Math.Min(part.Length, count);
        }

        return filter;
    }

    /// <summary>Null when the length can not be right. The bytes are kept.</summary>
    public static BloomFilter? TryMake(byte[] bytes) =>
        bytes.Length > 0 && bytes.Length % LineBytes == 0 ? new(bytes) : null;

    public bool MayHold(ulong hash)
    {
        ReadOnlySpan<byte> line = _bits.AsSpan(LineOf(hash), LineBytes);
        ulong bits = BitsOf(hash);
        for (int i = 0; i < Probes; i++, bits >>= BitNumberBits)
        {
            if ((line[(int)(bits >> 3) & (LineBytes - 1)] & (1 << ((int)bits & 7))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Seven numbers of nine bits, which owe nothing to the bits that choose the line.</summary>
    private static ulong BitsOf(ulong hash)
    {
        ulong state = hash;
        return SeededRandom.SplitMix64(ref state);
    }

    private int LineOf(ulong hash) =>
        (int)Math.BigMul(hash, (ulong)(_bits.Length / LineBytes), out _) * LineBytes;

    private void Add(ulong hash)
    {
        Span<byte> line = _bits.AsSpan(LineOf(hash), LineBytes);
        ulong bits = BitsOf(hash);
        for (int i = 0; i < Probes; i++, bits >>= BitNumberBits)
        {
            line[(int)(bits >> 3) & (LineBytes - 1)] |= (byte)(1 << ((int)bits & 7));
        }
    }
}
