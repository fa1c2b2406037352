using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;
using Quorate.Storage.Stores;

namespace Quorate.Node.Partitions;

/// <summary>What a partition is made of.</summary>
public sealed record PartitionPlace
{
    public required ReplicaId Id { get; init; }

    /// <summary>The first membership of a group that is created with all its replicas at once; else null.</summary>
    public Membership? Bootstrap { get; init; }

    /// <summary>Decides election timeouts and random choices of this life; another one for each start.</summary>
    public required ulong Seed { get; init; }

    public required Func<IGroupLogClient, IGroupLog> Log { get; init; }

    public required Func<IPartitionStoreClient, IPartitionStore> Rows { get; init; }

    public IEntrySeal Seal { get; init; } = PlainEntries.Instance;

    /// <summary>Where readers on other threads learn what they may rely on.</summary>
    public IReadPublication Published { get; init; } = new PlainReadPublication();

    /// <summary>For checks that see each entry just before it is applied.</summary>
    public Action<Entry>? Applies { get; init; }
}
