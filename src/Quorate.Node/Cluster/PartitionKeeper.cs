using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Node.Metadata.Wire;
using Quorate.Node.Partitions;
using Quorate.Node.Runtime;
using Quorate.Storage;
using Quorate.Storage.Blocks;
using Quorate.Storage.Encryption;
using Quorate.Storage.Log;
using Quorate.Storage.Stores;

namespace Quorate.Node.Cluster;

/// <summary>
/// Opens and drops this node's partitions as the map says.
/// <para>Invariants: what is done is durable in the <see cref="LocalMap"/> before; at a start all that the file names
/// is opened before the log is read, so that one pass over it serves all and no quorum is needed.</para>
/// </summary>
internal sealed class PartitionKeeper
{
    private readonly ClusterParts _parts;
    private readonly LocalMap _map;
    private readonly StartFiles _files;
    private readonly DataKeys _keys;
    private readonly Queue<LogStream> _strayLogs = new();
    private readonly SortedDictionary<GroupId, PartitionOpening> _openings = [];
    private readonly SortedSet<GroupId> _refused = [];
    private MetadataState? _durable;
    private (KeyspaceRecord Keyspace, PartitionRecord Row) _beingOpened;
    private Instant _retryAt;

    public PartitionKeeper(ClusterParts parts, Action<string> failed)
    {
        _parts = parts;
        _map = new(parts.Place.Disk, failed);
        _files = new(parts.Place.Disk, failed);
        _keys = new(parts.Place.MasterKey);
        Cache = new(parts.Settings.BlockCacheBytes, parts.Place.Memory);
        Failed = failed;
    }

    /// <summary>The metadata version that this node has acted on.</summary>
    public ulong Version => _durable?.Version ?? 0;

    /// <summary>The data keys that this node holds.</summary>
    public KeyRing Keys => _keys.Ring;

    /// <summary>The blocks of all partitions' files.</summary>
    public BlockCache Cache { get; }

    private Action<string> Failed { get; }

    /// <summary>Reads the file and opens what it names; then <paramref name="opened"/>, with the state it
    /// holds.</summary>
    public void Start(Action<MetadataState> opened) => _map.Read(state => _files.List(names =>
    {
        bool hasLog = names.Any(name => name.StartsWith("node-log", StringComparison.Ordinal));
        if (state is { Version: > 0 } && !hasLog)
        {
            Failed($"The files of the log are missing from the data folder, though {LocalMap.Name} shows that there "
                + $"was one. Without them this node has forgotten what it promised and acknowledged. "
                + FolderAdvice.Sentence);
        }
        else if (state is not null && DataKeys.StartProblem(state, _parts.Place.MasterKey) is { } problem)
        {
            Failed(problem);
        }
        else if (state is not null)
        {
            _files.Delete(Orphans(state, names), () => Begin(state, opened));
        }
        else if (hasLog)
        {
            Failed($"The file {LocalMap.Name} is missing from the data folder, and without it nobody can tell what "
                + $"partitions this node holds. {FolderAdvice.Sentence}");
        }
        else
        {
            var first = new MetadataState();
            _map.Write(first, isDone =>
            {
                if (isDone)
                {
                    Begin(first, opened);
                }
                else
                {
                    Failed("The disk is full: not even the first file fits on it. Free some space, then start again.");
                }
            });
        }
    }));

    /// <summary>
    /// The view has changed, or time has passed: writes the file when it is behind, and acts when it is not.
    /// </summary>
    public void Match()
    {
        while (_strayLogs.TryDequeue(out LogStream stream))
        {
            _parts.Runtime.DropLog(stream);
        }

        if (_durable is null || _map.IsBusy || _parts.View.Version <= _durable.Version || _parts.Now < _retryAt)
        {
            return;
        }

        MetadataState state = _parts.View.State;
        if (!Guards.MapIsDurableFirst)
        {
            Act(state);
        }

        _map.Write(state, isDone =>
        {
            if (isDone)
            {
                _durable = state;
                Act(state);
                Match();
            }
            else
            {
                _retryAt = _parts.Now + Duration.FromSeconds(1);
                _parts.Say("space", $"The disk is full: {LocalMap.Name} could not be written.");
            }
        });
    }

    /// <summary>
    /// The log holds something of replicas that the file no longer names: a crash while they were dropped.
    /// </summary>
    public void UnknownLogs(IEnumerable<LogStream> streams)
    {
        foreach (LogStream stream in streams)
        {
            if (stream != _parts.Metadata.Stream && !IsRefused(stream))
            {
                _strayLogs.Enqueue(stream);
            }
        }
    }

    public void Close()
    {
        _map.Close();
        _files.Close();
    }

    /// <summary>Makes the rows of the partition that is being opened.</summary>
    public IPartitionStore NewRows(GroupId group, ReplicaId id, IPartitionStoreClient client)
    {
        (KeyspaceRecord keyspace, PartitionRecord row) = _beingOpened;
        StoreEncryption? encryption = keyspace.Encrypted
            ? new(_keys.Ring, _keys.CurrentOf(keyspace.Id)!, _parts.Place.Entropy)
            : null;
        var rows = new PartitionRows(
            group, id, StartFiles.PrefixOf(group, id), row.Slots(), keyspace.Compression, encryption);
        if (_parts.Place.Rows is { } made)
        {
            return made(rows, client);
        }

        var settings = new PartitionStoreSettings
        {
            Prefix = rows.Prefix,
            Partition = group,
            Slots = rows.Slots,
            Tables = new()
            {
                Compression = rows.Compression == Compression.Snappy ? BlockCompression.Snappy : BlockCompression.None,
            },
        };
        return new PartitionStore(
            _parts.Place.Disk, settings, client, Cache, _parts.Place.Memory, encryption, _parts.Place.Readers);
    }

    private IEnumerable<string> Orphans(MetadataState state, IEnumerable<string> names)
    {
        var here = new SortedSet<(GroupId, uint)>();
        foreach (PartitionRecord row in state.Partitions)
        {
            if (row.ReplicaOn(_parts.Self) is { } replica)
            {
                here.Add((new(row.Group), replica.Incarnation));
            }
        }

        return names.Where(name =>
            StartFiles.TryParse(name, out GroupId group, out uint incarnation) && !here.Contains((group, incarnation)));
    }

    private void Begin(MetadataState state, Action<MetadataState> opened)
    {
        _durable = state;
        Act(state);
        opened(state);
    }

    private void Act(MetadataState state)
    {
        if (_keys.Take(state.DataKeys, sentence => _parts.Say("keys", sentence)))
        {
            // Partitions to which nothing happens would else keep their tables as they are.
            _parts.Runtime.LookForWork();
        }

        var wanted = new SortedSet<GroupId>();
        SortedDictionary<uint, KeyspaceRecord> keyspaces = [];
        foreach (KeyspaceRecord keyspace in state.Keyspaces)
        {
            keyspaces.Add(keyspace.Id, keyspace);
        }

        foreach (PartitionRecord row in state.Partitions)
        {
            if (row.ReplicaOn(_parts.Self) is { } replica)
            {
                wanted.Add(new(row.Group));
                Open(keyspaces[row.Keyspace], row, replica);
            }
        }

        foreach (GroupId group in _parts.Runtime.Partitions.ToArray())
        {
            if (!wanted.Contains(group))
            {
                _openings.Remove(group);
                _parts.Runtime.Drop(group);
            }
        }

        _refused.RemoveWhere(group => !wanted.Contains(group));

        _parts.Host.PartitionsChanged();
    }

    private void Open(KeyspaceRecord keyspace, PartitionRecord row, ReplicaId replica)
    {
        var group = new GroupId(row.Group);
        if (_openings.TryGetValue(group, out PartitionOpening? open))
        {
            if (open.Id == replica)
            {
                Change(open, SettingsOf(keyspace, row));
                return;
            }

            _parts.Runtime.Drop(group);
            _openings.Remove(group);
        }

        if (keyspace.Encrypted && _keys.CurrentOf(keyspace.Id) is null)
        {
            if (_refused.Add(group))
            {
                _parts.Say(
                    "keys",
                    $"Partition {group} of keyspace '{keyspace.Name}' is encrypted and stays closed on this node, "
                        + "which does not hold its data key: start it with the cluster's --master-key-file.");
            }

            return;
        }

        var opening = new PartitionOpening
        {
            Group = group,
            Id = replica,
            Bootstrap = row.FirstMembership(replica),
            Settings = SettingsOf(keyspace, row),
            Seal = keyspace.Encrypted
                ? new SealedEntries(
                    new EntrySealer(_keys.Ring, group, _parts.Place.Entropy), _keys.CurrentOf(keyspace.Id)!)
                : PlainEntries.Instance,
        };
        _openings.Add(group, opening);
        _beingOpened = (keyspace, row);
        _parts.Runtime.Open(opening);
        _refused.Remove(group);
    }

    /// <summary>What an altered keyspace means for a partition that is open.</summary>
    private void Change(PartitionOpening open, PartitionSettings settings)
    {
        if (open.Settings.Cache != settings.Cache || open.Settings.TtlMilliseconds != settings.TtlMilliseconds)
        {
            _openings[open.Group] = open with { Settings = settings };
            _parts.Runtime.Find(open.Group)?.Change(settings.Cache, settings.TtlMilliseconds);
        }
    }

    private PartitionSettings SettingsOf(KeyspaceRecord keyspace, PartitionRecord row) =>
        _parts.Settings.Partition with
        {
            FirstSlot = new((ushort)row.FirstSlot),
            TtlMilliseconds = (long)keyspace.TtlMilliseconds,
            Cache = keyspace.Eviction == Eviction.None
                ? null
                : new CacheSettings { BytesMax = (long)keyspace.BytesMax, Policy = PolicyOf(keyspace.Eviction) },
        };

    private static EvictionPolicy PolicyOf(Eviction eviction) => eviction switch
    {
        Eviction.AllLru => EvictionPolicy.AllKeysLru,
        Eviction.AllRandom => EvictionPolicy.AllKeysRandom,
        Eviction.VolatileLru => EvictionPolicy.VolatileLru,
        Eviction.VolatileTtl => EvictionPolicy.VolatileTtl,
        _ => EvictionPolicy.NoEviction,
    };

    private bool IsRefused(LogStream stream) => _refused.Contains(stream.Group);
}
