using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Simulator.Disk;
using Quorate.Simulator.World;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.Twins;

/// <summary>What a node of a <see cref="RecordedRun"/> did to its disk, and what it held at the end.</summary>
public sealed class RecordedNode
{
    private readonly StoreEncryption? _encryption;
    private readonly List<RecordedReplica> _replicas = [];

    internal RecordedNode(Simulation world, SimulatedNode node)
    {
        Name = node.Name;
        Recorded = node.Recorded!;
        Simulated = node.Disk;
        _encryption = node.Encryption;
        for (int group = 0; group < node.Replicas.Length; group++)
        {
            if (node.Replicas[group] is { Replica.IsRunning: true } replica)
            {
                PartitionStoreSettings settings = world.Plan.Values!.Store with
                {
                    Prefix = NodeFiles.Prefix(group, replica.Id),
                    Partition = NodeFiles.GroupOf(group),
                };
                _replicas.Add(new RecordedReplica(
                    NodeFiles.StreamOf(group, replica.Id),
                    settings,
                    RunKeys.SealOf(node, group),
                    replica.Replica.AppliedAt.Index,
                    replica.StateHash));
            }
        }
    }

    public string Name { get; }

    /// <summary>All operations, to be repeated on another disk.</summary>
    public RecordedDisk Recorded { get; }

    /// <summary>The disk that they were done to.</summary>
    public SimulatedDisk Simulated { get; }

    /// <summary>Replicas whose state at the end is known by its hash.</summary>
    public int KnownStates => _replicas.Count(replica => replica.StateHash is not null);

    /// <summary>
    /// Starts on a disk with the same files: opens the log and the rows of each replica, and applies what the log has
    /// behind the last checkpoint, up to where the replica was. A sentence for each that does not come to the state
    /// that it had.
    /// </summary>
    /// <param name="wait">Lets the disk work until something has ended.</param>
    public IReadOnlyList<string> Restart(IDisk disk, Action wait)
    {
        var memory = new MemoryBudget(1L << 30);
        var cache = new BlockCache(1 << 20, memory);
        var log = new RestartedLog(disk, _encryption?.Keys, _replicas.Select(replica => replica.Stream), wait);
        var problems = new List<string>();
        foreach (RecordedReplica replica in _replicas)
        {
            var store = new RestartedStore(
                client => new PartitionStore(disk, replica.Settings, client, cache, memory, _encryption), wait);
            LogIndex applied = store.Checkpoint;
            foreach (Entry entry in log.Entries(replica.Stream, applied, replica.Applied))
            {
                store.Apply(entry, replica.Seal);
            }

            ulong hash = store.StateHash();
            store.Close();
            if (replica.StateHash is { } expected && hash != expected)
            {
                problems.Add(
                    $"{Name}: {replica.Stream} restarted from its checkpoint at {applied} has state {hash:x16} at "
                        + $"{replica.Applied}, and had {expected:x16}");
            }
        }

        return problems;
    }

    private sealed record RecordedReplica(
        LogStream Stream, PartitionStoreSettings Settings, IEntrySeal Seal, LogIndex Applied, ulong? StateHash);
}
