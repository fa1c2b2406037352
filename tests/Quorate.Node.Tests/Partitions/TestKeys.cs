using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Storage.Encryption;
using Quorate.Storage.Stores;

namespace Quorate.Node.Tests.Partitions;

/// <summary>One data key that all nodes of a test hold, and where its salts come from.</summary>
internal sealed class TestKeys : IEntropy
{
    private const uint KeyId = 1;

    private readonly SeededRandom _random = new(9);
    private readonly KeyRing _ring = new();

    public TestKeys()
    {
        byte[] bytes = new byte[DataKey.KeyBytes];
        Fill(bytes);
        _ring.Add(new(KeyId, bytes));
        Encryption = new StoreEncryption(_ring, KeyId, this);
    }

    public StoreEncryption Encryption { get; }

    public IEntrySeal NewSeal(GroupId group) => new SealedEntries(new EntrySealer(_ring, group, this), KeyId);

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte next in bytes)
        {
            next = (byte)_random.Next(256);
        }
    }
}
