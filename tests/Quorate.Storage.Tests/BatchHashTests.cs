using Quorate.Core.Model;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>The hash that chains the log's batches.</summary>
public sealed class BatchHashTests
{
    [Fact]
    public void Every_bit_counts_wherever_it_stands()
    {
        byte[] bytes = Random(4096 + 13);
        var seen = new HashSet<uint> { (uint)BatchHash.Of(bytes, 1) };
        for (int at = 0; at < bytes.Length; at += at < 64 || at > 4090 ? 1 : 31)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                bytes[at] ^= (byte)(1 << bit);
                Assert.True(seen.Add((uint)BatchHash.Of(bytes, 1)), $"bit {bit} of byte {at}");
                bytes[at] ^= (byte)(1 << bit);
            }
        }
    }

    [Fact]
    public void Words_and_stripes_that_change_places_are_seen()
    {
        byte[] bytes = Random(4096);
        ulong whole = BatchHash.Of(bytes, 1);
        for (int at = 0; at + 72 <= bytes.Length; at += 8)
        {
            // Over 32 bytes the words go into the same sum.
            foreach (int distance in (int[])[8, 32, 64])
            {
                byte[] swapped = [.. bytes];
                bytes.AsSpan(at, 8).CopyTo(swapped.AsSpan(at + distance));
                bytes.AsSpan(at + distance, 8).CopyTo(swapped.AsSpan(at));
                Assert.NotEqual((uint)whole, (uint)BatchHash.Of(swapped, 1));
            }
        }
    }

    [Fact]
    public void Zeros_at_the_end_and_another_seed_are_seen()
    {
        byte[] bytes = new byte[8192];
        bytes[0] = 1;
        var seen = new HashSet<uint>();
        for (int length = 1; length <= bytes.Length; length += length < 70 ? 1 : 64)
        {
            Assert.True(seen.Add((uint)BatchHash.Of(bytes.AsSpan(0, length), 1)), $"{length} bytes");
        }

        Assert.NotEqual(BatchHash.Of(bytes, 1), BatchHash.Of(bytes, 2));
    }

    [Fact]
    public void It_stays_what_it_is_since_logs_are_written_with_it()
    {
        byte[] bytes = [.. Enumerable.Range(0, 100).Select(i => (byte)i)];
        Assert.Equal(2654849862070129817UL, BatchHash.Of(bytes, 42));
        Assert.Equal(10946658675910448200UL, BatchHash.Of([], 0));
    }

    private static byte[] Random(int length)
    {
        var random = new SeededRandom(9020001);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)random.Next(256);
        }

        return bytes;
    }
}
