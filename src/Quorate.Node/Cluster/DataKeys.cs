using Google.Protobuf.Collections;
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

    /// <summary>Takes the keys that are not held yet; says of those that can not be opened why, once each.</summary>
    public void Take(RepeatedField<DataKeyRecord> records, Action<string> say)
    {
        foreach (DataKeyRecord record in records)
        {
            if (Ring.Find(record.Id) is null && !TryAdd(record, say))
            {
                continue;
            }

            CurrentKey? current = CurrentOf(record.Keyspace);
            if (record.Retired && current?.Id != record.Id)
            {
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
            }
        }
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
