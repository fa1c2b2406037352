using System.Buffers.Binary;
using System.Numerics;

namespace Quorate.Storage.Log;

/// <summary>
/// A hash over a batch of the log, made for long runs of whole 8-byte words: four sums that do not wait for each other,
/// as in XXH64 of Yann Collet, where <see cref="Quorate.Core.Model.KeyHash"/>, made for keys, has two that do. Part of
/// the log's format. Not for use against anybody who knows the seed.
/// </summary>
internal static class BatchHash
{
    private const ulong First = 0x9E3779B185EBCA87UL;
    private const ulong Second = 0xC2B2AE3D27D4EB4FUL;
    private const ulong Third = 0x165667B19E3779F9UL;
    private const int StripeBytes = 32;

    public static ulong Of(ReadOnlySpan<byte> data, ulong seed)
    {
        ulong a = seed + First + Second;
        ulong b = seed + Second;
        ulong c = seed;
        ulong d = seed - First;
        ulong length = (ulong)data.Length;
        while (data.Length >= StripeBytes)
        {
            // One check of bounds for four words.
            ReadOnlySpan<byte> stripe = data[..StripeBytes];
            a = Mix(a, BinaryPrimitives.ReadUInt64LittleEndian(stripe));
            b = Mix(b, BinaryPrimitives.ReadUInt64LittleEndian(stripe[8..]));
            c = Mix(c, BinaryPrimitives.ReadUInt64LittleEndian(stripe[16..]));
            d = Mix(d, BinaryPrimitives.ReadUInt64LittleEndian(stripe[24..]));
            data = data[StripeBytes..];
        }

        while (data.Length >= sizeof(ulong))
        {
            a = Mix(a, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }

        ulong rest = 0;
        for (int i = data.Length - 1; i >= 0; i--)
        {
            rest = (rest << 8) | data[i];
        }

        ulong hash = BitOperations.RotateLeft(Mix(a, rest), 1) + BitOperations.RotateLeft(b, 7)
            + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        hash = Mix(Mix(Mix(Mix(hash, a), b), c), d) + length;
        hash = (hash ^ (hash >> 33)) * Second;
        hash = (hash ^ (hash >> 29)) * Third;
        return hash ^ (hash >> 32);
    }

    /// <summary>Every bit of the word reaches the sum, and no word takes another's part: both steps can be
    /// undone.</summary>
    private static ulong Mix(ulong sum, ulong word) => BitOperations.RotateLeft(sum + (word * Second), 31) * First;
}
