using System.Diagnostics;
using System.Globalization;
using Quorate.Node.Cluster;
using Quorate.Server.Disk;
using Quorate.Server.Runtime;

namespace Quorate.Server.Http;

/// <summary>A node's metrics, put together when they are asked for.</summary>
internal static class NodeMetrics
{
    /// <summary>Partitions with samples of their own; of more, a reader of the metrics could not bear the
    /// page.</summary>
    private const int PartitionsShownMax = 2000;

    private static readonly string[] ElectionCauses = ["first", "start", "silence", "transfer"];

    public static string Of(NodeFacts facts, ClusterReport? report)
    {
        var text = new MetricsText();
        AddProcess(text, facts);
        AddLoop(text, facts);
        AddDisk(text, facts);
        AddPeers(text, facts);
        text.Counter("quorate_events_total", "What an operator may want to know, by kind (elections among them).");
        KeyValuePair<(string Kind, string Cause), long>[] events = facts.Events.Counts();
        foreach (IGrouping<string, KeyValuePair<(string Kind, string Cause), long>> kind in
            events.GroupBy(each => each.Key.Kind, StringComparer.Ordinal))
        {
            text.Add(kind.Sum(each => each.Value), "kind", kind.Key);
        }

        text.Counter("quorate_elections_total", "Elections that this node has won, by what led to them.");
        foreach (string cause in ElectionCauses)
        {
            text.Add(events.Where(each => each.Key == ("election", cause)).Sum(each => each.Value), "cause", cause);
        }

        if (report is not null)
        {
            AddCluster(text, report);
            AddPartitions(text, report);
        }

        foreach (Action<MetricsText> more in facts.More)
        {
            more(text);
        }

        return text.ToString();
    }

    private static void AddProcess(MetricsText text, NodeFacts facts)
    {
        GCMemoryInfo collector = GC.GetGCMemoryInfo();
        text.Gauge("quorate_memory_limit_bytes", "What the process may take (--memory).").Add(facts.Memory.TotalBytes);
        text.Gauge("quorate_process_resident_bytes", "What the process takes.").Add(Environment.WorkingSet);
        text.Gauge("quorate_gc_heap_bytes", "The managed heap after the last collection.")
            .Add(collector.HeapSizeBytes);
        text.Counter("quorate_gc_allocated_bytes_total", "Bytes that were allocated on the managed heap.")
            .Add(GC.GetTotalAllocatedBytes());
        text.Counter("quorate_gc_pause_seconds_total", "Time in which the collector stood everything still.")
            .Add(GC.GetTotalPauseDuration().TotalSeconds);
        text.Counter("quorate_gc_collections_total", "Collections, by generation.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Add(
                GC.CollectionCount(generation), "generation", generation.ToString(CultureInfo.InvariantCulture));
        }

        text.Counter("quorate_process_cpu_seconds_total", "Processor time.")
            .Add(Environment.CpuUsage.TotalTime.TotalSeconds);
        using var own = Process.GetCurrentProcess();
        text.Gauge("quorate_process_threads", "Threads of the process, the collector's and the disk's among them.")
            .Add(own.Threads.Count);
        text.Gauge("quorate_pool_threads", "Threads of the pool.").Add(ThreadPool.ThreadCount);
    }

    private static void AddLoop(MetricsText text, NodeFacts facts)
    {
        NodeLoopFigures figures = facts.Loop.Figures;
        text.Gauge("quorate_loop_inputs_waiting", "Inputs that wait for the node.").Add(facts.Loop.InputsWaiting);
        text.Counter("quorate_loop_inputs_total", "Inputs that the node has taken.").Add(figures.Inputs);
        text.Counter("quorate_loop_rounds_total", "Rounds of the loop, by whose thread drove.")
            .Add(figures.OwnRounds, "thread", "own")
            .Add(figures.Rounds - figures.OwnRounds, "thread", "borrowed");
        text.Counter("quorate_loop_hand_overs_total", "How often a borrowed thread was let go.")
            .Add(figures.HandOvers);
        text.Counter("quorate_loop_busy_seconds_total", "Time in which somebody drove the node.")
            .Add(figures.BusyMicroseconds / 1e6);
        text.Counter("quorate_loop_work_seconds_total", "Of that, background work.")
            .Add(figures.WorkMicroseconds / 1e6);
        text.Gauge("quorate_loop_work_seconds_max", "The longest piece of background work.")
            .Add(figures.WorkMicrosecondsMax / 1e6);
        text.Counter("quorate_node_stalls_total", "How often this node itself stood still so long that others may have "
            + "called it silent.").Add(facts.Host.Stalls.Stalls);
        text.Counter("quorate_node_stall_seconds_total", "How long it stood still then, in all.")
            .Add(facts.Host.Stalls.StallMicroseconds / 1e6);
        text.Counter("quorate_loop_calls_refused_total", "Calls refused since too many waited.").Add(figures.Refused);
        text.Counter("quorate_loop_messages_lost_total", "Peers' messages lost since too many waited.")
            .Add(figures.Lost);
    }

    private static void AddDisk(MetricsText text, NodeFacts facts)
    {
        text.Gauge("quorate_disk_operations", "Operations that the disk has not finished.").Add(facts.Disk.UnderWay);
        text.Histogram(
            "quorate_log_sync_seconds", "How long a durable write of the log took.", facts.Disk.Figures.DurableWrites);
        text.Histogram(
            "quorate_log_batch_bytes", "What a durable write of the log carried.", facts.Disk.Figures.DurableSizes);
        text.Counter("quorate_log_writes_total", "Durable writes of the log.")
            .Add(facts.Disk.Figures.DurableWriteCount);
        text.Counter("quorate_log_written_bytes_total", "What was written durably.")
            .Add(facts.Disk.Figures.DurableBytes);
        text.Gauge("quorate_log_write_bytes_max", "The largest durable write.")
            .Add(facts.Disk.Figures.DurableBytesMax);
        DiskSpace space = DiskSpace.Of(facts.Folder);
        text.Gauge("quorate_disk_space_bytes", "The file system of the data folder.")
            .Add(space.TotalBytes, "what", "total")
            .Add(space.FreeBytes, "what", "free");
    }

    private static void AddPeers(MetricsText text, NodeFacts facts)
    {
        text.Gauge("quorate_peer_links", "Open connections between nodes, by who opened them.")
            .Add(facts.Peers.OpenLinks, "by", "this")
            .Add(facts.Peers.IncomingLinks, "by", "other");
        text.Gauge("quorate_peer_waiting_bytes", "What waits to be sent to other nodes.")
            .Add(facts.Peers.WaitingBytes);
        text.Counter("quorate_peer_messages_lost_total", "Messages to or from other nodes that were thrown away.")
            .Add(facts.Peers.Lost);
    }

    private static void AddCluster(MetricsText text, ClusterReport report)
    {
        text.Gauge("quorate_metadata_version", "The log index of the newest metadata here.")
            .Add(report.MetadataVersion);
        text.Gauge("quorate_metadata_term", "The metadata group's term.").Add(report.MetadataTerm.Value);
        text.Gauge("quorate_node_heard", "Whether a node is heard.");
        foreach (NodeReport node in report.Nodes)
        {
            text.Add(node.IsHeard ? 1 : 0, "node", node.Id.ToString());
        }

        text.Gauge("quorate_memory_budget_bytes", "What the node counts: rows, caches, indexes and filters (total, "
            + "used); entries, requests, replies and messages under way (under_way_total, under_way).")
            .Add(report.MemoryTotalBytes, "what", "total")
            .Add(report.MemoryUsedBytes, "what", "used")
            .Add(report.MemoryUnderWayTotalBytes, "what", "under_way_total")
            .Add(report.MemoryUnderWayBytes, "what", "under_way");
        text.Gauge("quorate_memory_used_bytes", "What is used of the budget, by what for.");
        foreach (MemoryReport use in report.Memory)
        {
            text.Add(use.Bytes, "use", use.Use);
        }

        text.Gauge("quorate_file_work", "Checkpoints and merges that go on, and those that wait for memory.")
            .Add(report.FileWork.UnderWay, "state", "under_way")
            .Add(report.FileWork.Waiting, "state", "waiting");
        text.Gauge("quorate_metadata_leader", "1 where the metadata group is led.")
            .Add(report.MetadataLeader.NodeId == report.Self ? 1 : 0);
        text.Gauge("quorate_keyspace_live_bytes", "Users' rows of a keyspace in this node's memory.");
        foreach (KeyspaceReport keyspace in report.Keyspaces)
        {
            text.Add(keyspace.LiveBytes, "keyspace", keyspace.Name);
        }

        text.Gauge("quorate_disk_space_low", "1 when writes are refused for want of space.")
            .Add(report.SpaceIsLow ? 1 : 0);
        text.Gauge("quorate_requests_forwarded", "Requests handed to other nodes and not answered yet.")
            .Add(report.Forwarded);
        text.Gauge("quorate_requests_waiting", "Requests that wait for a leader to be found.").Add(report.Waiting);
        text.Gauge("quorate_alarms", "What needs an operator.").Add(report.Alarms.Count);
    }

    private static void AddPartitions(MetricsText text, ClusterReport report)
    {
        Dictionary<uint, string> names = report.Keyspaces.ToDictionary(each => each.Id, each => each.Name);
        var here = new List<Labelled>();
        int hidden = 0;
        foreach (PartitionReport partition in report.Partitions.Where(partition => partition.IsHere))
        {
            if (here.Count == PartitionsShownMax)
            {
                hidden++;
                continue;
            }

            here.Add(new(
                partition, names.GetValueOrDefault(partition.Keyspace, ""), partition.Group.ToString()));
        }

        text.Gauge("quorate_partitions", "Partitions here: those with samples of their own, and those beyond.")
            .Add(here.Count, "what", "shown")
            .Add(hidden, "what", "hidden");
        AddEach(text.Gauge("quorate_partition_leader", "1 at the leader."), here,
            partition => partition.Leader == report.Self ? 1 : 0);
        AddEach(text.Gauge("quorate_partition_term", "The Raft term."), here, partition => partition.Term.Value);
        AddEach(text.Gauge("quorate_partition_commit_index", "The last committed entry known here."), here,
            partition => partition.Commit.Value);
        AddEach(text.Gauge("quorate_partition_apply_lag_entries", "Committed entries not applied here."), here,
            partition => partition.Commit.Value - Math.Min(partition.Commit.Value, partition.Applied.Value));
        AddEach(text.Gauge("quorate_partition_dirty_bytes", "Rows that no checkpoint has yet."), here,
            partition => partition.DirtyBytes);
        AddEach(text.Gauge("quorate_partition_live_bytes", "Users' rows in memory."), here,
            partition => partition.LiveBytes);
        AddEach(text.Gauge("quorate_partition_under_replicated", "At the leader: 1 when a replica is far behind."),
            here, partition => partition.IsUnderReplicated ? 1 : 0);
        AddReplicas(text.Gauge("quorate_replica_lag_entries", "At the leader: how far a replica is behind."), here,
            replica => replica.Lag);
        AddReplicas(
            text.Gauge("quorate_replica_lag_seconds", "At the leader: the age of the first entry it lacks."), here,
            replica => replica.LagMilliseconds / 1e3);
    }

    private static void AddEach(MetricsText text, List<Labelled> partitions, Func<PartitionReport, double> value)
    {
        foreach (Labelled each in partitions)
        {
            text.Add(value(each.Partition), "keyspace", each.Keyspace, "partition", each.Group);
        }
    }

    private static void AddReplicas(MetricsText text, List<Labelled> partitions, Func<ReplicaReport, double?> value)
    {
        foreach (Labelled each in partitions)
        {
            foreach (ReplicaReport replica in each.Partition.Replicas)
            {
                if (value(replica) is { } known)
                {
                    text.Add(
                        known, "keyspace", each.Keyspace, "partition", each.Group, "replica", replica.Id.ToString());
                }
            }
        }
    }

    /// <summary>A partition with what it is labelled by.</summary>
    private sealed record Labelled(PartitionReport Partition, string Keyspace, string Group);
}
