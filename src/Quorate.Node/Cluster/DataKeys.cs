using Google.Protobuf.Collections;
using Quorate.Node.Metadata.Wire;
using Quorate.Storage.Encryption;

namespace Quorate.Node.Cluster;

/// <summary>
/// The data keys of encrypted keyspaces, as the metadata brings them, wrapped by the cluster's master key.
/// </summary>
internal sealed class DataKeys(MasterKey? master)
{
    private readonly SortedDictionary<uint, uint> _current = [];
    private readonly SortedSet<uint> _closed = [];

    public KeyRing Ring { get; } = new();

    /// <summary>The key that new data of a keyspace is encrypted with; <see cref="DataKey.NoId"/> when it is not
    /// here.</summary>
    public uint CurrentOf(uint keyspace) => _current.GetValueOrDefault(keyspace, DataKey.NoId);

    /// <summary>Takes the keys that are not held yet; says of those that can not be opened why, once each.</summary>
    public void Take(RepeatedField<DataKeyRecord> records, Action<string> say)
    {
        foreach (DataKeyRecord record in records)
        {
            if (Ring.Find(record.Id) is null && !TryAdd(record, say))
            {
                continue;
            }

            if (record.Retired)
            {
                Ring.Retire(record.Id);
            }
            else
            {
                _current[record.Keyspace] = record.Id;
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
