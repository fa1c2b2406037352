using Quorate.Core.Model;
using Quorate.Simulator.Checks;
using Quorate.Storage.Checkpoints;
using Quorate.Storage.Log;

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

    public NodeStorage(Simulation world, SimulatedNode node)
    {
        _world = world;
        _node = node;
        _log = new NodeLog(node.Disk, LogPrefix, world.Plan.Log, this);
    }

    /// <summary>The log has been read, and it proves what it holds.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Where a replica's checkpoints are: incarnations on one disk do not mix.</summary>
    public static string FilePrefix(int group, ReplicaId id) => $"g{group + 1}i{id.Incarnation}-";

    public void Open() => _log.Open();

    public ObservedLog LogOf(
        int group, ReplicaId replica, ReplicaRecord record, IGroupLogClient client, Func<ulong, bool> postpone) =>
        new(record, client, inner => _log.For(StreamOf(group, replica), inner), postpone);

    public ObservedCheckpoints CheckpointsOf(
        int group, ReplicaId replica, GroupChecks checks, ICheckpointsClient client) =>
        new(replica, checks, client, files => new CheckpointFiles(_node.Disk, FilePrefix(group, replica), files));

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
        _node.Replicas[(int)stream.Group.Value - 1]?.Replica.WantCheckpoint();

    void INodeLogClient.SpaceIsLow(bool isLow)
    {
        if (_world.Trace.Verbose)
        {
            _world.Note(_node.Name, isLow ? "has no space for another log segment" : "has space for its log again");
        }
    }

    void INodeLogClient.LogFailed(string sentence) => _node.Ending = sentence;

    private static LogStream StreamOf(int group, ReplicaId replica) =>
        new(new((uint)group + 1), replica.Incarnation);
}
