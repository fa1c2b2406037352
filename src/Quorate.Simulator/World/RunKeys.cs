using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Simulator.Engine;
using Quorate.Storage.Encryption;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>
/// The data key of a run whose values are encrypted: all nodes hold it, each has randomness of its own for salts.
/// </summary>
internal static class RunKeys
{
    private const uint KeyId = 1;

    /// <summary>What a node's files are encrypted with; null when they are not.</summary>
    public static StoreEncryption? EncryptionOf(Simulation world, int node) =>
        world.Plan.Values is { IsEncrypted: true }
            ? new(RingOf(world), KeyId, new SeededEntropy(world.Streams.Open(StreamName.Keys, (ulong)node)))
            : null;

    /// <summary>What a life of a replica seals its entries with.</summary>
    public static IEntrySeal SealOf(SimulatedNode node, int group) => node.Encryption is { } encryption
        ? new SealedEntries(
            new EntrySealer(encryption.Keys, PartitionOf(group), encryption.Entropy), encryption.KeyId)
        : PlainEntries.Instance;

    /// <summary>What the checks open a group's entries with.</summary>
    public static IEntrySeal ReaderOf(Simulation world, int group)
    {
        if (world.Plan.Values is not { IsEncrypted: true })
        {
            return PlainEntries.Instance;
        }

        var unused = new SeededEntropy(new SeededRandom(0));
        return new SealedEntries(new EntrySealer(RingOf(world), PartitionOf(group), unused), KeyId);
    }

    private static GroupId PartitionOf(int group) => new((uint)group + 1);

    private static KeyRing RingOf(Simulation world)
    {
        byte[] bytes = new byte[DataKey.KeyBytes];
        new SeededEntropy(world.Streams.Open(StreamName.Keys, ulong.MaxValue)).Fill(bytes);
        var ring = new KeyRing();
        ring.Add(new DataKey(KeyId, bytes));
        return ring;
    }
}
