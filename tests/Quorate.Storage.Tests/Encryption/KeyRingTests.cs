using Quorate.Core.Model;
using Quorate.Storage.Encryption;
using Quorate.Storage.SSTable;
using Quorate.Storage.Tests.SSTable;

namespace Quorate.Storage.Tests.Encryption;

/// <summary>The data keys that a node holds.</summary>
public sealed class KeyRingTests
{
    private readonly SampleEntropy _entropy = new(5);

    [Fact]
    public void A_retired_key_stays_and_encrypts_nothing_new()
    {
        KeyRing ring = SampleFile.Ring(SampleFile.Key);
        uint id = SampleFile.Key.Id;
        Assert.True(ring.MayEncrypt(id));
        Assert.False(ring.MayEncrypt(id + 1));
        ring.Retire(id);
        ring.Retire(id + 1);
        Assert.False(ring.MayEncrypt(id));
        Assert.True(ring.IsRetired(id));
        Assert.False(ring.IsRetired(id + 1));
        Assert.NotNull(ring.Find(id));
        Assert.Equal([id], ring.Ids);
        Assert.Throws<InvariantBrokenException>(() => ring.NewCipher(id, _entropy));
    }

    [Fact]
    public void The_id_of_a_key_is_never_used_for_another()
    {
        KeyRing ring = SampleFile.Ring(SampleFile.Key);
        Assert.Throws<InvariantBrokenException>(
            () => ring.Add(new(SampleFile.Key.Id, new byte[DataKey.KeyBytes])));
        Assert.Equal($"data key {SampleFile.Key.Id}", ring.Find(SampleFile.Key.Id)!.ToString());
    }

    [Fact]
    public void What_refers_to_a_key_is_counted()
    {
        KeyRing ring = SampleFile.Ring(SampleFile.Key);
        uint id = SampleFile.Key.Id;
        SampleFile file = new SampleFile(SampleStyle.Encrypted).Write(SampleRows.Draw(1, 30).Values);
        BlockCipher writing = ring.NewCipher(id, _entropy);
        SSTableReader? reader = file.TryOpen(out _, ring);
        ring.Register(id);
        Assert.Equal(3, ring.ReferencesOf(id));
        writing.Dispose();
        writing.Dispose();
        Assert.Equal(2, ring.ReferencesOf(id));
        Assert.Equal(30, file.ReadAll(reader!, new(SampleRows.Below, SampleRows.Above), out _).Count);
        reader!.Dispose();
        ring.Unregister(id);
        Assert.Equal(0, ring.ReferencesOf(id));
        Assert.Throws<InvariantBrokenException>(() => ring.Unregister(id));
    }
}
