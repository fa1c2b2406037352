using IronSnappy;
using Quorate.Core.Model;
using Quorate.Storage.Blocks;

namespace Quorate.Storage.Tests.SSTable;

/// <summary>Compression: what one side encodes the other decodes, and damage is a result.</summary>
public sealed class SnappyTests
{
    [Fact]
    public void What_was_encoded_is_decoded()
    {
        var random = new SeededRandom(1);
        for (int i = 0; i < 300; i++)
        {
            byte[] content = Compressible(random, (int)random.Between(1, i < 280 ? 20_000 : 300_000));
            byte[] decoded = new byte[content.Length];
            Assert.True(SnappyDecoder.TryDecode(Snappy.Encode(content), decoded));
            Assert.Equal(content, decoded);
        }
    }

    [Fact]
    public void Damage_is_a_result_and_goes_nowhere_else()
    {
        var random = new SeededRandom(2);
        int refused = 0;
        for (int i = 0; i < 30_000; i++)
        {
            byte[] content = Compressible(random, (int)random.Between(1, 400));
            byte[] encoded = Snappy.Encode(content);
            for (int flips = (int)random.Between(1, 3); flips > 0; flips--)
            {
                encoded[random.Next(encoded.Length)] = (byte)random.Next(256);
            }

            int cut = random.Next(3) == 0 ? (int)random.Next(encoded.Length) : encoded.Length;
            refused += SnappyDecoder.TryDecode(encoded.AsSpan(0, cut), new byte[content.Length]) ? 0 : 1;
        }

        Assert.InRange(refused, 10_000, 29_999);
    }

    [Fact]
    public void A_length_that_was_not_expected_is_refused()
    {
        byte[] encoded = Snappy.Encode(new byte[1000]);
        Assert.True(SnappyDecoder.TryDecode(encoded, new byte[1000]));
        Assert.False(SnappyDecoder.TryDecode(encoded, new byte[999]));
        Assert.False(SnappyDecoder.TryDecode(encoded, new byte[1001]));
        Assert.False(SnappyDecoder.TryDecode([], new byte[1]));
    }

    [Fact]
    public void Compression_shrinks_what_it_can_and_costs_nothing_where_it_can_not()
    {
        var random = new SeededRandom(3);
        SampleRow[] rows = [.. SampleRows.Draw(5, 200).Values];
        SampleRow[] texts = [.. rows.Select(row => row with { Value = [.. Enumerable.Repeat((byte)'x', 500)] })];
        SampleRow[] noise = [.. rows.Select(row => row with { Value = Noise(random, 500) })];
        Assert.True(Size(SampleStyle.Compressed, texts) * 2 < Size(SampleStyle.Plain, texts));
        Assert.True(Size(SampleStyle.Compressed, noise) <= Size(SampleStyle.Plain, noise));
        Assert.True(Size(SampleStyle.CompressedAndEncrypted, noise) <= Size(SampleStyle.Encrypted, noise));
    }

    private static int Size(SampleStyle style, SampleRow[] rows) =>
        new SampleFile(style, 8192).Write(rows).Bytes.Length;

    private static byte[] Noise(SeededRandom random, int length)
    {
        byte[] bytes = new byte[length];
        foreach (ref byte value in bytes.AsSpan())
        {
            value = (byte)random.Next(256);
        }

        return bytes;
    }

    /// <summary>Runs, copies from before, and noise.</summary>
    private static byte[] Compressible(SeededRandom random, int length)
    {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length;)
        {
            int run = (int)Math.Min(length - at, random.Between(1, 100));
            long kind = random.Next(3);
            int from = at == 0 ? 0 : (int)random.Next(at);
            for (int i = 0; i < run; i++, at++)
            {
                bytes[at] = kind switch { 0 => (byte)random.Next(256), 1 => (byte)'r', _ => bytes[from + i] };
            }
        }

        return bytes;
    }
}
