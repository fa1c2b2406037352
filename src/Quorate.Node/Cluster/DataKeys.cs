using Google.Protobuf;
using Google.Protobuf.Collections;
using Quorate.Core;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Cluster;

/// <summary>
/// The data keys of encrypted keyspaces, as the metadata brings them, wrapped by the cluster's master key.
/// </summary>
internal sealed class DataKeys(MasterKey? master)
{
    private readonly SortedDictionary<uint, CurrentKey> _current = [];
    private readonly SortedSet<uint> _closed = [];

    public KeyRing Ring { get; } = new();

    /// <summary>
    /// The key that new data of a keyspace is encrypted with, whichever it is at that time; null when none is here.
    /// </summary>
    public CurrentKey? CurrentOf(uint keyspace) => _current.GetValueOrDefault(keyspace);

    /// <summary>
    /// Why a node must not start with this master key over what its folder holds; null when it may. The keys of dropped
    /// keyspaces are not asked about: nothing of theirs is read any more.
    /// </summary>
    /// <param name="state">As the file of the map has it.</param>
    /// <param name="master">Null when none was given.</param>
    public static string? StartProblem(MetadataState state, MasterKey? master)
    {
        if (!Guards.MasterKeyIsProvenAtStart)
        {
            return null;
        }

        SortedDictionary<uint, string> living = [];
        foreach (KeyspaceRecord keyspace in state.Keyspaces)
        {
            living.Add(keyspace.Id, keyspace.Name);
        }

        foreach (DataKeyRecord record in state.DataKeys)
        {
            if (!living.TryGetValue(record.Keyspace, out string? name))
            {
                continue;
            }

            if (master is null)
            {
                return $"Keyspace '{name}' is encrypted, as {LocalMap.Name} shows, and this node was started without "
                    + "a master key: name the file of the cluster's with --master-key-file.";
            }

            if (WrappedKey.TryOpen(record.Wrapped.Span, master, record.Id) is null)
            {
                return $"The master key in {master.Source} does not open data key {record.Id} of keyspace '{name}', "
                    + $"which {LocalMap.Name} holds: it was wrapped by another one. Name the file of the cluster's "
                    + "master key with --master-key-file.";
            }
        }

        return null;
    }

    /// <summary>
    /// Why a new data key must not be proposed; null when it may. Asked of the node that leads, so that no key comes
    /// into the metadata that the cluster's master key does not open: with it the other nodes would not start again.
    /// </summary>
    public static string? ProposalProblem(ByteString wrapped, MasterKey? master)
    {
        if (master is null)
        {
            return "The node that leads the metadata group was started without the cluster's master key: start all "
                + "nodes with --master-key-file.";
        }

        return WrappedKey.TryOpen(wrapped.Span, master, id: 1) is null && Guards.WrappedKeysAreProven
            ? "The new data key was wrapped by another master key than that of the node that leads the metadata group: "
                + "start all nodes with the same --master-key-file."
            : null;
    }

    /// <summary>
    /// Takes the keys that are not held yet; says of those that can not be opened why, once each. True when a key was
    /// retired: tables that need it are to be written again.
    /// </summary>
    public bool Take(RepeatedField<DataKeyRecord> records, Action<string> say)
    {
        bool hasRetired = false;
        foreach (DataKeyRecord record in records)
        {
            if (Ring.Find(record.Id) is null && !TryAdd(record, say))
            {
                continue;
            }

            CurrentKey? current = CurrentOf(record.Keyspace);
            if (record.Retired && current?.Id != record.Id)
            {
                hasRetired |= !Ring.IsRetired(record.Id);
                Ring.Retire(record.Id);
            }
            else if (!record.Retired && current is null)
            {
                _current.Add(record.Keyspace, new(record.Id));
            }
            else if (!record.Retired && record.Id > current!.Id && Ring.MayEncrypt(record.Id))
            {
                // Only now the one before is retired: where the newer one can not be opened, it goes on.
                current.Rotate(Ring, record.Id);
                hasRetired = true;
            }
        }

        return hasRetired;
    }

    private bool TryAdd(DataKeyRecord record, Action<string> say)
    {
        if (master is null)
        {
            return false;
        }

        if (WrappedKey.TryOpen(record.Wrapped.Span, master, record.Id) is { } key)
        {
            Ring.Add(key);
            return true;
        }

        if (_closed.Add(record.Id))
        {
            say($"The master key in {master.Source} does not open data key {record.Id}: it was wrapped by another one. "
                + "Start this node with the cluster's --master-key-file.");
        }

        return false;
    }
}
