using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Partitions;
using Quorate.Node.Replicas;
using Quorate.Simulator.Checks;
using Quorate.Simulator.Disk;
using Quorate.Simulator.World;
using Quorate.Storage.Blocks;
using Quorate.Storage.Disk;
using Quorate.Storage.Log;
using Quorate.Storage.Memory;
using Quorate.Storage.Stores;

namespace Quorate.Simulator.Twins;

/// <summary>
/// A node of a <see cref="RecordedRun"/> whose disk is cut off at moments of the run, as its process dies or its power
/// goes there, and is then started again: its log is opened, and of each replica the rows, and what the log has behind
/// them is applied. It must hold all that it had promised by then, and nothing that was never written.
/// </summary>
public sealed class CrashedNode
{
    /// <summary>Moments from the last piece of a snapshot until the log is brought to it, and some more.</summary>
    private const int AfterReceiving = 30;

    private readonly RecordedDisk _recorded;
    private readonly StoreEncryption? _encryption;
    private readonly List<Held> _replicas = [];

    internal CrashedNode(Simulation world, SimulatedNode node)
    {
        Name = node.Name;
        _recorded = node.Recorded!;
        _encryption = node.Encryption;
        for (int group = 0; group < node.Replicas.Length; group++)
        {
            if (node.Replicas[group] is { } replica
                && world.Checks[group].RecordOf(replica.Id).Promises is { } promises)
            {
                promises.End();
                _replicas.Add(new Held(
                    NodeFiles.StreamOf(group, replica.Id),
                    world.Plan.Values!.Store with
                    {
                        Prefix = NodeFiles.Prefix(group, replica.Id),
                        Partition = NodeFiles.GroupOf(group),
                    },
                    RunKeys.SealOf(node, group),
                    promises,
                    world.Checks[group],
                    world.Placements[group].On(node.Number)!.Bootstrap,
                    HashesOf(world.Checks[group].Committed, RunKeys.ReaderOf(world, group))));
            }
        }
    }

    public string Name { get; }

    /// <summary>Submissions and ends of operations in the run.</summary>
    public int Moments => _recorded.Moments;

    /// <summary>What the starts came to, in all.</summary>
    public CrashFigures Figures { get; } = new();

    /// <summary>
    /// Goes through the run again, and cuts it off at the moments that are asked for, in each of some ways: a sentence
    /// for each start that does not come to what it must.
    /// </summary>
    /// <param name="isWanted">
    /// Of a moment, counted from one; only those at which an operation has ended count. While a snapshot is received,
    /// and shortly after, all do.
    /// </param>
    /// <param name="fates">Ways in which the disk is left; the first is the death of the process alone.</param>
    public IEnumerable<string> Crash(Func<int, bool> isWanted, ulong fates)
    {
        var begun = new List<PendingDiskOperation>();
        var disk = new SimulatedDisk(begun.Add, 1);
        int moment = 0;
        int sinceReceived = AfterReceiving;
        foreach ((DiskOperation operation, bool isEnd) in _recorded.StepsOn(disk, begun))
        {
            moment++;
            sinceReceived = operation.File.EndsWith(".receiving", StringComparison.Ordinal) ? 0 : sinceReceived + 1;
            if (!isEnd || (!isWanted(moment) && sinceReceived > AfterReceiving))
            {
                continue;
            }

            Figures.See(operation);
            for (ulong fate = 0; fate < fates; fate++)
            {
                SimulatedDisk left = disk.Copy(fate);
                Break(left, powerLost: fate > 0, (fate * 1_000_003) + (ulong)moment);
                foreach (string problem in Start(left, moment))
                {
                    yield return $"{Name}, moment {moment}, after {operation.Kind} {operation.File}, way {fate}: "
                        + problem;
                }

                // What was opened is as durable as anything.
                Break(left, powerLost: true, fate);
                foreach (string problem in fate == (ulong)moment % fates ? Start(left, moment) : [])
                {
                    yield return $"{Name}, moment {moment}, way {fate}, started a second time: {problem}";
                }
            }
        }
    }

    private static void Break(SimulatedDisk disk, bool powerLost, ulong seed)
    {
        if (powerLost)
        {
            disk.PowerLost(new(seed));
        }
        else
        {
            disk.ProcessDied(new(seed));
        }
    }

    /// <summary>What the rows are at each committed index, told by the plain twin; by index.</summary>
    private static ulong[] HashesOf(CommittedLog committed, IEntrySeal seal)
    {
        var disk = new MemoryDisk();
        var client = new RestartedStore(inner => new MemoryStore(disk, "model-", inner), disk.RunAll);
        ulong[] hashes = new ulong[committed.Last + 1];
        hashes[0] = client.StateHash();
        for (ulong index = 1; index <= committed.Last; index++)
        {
            client.Apply(committed.At(index), seal);
            hashes[index] = client.StateHash();
        }

        client.Close();
        return hashes;
    }

    private List<string> Start(SimulatedDisk disk, int moment)
    {
        void Wait()
        {
            Invariant.Check(disk.Pending.Count > 0, "who waits for the disk has asked it for something");
            disk.Execute(disk.Pending[0]);
        }

        List<string> problems = [];
        var memory = new MemoryBudget(1L << 30);
        var cache = new BlockCache(1 << 20, memory);
        try
        {
            var log = new RestartedLog(disk, _encryption?.Keys, _replicas.Select(replica => replica.Stream), Wait);
            foreach (Held replica in _replicas)
            {
                var store = new RestartedStore(
                    client => new PartitionStore(disk, replica.Settings, client, cache, memory, _encryption), Wait);
                if (Check(replica, log, store, moment) is { } problem)
                {
                    problems.Add($"{replica.Stream}: {problem}");
                }

                store.Close();
            }
        }
        catch (InvariantBrokenException broken)
        {
            problems.Add(broken.Message);
        }

        Figures.Starts++;
        return problems;
    }

    /// <summary>Why what was found of a replica is not what it must be; or null.</summary>
    private string? Check(Held replica, RestartedLog log, RestartedStore store, int moment)
    {
        RecoveredLog found = log.Opened(replica.Stream);
        var recovery = Recovery.From(store.Meta, found, replica.Bootstrap);
        if (recovery.Problem is { } problem)
        {
            return problem;
        }

        RecoveredState state = recovery.State!;
        (ulong last, HardState promised) = replica.Promises.At(moment);
        if (state.LastIndex.Value < last)
        {
            return $"entries up to {last} were told to be durable, and {state.LastIndex} is the last that is there";
        }

        if (state.HardState.Term < promised.Term
            || (state.HardState.Term == promised.Term && !promised.Vote.IsNone
                && state.HardState.Vote != promised.Vote))
        {
            return $"{promised} was told to be durable, and {state.HardState} is there";
        }

        CommittedLog committed = replica.Checks.Committed;
        ulong checkpoint = store.Checkpoint.Value;
        if (checkpoint > committed.Last || store.StateHash() != replica.Hashes[checkpoint])
        {
            return $"the rows of the checkpoint at {checkpoint} are not what they must be";
        }

        ulong applied = checkpoint;
        foreach (Entry entry in recovery.Reset is null ? log.Entries(replica.Stream, new(checkpoint), found.Last) : [])
        {
            if (!replica.Checks.Matching.Knows(entry))
            {
                return $"the log holds {entry}, which nobody has written so";
            }

            if (applied + 1 == entry.Index.Value && committed.TermAt(applied + 1) == entry.Term)
            {
                store.Apply(entry, replica.Seal);
                applied++;
            }
        }

        Figures.Note(checkpoint, applied - checkpoint, recovery.Reset is not null, found.Base.Value);
        return applied < Math.Min(last, committed.Last)
            ? $"entries up to {last} were promised, and those that were committed end at {applied}"
            : store.StateHash() != replica.Hashes[applied]
            ? $"the rows at {applied}, from the checkpoint at {checkpoint} on, are not what they must be"
            : null;
    }

    /// <param name="Hashes">Of the rows at each committed index.</param>
    private sealed record Held(
        LogStream Stream,
        PartitionStoreSettings Settings,
        IEntrySeal Seal,
        ReplicaPromises Promises,
        GroupChecks Checks,
        Membership? Bootstrap,
        ulong[] Hashes);
}
