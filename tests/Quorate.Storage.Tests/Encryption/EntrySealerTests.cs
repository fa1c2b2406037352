using System.Buffers;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Encryption;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests.Encryption;

/// <summary>Entries of an encrypted keyspace, sealed for log and wire.</summary>
public sealed class EntrySealerTests
{
    private const uint KeyId = 3;

    private static readonly ReadToken Place = new(new(4), new(900));

    private readonly KeyRing _ring = SampleFile.Ring(SampleFile.Key);

    [Fact]
    public void What_was_sealed_is_opened_by_any_replica()
    {
        var random = new SeededRandom(1);
        using var leader = new EntrySealer(_ring, new(7), new SampleEntropy(1));
        using var follower = new EntrySealer(_ring, new(7), new SampleEntropy(2));
        for (int length = 0; length < 5000; length = (length * 3) + 1)
        {
            byte[] payload = SampleRows.Bytes(random, length);
            byte[] entry = Seal(leader, payload);
            Assert.Equal(payload.Length + EntrySealer.OverheadBytes, entry.Length);
            Assert.Equal(KeyId, EntrySealer.KeyIdOf(entry));
            Assert.True(EntrySealer.IsSealed(entry));
            Assert.True(length < 8 || entry.AsSpan().IndexOf(payload.AsSpan(0, 8)) < 0);
            Assert.Equal((EntryOpening.Opened, Convert.ToHexString(payload)), Open(follower, entry));
        }
    }

    [Fact]
    public void Every_change_and_every_cut_is_found()
    {
        using var sealer = new EntrySealer(_ring, new(7), new SampleEntropy(1));
        byte[] entry = Seal(sealer, "a payload of some bytes"u8);
        for (int at = 0; at < entry.Length; at++)
        {
            byte[] changed = (byte[])entry.Clone();
            changed[at] ^= (byte)(1 << (at % 8));
            EntryOpening expected = at == 0
                ? EntryOpening.NotSealed
                : at < 5 ? EntryOpening.UnknownKey : EntryOpening.Tampered;
            Assert.Equal((expected, ""), Open(sealer, changed));
            Assert.Equal(
                (at < EntrySealer.OverheadBytes ? EntryOpening.NotSealed : EntryOpening.Tampered, ""),
                Open(sealer, entry.AsSpan(0, at)));
        }
    }

    [Fact]
    public void An_entry_of_another_partition_or_key_is_not_opened()
    {
        using var sealer = new EntrySealer(_ring, new(7), new SampleEntropy(1));
        byte[] entry = Seal(sealer, "payload"u8);
        using var other = new EntrySealer(_ring, new(8), new SampleEntropy(1));
        Assert.Equal((EntryOpening.Tampered, ""), Open(other, entry));
        KeyRing wrong = SampleFile.Ring(new DataKey(KeyId, new byte[DataKey.KeyBytes]));
        using var stranger = new EntrySealer(wrong, new(7), new SampleEntropy(1));
        Assert.Equal((EntryOpening.Tampered, ""), Open(stranger, entry));
        using var keyless = new EntrySealer(new(), new(7), new SampleEntropy(1));
        Assert.Equal((EntryOpening.UnknownKey, ""), Open(keyless, entry));
    }

    [Fact]
    public void An_entry_in_the_place_of_another_is_not_opened()
    {
        using var sealer = new EntrySealer(_ring, new(7), new SampleEntropy(1));
        byte[] entry = Seal(sealer, "payload"u8);
        Assert.Equal(EntryOpening.Opened, Open(sealer, entry).Item1);
        Assert.Equal((EntryOpening.Tampered, ""), Open(sealer, entry, Place with { Index = Place.Index.Next }));
        Assert.Equal((EntryOpening.Tampered, ""), Open(sealer, entry, Place with { Term = new(5) }));
    }

    [Fact]
    public void No_nonce_is_used_twice()
    {
        var entropy = new SampleEntropy(1);
        using var sealer = new EntrySealer(_ring, new(7), entropy, entriesPerSalt: 10);
        using var restarted = new EntrySealer(_ring, new(7), new SampleEntropy(2), entriesPerSalt: 10);
        var nonces = new HashSet<string>();
        for (int i = 0; i < 100; i++)
        {
            foreach (EntrySealer each in new[] { sealer, restarted })
            {
                byte[] entry = Seal(each, "the same payload"u8);
                Assert.True(nonces.Add(Convert.ToHexString(entry, 5, 12)));
                Assert.Equal(EntryOpening.Opened, Open(sealer, entry).Item1);
            }
        }

        Assert.Equal(10, entropy.Fills);
    }

    [Fact]
    public void A_retired_key_opens()
    {
        using var sealer = new EntrySealer(_ring, new(7), new SampleEntropy(1));
        byte[] entry = Seal(sealer, "payload"u8);
        _ring.Retire(KeyId);
        Assert.Equal(EntryOpening.Opened, Open(sealer, entry).Item1);
    }

    private static byte[] Seal(EntrySealer sealer, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>();
        sealer.Seal(KeyId, Place, payload, output);
        return output.WrittenSpan.ToArray();
    }

    private static (EntryOpening, string) Open(
        EntrySealer sealer, ReadOnlySpan<byte> entry, ReadToken? place = null)
    {
        var output = new ArrayBufferWriter<byte>();
        EntryOpening opening = sealer.TryOpen(place ?? Place, entry, output);
        return (opening, Convert.ToHexString(output.WrittenSpan));
    }
}
