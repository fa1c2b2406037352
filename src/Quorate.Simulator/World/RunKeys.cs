using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Simulator.Engine;
using Quorate.Storage.Encryption;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>
/// The data keys of a run whose values are encrypted: all nodes hold them from the beginning, and each goes on to the
/// next in its own time; each has randomness of its own for salts. That keys come late is the cluster runs'.
/// </summary>
internal static class RunKeys
{
    private const uint FirstKeyId = 1;

    /// <summary>What a node's files are encrypted with; null when they are not.</summary>
    public static StoreEncryption? EncryptionOf(Simulation world, int node) =>
        world.Plan.Values is { IsEncrypted: true }
            ? new(RingOf(world), FirstKeyId, new SeededEntropy(world.Streams.Open(StreamName.Keys, (ulong)node)))
            : null;

    /// <summary>What a life of a replica seals its entries with.</summary>
    public static IEntrySeal SealOf(SimulatedNode node, int group) => node.Encryption is { } encryption
        ? new SealedEntries(
            new EntrySealer(encryption.Keys, PartitionOf(group), encryption.Entropy), encryption.Current)
        : PlainEntries.Instance;

    /// <summary>What the checks open a group's entries with.</summary>
    public static IEntrySeal ReaderOf(Simulation world, int group)
    {
        if (world.Plan.Values is not { IsEncrypted: true })
        {
            return PlainEntries.Instance;
        }

        var unused = new SeededEntropy(new SeededRandom(0));
        return new SealedEntries(new EntrySealer(RingOf(world), PartitionOf(group), unused), FirstKeyId);
    }

    /// <summary>Exchanges a node's data key for the next, if there is one. False when there is none.</summary>
    public static bool Rotate(Simulation world, SimulatedNode node)
    {
        if (node.Encryption is not { } encryption
            || encryption.Current.Id >= FirstKeyId + world.Plan.Values!.KeyRotations)
        {
            return false;
        }

        encryption.Current.Rotate(encryption.Keys, encryption.Current.Id + 1);
        return true;
    }

    private static GroupId PartitionOf(int group) => new((uint)group + 1);

    private static KeyRing RingOf(Simulation world)
    {
        byte[] bytes = new byte[DataKey.KeyBytes];
        var entropy = new SeededEntropy(world.Streams.Open(StreamName.Keys, ulong.MaxValue));
        var ring = new KeyRing();
        for (uint id = FirstKeyId; id <= FirstKeyId + world.Plan.Values!.KeyRotations; id++)
        {
            entropy.Fill(bytes);
            ring.Add(new DataKey(id, bytes));
        }

        return ring;
    }
}
