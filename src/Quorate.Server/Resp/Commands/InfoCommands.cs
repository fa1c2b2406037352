using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// INFO. Its sections show what this node knows. How many keys there are is counted when the section `keyspace` is
/// asked for by name; without a name a count of a moment ago is good enough (<see cref="InfoKeys"/>).
/// </summary>
internal static class InfoCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("INFO", -1, EdgeHabits.Queued, Run) { QueueProblem = QueueProblem },
    ];

    private static readonly (string Name, Action<RespShared, StringBuilder> Write)[] Sections =
    [
        ("Server", WriteServer),
        ("Clients", WriteClients),
        ("Memory", WriteMemory),
        ("Stats", WriteStats),
        ("Replication", WriteReplication),
        ("Keyspace", WriteKeyspaces),
    ];

    private static void Run(RespRequest request)
    {
        bool countsKeys = false;
        bool showsAll = request.Line.Count == 1;
        var asked = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (int word = 1; word < request.Line.Count; word++)
        {
            string name = Encoding.Latin1.GetString(request.Line[word][..Math.Min(request.Line[word].Length, 32)]);
            asked.Add(name);
            showsAll |= name.ToUpperInvariant() is "DEFAULT" or "ALL" or "EVERYTHING";
            countsKeys |= name.Equals("keyspace", StringComparison.OrdinalIgnoreCase);
        }

        var text = new StringBuilder();
        foreach ((string name, Action<RespShared, StringBuilder> write) in Sections)
        {
            if (showsAll || asked.Contains(name))
            {
                text.Append(text.Length > 0 ? "\r\n" : "").Append("# ").Append(name).Append("\r\n");
                write(request.Connection.Shared, text);
            }
        }

        if ((countsKeys || showsAll) && !request.IsPart)
        {
            InfoKeys.Finish(request, text, mustCount: countsKeys);
        }
        else
        {
            request.Finish(Replies.Bulk(Encoding.UTF8.GetBytes(text.ToString())));
        }
    }

    /// <summary>To count keys all partitions have to be asked.</summary>
    private static string? QueueProblem(RespConnection connection, CommandLine line)
    {
        for (int word = 1; word < line.Count; word++)
        {
            if (CommandNames.Is(line[word], "KEYSPACE"))
            {
                return "ERR INFO keyspace counts keys of all partitions and is not allowed in transactions";
            }
        }

        return null;
    }

    private static void WriteServer(RespShared shared, StringBuilder text)
    {
        long uptime = (shared.WallClockMilliseconds - shared.StartedAt) / 1000;
        Line(text, "redis_version", ConnectionCommands.RedisVersion);
        Line(text, "quorate_version", shared.Node.Version);
        Line(text, "redis_mode", "standalone");
        Line(text, "os", RuntimeInformation.OSDescription);
        Line(text, "arch_bits", Number(8 * IntPtr.Size));
        Line(text, "process_id", Number(Environment.ProcessId));
        Line(text, "run_id", $"{shared.Gateway.View.State.Cluster:x16}{shared.Gateway.View.Self.Value:x8}");
        Line(text, "node_id", Number(shared.Gateway.View.Self.Value));
        Line(text, "tcp_port", Number(shared.Node.Port));
        Line(text, "peer_address", shared.Gateway.View.State.Nodes
            .FirstOrDefault(node => node.Id == shared.Gateway.View.Self.Value)?.PeerAddress ?? "");
        Line(text, "uptime_in_seconds", Number(uptime));
        Line(text, "uptime_in_days", Number(uptime / 86_400));
    }

    private static void WriteClients(RespShared shared, StringBuilder text)
    {
        Line(text, "connected_clients", Number(shared.Connections.Count));
        Line(text, "maxclients", Number(shared.Settings.ConnectionsMax));
        Line(text, "blocked_clients", "0");
        Line(text, "slow_clients_cut", Number(shared.Counters.SlowClientsCut));
        Line(text, "large_commands_bytes", Number(shared.Budget.Taken));
    }

    private static void WriteMemory(RespShared shared, StringBuilder text)
    {
        (long used, long max) = shared.Node.Memory?.Invoke() ?? (GC.GetTotalMemory(forceFullCollection: false), 0);
        Line(text, "used_memory", Number(used));
        Line(text, "used_memory_rss", Number(Environment.WorkingSet));
        Line(text, "managed_memory", Number(GC.GetTotalMemory(forceFullCollection: false)));
        Line(text, "maxmemory", Number(max));
        Line(text, "maxmemory_policy", "noeviction");
    }

    private static void WriteStats(RespShared shared, StringBuilder text)
    {
        InfoStats.Figures counters = shared.Stats.Of(shared.Counters);
        Line(text, "total_connections_received", Number(counters.Connections));
        Line(text, "total_commands_processed", Number(counters.Commands));
        Line(text, "instantaneous_ops_per_sec", Number(shared.Stats.CommandsPerSecond(shared.Counters)));
        Line(text, "total_net_input_bytes", Number(counters.BytesIn));
        Line(text, "total_net_output_bytes", Number(counters.BytesOut));
        Line(text, "rejected_connections", Number(counters.Rejected));
        Line(text, "refused_requests", Number(counters.Refused));
        Line(text, "unknown_requests", Number(counters.Unknown));
    }

    private static void WriteReplication(RespShared shared, StringBuilder text)
    {
        Line(text, "role", "master");
        Line(text, "connected_slaves", "0");
        ClusterView view = shared.Gateway.View;
        Line(text, "cluster_nodes", Number(view.State.Nodes.Count(node => node.State != NodeState.Removed)));
        Line(text, "read_replica", view.IsReadReplica ? "1" : "0");
    }

    private static void WriteKeyspaces(RespShared shared, StringBuilder text)
    {
        foreach (KeyspaceRecord keyspace in shared.Gateway.View.State.Keyspaces)
        {
            int partitions = shared.Gateway.View.State.Partitions.Count(row => row.Keyspace == keyspace.Id);
            Line(text, $"keyspace_{keyspace.Name}", string.Create(
                CultureInfo.InvariantCulture,
                $"partitions={partitions},replicas={keyspace.Replicas},voters={keyspace.Voters}"));
        }
    }

    private static void Line(StringBuilder text, string name, string value) =>
        text.Append(name).Append(':').Append(value).Append("\r\n");

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
