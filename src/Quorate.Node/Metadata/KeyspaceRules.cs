using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Node.Metadata;

/// <summary>What a keyspace may be, and how one comes, changes and goes.</summary>
internal static class KeyspaceRules
{
    /// <summary>Of the keyspace that a cluster makes by itself, for clients that name none (SELECT 0).</summary>
    public const string DefaultName = "default";

    public static MetadataResult Create(ClusterMetadata metadata, CreateKeyspace creation)
    {
        KeyspaceRecord? keyspace = creation.Keyspace;
        string? problem = keyspace is null
            ? "No keyspace is named."
            : NameProblem(metadata, keyspace.Name) ?? Problem(metadata, keyspace)
                ?? LayoutProblem(metadata, keyspace, creation) ?? KeyProblem(metadata, keyspace, creation);
        if (problem is not null)
        {
            return Refusals.Of(problem);
        }

        KeyspaceRecord created = keyspace!.Clone();
        created.Id = metadata.State.NextKeyspace++;
        metadata.Add(created);
        foreach (PlacedPartition placed in creation.Partitions)
        {
            metadata.Add(PartitionRules.New(metadata, created.Id, placed));
        }

        if (created.Encrypted)
        {
            Add(metadata, created.Id, creation.WrappedKey);
        }

        return new MetadataResult { Id = created.Id };
    }

    public static MetadataResult Alter(ClusterMetadata metadata, KeyspaceRecord? change)
    {
        if (change is null || metadata.FindKeyspace(change.Id) is not { } keyspace)
        {
            return Refusals.Of($"There is no keyspace {change?.Id}.");
        }

        KeyspaceRecord altered = keyspace.Clone();
        altered.WriteLevel = change.WriteLevel;
        altered.WriteLevelCount = change.WriteLevelCount;
        altered.ReadLevel = change.ReadLevel;
        altered.TtlMilliseconds = change.TtlMilliseconds;
        altered.Eviction = change.Eviction;
        altered.BytesMax = change.BytesMax;
        if (Problem(metadata, altered) is { } problem)
        {
            return Refusals.Of(problem);
        }

        keyspace.WriteLevel = altered.WriteLevel;
        keyspace.WriteLevelCount = altered.WriteLevelCount;
        keyspace.ReadLevel = altered.ReadLevel;
        keyspace.TtlMilliseconds = altered.TtlMilliseconds;
        keyspace.Eviction = altered.Eviction;
        keyspace.BytesMax = altered.BytesMax;
        return new MetadataResult { Id = keyspace.Id };
    }

    public static MetadataResult Drop(ClusterMetadata metadata, uint id)
    {
        if (metadata.FindKeyspace(id) is not { } keyspace)
        {
            return Refusals.Of($"There is no keyspace {id}.");
        }

        if (keyspace.Name == DefaultName)
        {
            return Refusals.Of(
                $"The keyspace '{DefaultName}' stays: clients that name none use it, and would find nothing any more. "
                + "FLUSHALL empties it.");
        }

        // Its data keys stay, retired: backups and files that are not deleted yet are sealed with them (pitfall S9).
        foreach (DataKeyRecord key in metadata.State.DataKeys)
        {
            key.Retired |= key.Keyspace == id;
        }

        metadata.Remove(keyspace);
        return new MetadataResult { Id = id };
    }

    /// <summary>A new data key; the ones before it are retired and stay.</summary>
    public static MetadataResult AddKey(ClusterMetadata metadata, AddDataKey addition)
    {
        if (metadata.FindKeyspace(addition.Keyspace) is not { } keyspace)
        {
            return Refusals.Of($"There is no keyspace {addition.Keyspace}.");
        }

        if (!keyspace.Encrypted)
        {
            return Refusals.Of($"Keyspace '{keyspace.Name}' is not encrypted and needs no key.");
        }

        if (addition.Wrapped.Length is 0 || addition.Wrapped.Length > metadata.Limits.WrappedKeyBytesMax)
        {
            return Refusals.Of($"A wrapped key has from 1 to {metadata.Limits.WrappedKeyBytesMax} bytes.");
        }

        if (CountProblem(metadata) is { } problem)
        {
            return Refusals.Of(problem);
        }

        foreach (DataKeyRecord key in metadata.State.DataKeys)
        {
            key.Retired |= key.Keyspace == addition.Keyspace;
        }

        return new MetadataResult { Id = Add(metadata, addition.Keyspace, addition.Wrapped) };
    }

    private static uint Add(ClusterMetadata metadata, uint keyspace, Google.Protobuf.ByteString wrapped)
    {
        uint id = metadata.State.NextDataKey++;
        metadata.State.DataKeys.Add(new DataKeyRecord { Id = id, Keyspace = keyspace, Wrapped = wrapped });
        return id;
    }

    private static string? NameProblem(ClusterMetadata metadata, string name)
    {
        bool isName = name.Length > 0 && name.Length <= metadata.Limits.NameCharactersMax
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        if (!isName)
        {
            return $"A keyspace's name has from 1 to {metadata.Limits.NameCharactersMax} letters, digits, '-', '_' "
                + "and '.'.";
        }

        if (metadata.FindKeyspace(name) is not null)
        {
            return $"There is a keyspace '{name}' already.";
        }

        return metadata.State.Keyspaces.Count >= metadata.Limits.KeyspacesMax
            ? $"The cluster has {metadata.Limits.KeyspacesMax} keyspaces, as many as it may."
            : null;
    }

    /// <summary>A level that the keyspace could never give is refused here, not at each request.</summary>
    private static string? Problem(ClusterMetadata metadata, KeyspaceRecord keyspace)
    {
        if (keyspace.Replicas is 0 || keyspace.Replicas > metadata.Limits.ReplicasMax)
        {
            return $"A keyspace has from 1 to {metadata.Limits.ReplicasMax} replicas, not {keyspace.Replicas}.";
        }

        if (keyspace.Voters is 0 || keyspace.Voters > keyspace.Replicas)
        {
            return $"A keyspace of {keyspace.Replicas} replicas has from 1 to {keyspace.Replicas} voters, not "
                + $"{keyspace.Voters}.";
        }

        if (keyspace.WriteLevel == LevelKind.Count
            && (keyspace.WriteLevelCount is 0 || keyspace.WriteLevelCount > keyspace.Replicas))
        {
            return $"A write level of {keyspace.WriteLevelCount} replicas can not be met by {keyspace.Replicas}.";
        }

        if (keyspace.TtlMilliseconds > (ulong)metadata.Limits.TtlMillisecondsMax)
        {
            return $"Keys may live for {metadata.Limits.TtlMillisecondsMax} ms at most unless said, not "
                + $"{keyspace.TtlMilliseconds}.";
        }

        return keyspace.Eviction != Eviction.None && keyspace.BytesMax == 0
            ? "A keyspace that evicts keys needs a bound on its bytes."
            : null;
    }

    private static string? LayoutProblem(ClusterMetadata metadata, KeyspaceRecord keyspace, CreateKeyspace creation)
    {
        int count = creation.Partitions.Count;
        if (metadata.Limits.PartitionsProblem(count) is { } wrong)
        {
            return wrong;
        }

        if (metadata.State.Partitions.Count + count > metadata.Limits.PartitionsMax)
        {
            return $"The cluster would have more than {metadata.Limits.PartitionsMax} partitions.";
        }

        uint next = 0;
        foreach (PlacedPartition placed in creation.Partitions)
        {
            if (placed.FirstSlot != next || placed.LastSlot < placed.FirstSlot || placed.LastSlot >= Slot.Count)
            {
                return "The partitions of a keyspace cover each slot once, in order.";
            }

            next = placed.LastSlot + 1;
            if (placed.Voters.Count != keyspace.Voters
                || placed.Voters.Count + placed.Learners.Count != keyspace.Replicas)
            {
                return $"Each partition needs {keyspace.Replicas} replicas, {keyspace.Voters} of them voters; there "
                    + "are not as many nodes to hold them.";
            }

            if (PartitionRules.NodesProblem(metadata, [.. placed.Voters, .. placed.Learners]) is { } problem)
            {
                return problem;
            }
        }

        return next == Slot.Count ? null : "The partitions of a keyspace cover each slot once, in order.";
    }

    private static string? KeyProblem(ClusterMetadata metadata, KeyspaceRecord keyspace, CreateKeyspace creation)
    {
        int length = creation.WrappedKey.Length;
        if (!keyspace.Encrypted)
        {
            return length == 0 ? null : "A keyspace that is not encrypted has no key.";
        }

        return length is 0 || length > metadata.Limits.WrappedKeyBytesMax
            ? "An encrypted keyspace needs a data key, wrapped by the master key (--master-key-file)."
            : CountProblem(metadata);
    }

    /// <summary>
    /// Refused before it is in the log: a node that can not hold a key would end, and so at each start.
    /// </summary>
    private static string? CountProblem(ClusterMetadata metadata) =>
        metadata.State.DataKeys.Count >= metadata.Limits.DataKeysMax
            ? $"The cluster has {metadata.Limits.DataKeysMax} data keys, as many as it may: retired ones stay, since "
                + "backups may need them. Keep the keys that there are."
            : null;
}
