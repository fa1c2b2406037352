using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Plans;
using Quorate.Storage.Blocks;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.World;

/// <summary>
/// What one life of a node's process has on its disk: the node's log, which all its replicas share, and each replica's
/// checkpoints. The only place that makes them.
/// </summary>
internal sealed class NodeStorage : INodeLogClient
{
    /// <summary>Where the node's log is.</summary>
    public const string LogPrefix = "node-";

    private readonly Simulation _world;
    private readonly SimulatedNode _node;
    private readonly NodeLog _log;
    private readonly BlockCache? _cache;

    public NodeStorage(Simulation world, SimulatedNode node)
    {
        _world = world;
        _node = node;
        _log = new NodeLog(node.Disk, LogPrefix, world.Plan.Log, this);
        if (world.Plan.Values is { } values)
        {
            Memory = new MemoryBudget(values.MemoryBytes);
            _cache = new BlockCache(values.CacheBytes, Memory);
        }
    }

    /// <summary>The log has been read, and it proves what it holds.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>The node's memory for rows, where it holds typed values.</summary>
    public MemoryBudget? Memory { get; }

    /// <summary>The log has no space for more than what lets it go on.</summary>
    public bool SpaceIsLow { get; private set; }

    /// <summary>Where a replica's checkpoints are: incarnations on one disk do not mix.</summary>
    public static string FilePrefix(int group, ReplicaId id) => $"g{group + 1}i{id.Incarnation}-";

    public void Open() => _log.Open();

    /// <summary>As a node does whose heartbeats are due.</summary>
    public void Tick()
    {
        if (SpaceIsLow)
        {
            _log.LookForSpace();
        }
    }

    public ObservedLog LogOf(
        int group, ReplicaId replica, ReplicaRecord record, IGroupLogClient client, Func<ulong, bool> postpone) =>
        new(record, client, inner => _log.For(StreamOf(group, replica), inner), postpone);

    public ObservedCheckpoints CheckpointsOf(
        int group, ReplicaId replica, GroupChecks checks, ICheckpointsClient client) =>
        new(replica, checks, client, files => new CheckpointFiles(_node.Disk, FilePrefix(group, replica), files));

    /// <summary>The rows of a partition.</summary>
    public IPartitionStore RowsOf(int group, ReplicaId replica, IPartitionStoreClient client)
    {
        ValuesPlan plan = _world.Plan.Values!;
        return plan.HasTwin
            ? new MemoryStore(
                _node.Disk,
                FilePrefix(group, replica),
                client,
                new MemoryStoreSettings { RowsAreCold = plan.RowsAreCold })
            : new PartitionStore(
                _node.Disk, SettingsOf(group, replica), client, _cache!, Memory!, _node.Encryption);
    }

    /// <summary>What is wrong in the files of a partition's rows; none when all is as it must be.</summary>
    public IReadOnlyList<string> ProblemsOf(int group, ReplicaId replica) =>
        _world.Plan.Values is { HasTwin: false }
            ? StoreStrictCheck.Check(
                SettingsOf(group, replica), _node.Disk.Names, file => _node.Disk.Content(file), _node.Encryption?.Keys)
            : [];

    /// <summary>A replica was taken away; while the log is being read that is found out anyway.</summary>
    public void Drop(int group, ReplicaId replica)
    {
        if (IsOpen)
        {
            _log.Drop(StreamOf(group, replica));
        }
    }

    void INodeLogClient.LogOpened(IReadOnlyList<LogStream> streams)
    {
        IsOpen = true;
        CheckLogFiles();
        IReadOnlyList<string> problems = LogStrictCheck.Problems(
            LogPrefix, _node.Disk.Names, file => _node.Disk.Content(file) ?? default);
        if (problems.Count > 0)
        {
            RunClaims.Break(
                RunClaims.LogRecovery, $"{_node.Name} has opened a log that is not as it must be", problems);
        }

        foreach (LogStream stream in streams)
        {
            int group = (int)stream.Group.Value - 1;
            if (_world.Placements[group].On(_node.Number)?.Id.Incarnation != stream.Incarnation)
            {
                _log.Drop(stream);
            }
        }
    }

    void INodeLogClient.CheckpointWanted(LogStream stream) =>
        _node.Replicas[(int)stream.Group.Value - 1]?.WantCheckpoint();

    void INodeLogClient.SpaceIsLow(bool isLow)
    {
        SpaceIsLow = isLow;
        if (_world.Trace.Verbose)
        {
            _world.Note(_node.Name, isLow ? "has no space for another log segment" : "has space for its log again");
        }
    }

    void INodeLogClient.LogFailed(string sentence) => _node.Ending = sentence;

    private static LogStream StreamOf(int group, ReplicaId replica) =>
        new(new((uint)group + 1), replica.Incarnation);

    private void CheckLogFiles()
    {
        if (!_world.Operator.Rot.Doubts(_node.Number)
            && LogStrictCheck.Problems(LogPrefix, _node.Disk.Names, file => _node.Disk.Content(file) ?? default)
                is [var first, ..])
        {
            RunClaims.Break(RunClaims.StrictFiles, $"{_node.Name} has opened its log, and {first}");
        }
    }

    private PartitionStoreSettings SettingsOf(int group, ReplicaId replica) => _world.Plan.Values!.Store with
    {
        Prefix = FilePrefix(group, replica),
        Partition = new GroupId((uint)group + 1),
    };
}
