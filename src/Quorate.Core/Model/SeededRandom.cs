using System.Numerics;

namespace Quorate.Core.Model;

/// <summary>
/// The only randomness that deterministic code may use: xoshiro256** (Blackman and Vigna, 2018), seeded through
/// SplitMix64. The same seed gives the same numbers on every platform and build.
/// </summary>
public sealed class SeededRandom
{
    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    public SeededRandom(ulong seed)
    {
        ulong state = seed;
        _s0 = SplitMix64(ref state);
        _s1 = SplitMix64(ref state);
        _s2 = SplitMix64(ref state);
        _s3 = SplitMix64(ref state);
    }

    /// <summary>One step of SplitMix64: advances <paramref name="state"/> and returns a well-mixed number.</summary>
    public static ulong SplitMix64(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15UL;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    public ulong NextUInt64()
    {
        ulong result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        ulong t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>
    /// A number in [0, <paramref name="exclusiveMax"/>), by multiply-shift; the bias is below 2^-32 of the range.
    /// </summary>
    public long Next(long exclusiveMax)
    {
        Invariant.Check(exclusiveMax > 0, "a range for a random number holds at least one number");
        return (long)Math.BigMul(NextUInt64(), (ulong)exclusiveMax, out _);
    }

    /// <summary>A number in [<paramref name="min"/>, <paramref name="max"/>], both included.</summary>
    public long Between(long min, long max) => min + Next(max - min + 1);

    /// <summary>True with the given probability, in parts per million.</summary>
    public bool Chance(long partsPerMillion) => partsPerMillion > 0 && Next(1_000_000) < partsPerMillion;

    /// <summary>A generator of its own, so that draws in one part do not shift those of another.</summary>
    public SeededRandom Fork() => new(NextUInt64());
}
