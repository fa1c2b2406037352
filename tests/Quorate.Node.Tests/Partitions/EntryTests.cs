using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Tests.Partitions;

/// <summary>What entries carry, plain and sealed.</summary>
public sealed class EntryTests
{
    private static readonly HybridTime Time = HybridTime.FromMilliseconds(1234);
    private static readonly ReadToken Place = new(new(2), new(77));

    [Fact]
    public void A_batch_is_read_as_it_was_written()
    {
        byte[] bytes = EntryBatch.Encode(Time, [1, 2, 3]);

        Assert.True(EntryBatch.TryRead(bytes, out EntryBatch batch, out string? problem));

        Assert.Null(problem);
        Assert.Equal(Time, batch.Time);
        Assert.Equal(new byte[] { 1, 2, 3 }, batch.Changes.ToArray());
    }

    [Theory]
    [InlineData(new byte[0], "too short")]
    [InlineData(new byte[] { 1, 0, 0 }, "too short")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0, 0, 0 }, "format 2")]
    public void Bytes_that_are_no_batch_are_named(byte[] bytes, string reason)
    {
        Assert.False(EntryBatch.TryRead(bytes, out _, out string? problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sealed_entry_is_opened_by_who_holds_its_key_and_no_other_is()
    {
        using var sealer = new EntrySealer(Ring(3, 4), new GroupId(1), new CountingEntropy());
        var current = new CurrentKey(3);
        var entries = new SealedEntries(sealer, current);
        byte[] batch = EntryBatch.Encode(Time, [1, 2, 3]);
        ReadOnlyMemory<byte> old = entries.Seal(Place, batch);
        current.Rotate(Ring(3, 4), 4);
        ReadOnlyMemory<byte> payload = entries.Seal(Place, batch);

        Assert.Equal(batch, entries.Open(Place, old, out _)!.Value.ToArray());
        Assert.Equal(batch, entries.Open(Place, payload, out _)!.Value.ToArray());

        Assert.Null(entries.Open(Place, batch, out string? notSealed));
        Assert.Contains("not sealed", notSealed, StringComparison.Ordinal);
        byte[] changed = payload.ToArray();
        changed[^1] ^= 1;
        Assert.Null(entries.Open(Place, changed, out string? tampered));
        Assert.Contains("changed", tampered, StringComparison.Ordinal);
        using var stranger = new EntrySealer(Ring(3), new GroupId(1), new CountingEntropy());
        Assert.Null(new SealedEntries(stranger, 3).Open(Place, payload, out string? unknown));
        Assert.Contains("data key 4", unknown, StringComparison.Ordinal);
    }

    private static KeyRing Ring(params uint[] ids)
    {
        var ring = new KeyRing();
        foreach (uint id in ids)
        {
            byte[] key = new byte[DataKey.KeyBytes];
            key.AsSpan().Fill((byte)id);
            ring.Add(new DataKey(id, key));
        }

        return ring;
    }

    private sealed class CountingEntropy : IEntropy
    {
        private byte _next;

        public void Fill(Span<byte> bytes) => bytes.Fill(++_next);
    }
}
