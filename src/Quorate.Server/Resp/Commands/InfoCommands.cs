using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.Commands;

/// <summary>
/// INFO. Its sections show what this node knows. How many keys there are is counted when the section `keyspace` is
/// asked for by name; every partition is walked through for it, so without a name a count of a moment ago is good
/// enough (<see cref="KeyCounts"/>), and none is better than an error.
/// </summary>
internal static class InfoCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("INFO", -1, EdgeHabits.None, Run),
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

        if (countsKeys)
        {
            if (Dispatch.KeyspaceOf(request) is { } keyspace)
            {
                CountKeys(request, keyspace, new(text, isAskedFor: true));
            }
        }
        else if (showsAll && request.Connection.Client.KeyspaceIn(request.Connection.Shared.Gateway.View) is { } shown)
        {
            ShowKeys(request, shown, text);
        }
        else
        {
            Finish(request, text);
        }
    }

    private static void ShowKeys(RespRequest request, KeyspaceView keyspace, StringBuilder text)
    {
        RespShared shared = request.Connection.Shared;
        if (shared.KeyCounts.TryGet(keyspace.Record.Id, Environment.TickCount64, out long keys))
        {
            WriteKeys(text, keys);
            Finish(request, text);
        }
        else
        {
            CountKeys(request, keyspace, new(text, isAskedFor: false));
        }
    }

    private static void CountKeys(RespRequest request, KeyspaceView keyspace, CountSteps steps)
    {
        steps.Keyspace = keyspace.Record.Id;
        request.Steps = steps;
        CommandLine[] lines = [new CommandLine(["DBSIZE"u8.ToArray()])];
        foreach (PartitionRecord partition in keyspace.Partitions)
        {
            var call = new RespCall(request) { IsWide = true };
            steps.Calls.Add(call);
            request.Connection.Calls.Ask(
                call, keyspace, new Slot((ushort)partition.FirstSlot), lines, writes: false);
        }
    }

    /// <summary>As Redis does, which shows no database without keys.</summary>
    private static void WriteKeys(StringBuilder text, long keys)
    {
        if (keys > 0)
        {
            Line(text, "db0", string.Create(CultureInfo.InvariantCulture, $"keys={keys}"));
        }
    }

    private static void Finish(RespRequest request, StringBuilder text) =>
        request.Finish(Replies.Bulk(Encoding.UTF8.GetBytes(text.ToString())));

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
        Line(text, "cluster_nodes", Number(
            shared.Gateway.View.State.Nodes.Count(node => node.State != NodeState.Removed)));
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

    /// <param name="isAskedFor">Without the count there is no answer.</param>
    private sealed class CountSteps(StringBuilder text, bool isAskedFor) : RequestSteps
    {
        private readonly long _from = Environment.TickCount64;

        public List<RespCall> Calls { get; } = [];

        public uint Keyspace { get; set; }

        public override void Next(RespRequest request)
        {
            long keys = 0;
            string? error = Scatter.ErrorOf(Calls, writes: false);
            ReadOnlyMemory<byte>? refusal = null;
            foreach (RespCall call in error is null ? Calls : [])
            {
                if (call.Result.Reply.Span[0] == (byte)':')
                {
                    keys += ReplyParts.IntegerOf(call.Result.Reply.Span);
                }
                else
                {
                    refusal = call.Result.Reply;
                }
            }

            if (error is null && refusal is null)
            {
                request.Connection.Shared.KeyCounts.Set(Keyspace, keys, _from, Environment.TickCount64);
                WriteKeys(text, keys);
                Finish(request, text);
            }
            else if (!isAskedFor)
            {
                Finish(request, text);
            }
            else if (error is not null)
            {
                request.Error(error);
            }
            else
            {
                request.Finish(refusal!.Value);
            }
        }
    }
}
