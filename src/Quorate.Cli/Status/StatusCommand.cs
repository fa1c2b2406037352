using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Quorate.Cli.Status;

/// <summary>`quorate status`: nodes, leaders, lags, sizes, and whether anything is wrong.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan WatchEvery = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A hand-over leaves a partition without a leader for some milliseconds; what is still wrong after this is a loss.
    /// </summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(700);

    public static Command Create()
    {
        var http = new Option<string>("--http")
        {
            Description = "HTTP addresses of nodes; the first that answers tells of all others.",
            DefaultValueFactory = _ => "127.0.0.1:7501,127.0.0.1:7502,127.0.0.1:7503",
            HelpName = "host:port,...",
        };
        var json = new Option<bool>("--json")
        {
            Description = "Print it as JSON; with --watch an object on a line of its own each time.",
        };
        var watch = new Option<bool>("--watch") { Description = "Print it again each second, until Ctrl-C." };
        var status = new Command(
            "status",
            "Show nodes, partitions and what is wrong. Exit code 0: all is well; 1: something is wrong; 69: no node "
                + "answers.")
        {
            http, json, watch,
        };
        status.SetAction(async (parsed, stop) =>
        {
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
            while (true)
            {
                Form form = !parsed.GetValue(json) ? Form.Tables
                    : parsed.GetValue(watch) ? Form.JsonLine
                    : Form.Json;
                bool isOnce = !parsed.GetValue(watch);
                ExitCode code = await Show(client, parsed.GetValue(http)!, form, isOnce, stop).ConfigureAwait(false);
                if (!parsed.GetValue(watch) || stop.IsCancellationRequested)
                {
                    return (int)code;
                }

                await Task.Delay(WatchEvery, stop).ConfigureAwait(false);
                if (form == Form.Tables)
                {
                    Screen.BeginAnew();
                }
            }
        });
        return status;
    }

    private enum Form
    {
        Tables,
        Json,
        JsonLine,
    }

    /// <param name="isOnce">Nobody looks again: what is wrong for a moment alone is not told.</param>
    private static async Task<ExitCode> Show(
        HttpClient http, string addresses, Form form, bool isOnce, CancellationToken stop)
    {
        (ClusterStatus? status, string problem) = await Ask(http, addresses, stop).ConfigureAwait(false);
        if (isOnce && status is { Problems.Count: > 0 })
        {
            await Task.Delay(LookAgain, stop).ConfigureAwait(false);
            (status, problem) = await Ask(http, addresses, stop).ConfigureAwait(false);
        }

        if (status is null)
        {
            await Console.Error.WriteLineAsync($"quorate status: {problem}").ConfigureAwait(false);
            return ExitCode.Unavailable;
        }

        if (form != Form.Tables)
        {
            Console.WriteLine(form == Form.Json ? status.Text : status.Line);
        }
        else
        {
            Print(status);
        }

        return status.Problems.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static async Task<(ClusterStatus? Status, string Problem)> Ask(
        HttpClient http, string addresses, CancellationToken stop)
    {
        (ClusterStatus? Status, string Problem) answer = (null, "");
        foreach (string address in addresses.Split(',', StringSplitOptions.TrimEntries))
        {
            answer = await ClusterStatus.Ask(http, address, stop).ConfigureAwait(false);
            if (answer.Status is not null)
            {
                break;
            }
        }

        return answer;
    }

    private static void Print(ClusterStatus status)
    {
        IAnsiConsole screen = Screen.Console;
        screen.Write(Nodes(status.Json["nodes"]!.AsArray()));
        screen.MarkupLineInterpolated(
            $"The metadata group is led by node {Text(status.Json["metadataLeader"])}.");
        screen.Write(Keyspaces(status.Json["keyspaces"]!.AsArray()));
        screen.Write(Partitions(status.Json["partitions"]!.AsArray()));
        if (status.Problems.Count == 0)
        {
            screen.MarkupLine("[green]All is well:[/] every partition has a leader and all its replicas.");
            return;
        }

        foreach (string problem in status.Problems)
        {
            screen.MarkupLineInterpolated($"[red]![/] {problem}");
        }
    }

    private static Table Nodes(JsonArray nodes)
    {
        Table table = Screen.Table("node", "state", "zone", "redis", "http", "process", "leads", "memory", "disk free");
        foreach (JsonNode? node in nodes)
        {
            Screen.AddRow(
                table,
                Text(node!["id"]),
                Text(node["state"]),
                Text(node["zone"]),
                Text(node["resp"]),
                Text(node["http"]),
                Text(node["process"]),
                Text(node["leads"]),
                node["memoryUsedBytes"] is null
                    ? "-"
                    : $"{Size(node["memoryUsedBytes"])} of {Size(node["memoryTotalBytes"])}",
                Size(node["diskFreeBytes"]));
        }

        return table;
    }

    private static Table Keyspaces(JsonArray keyspaces)
    {
        Table table = Screen.Table(
            "keyspace", "partitions", "replicas", "voters", "write", "read", "ttl ms", "encrypted");
        foreach (JsonNode? keyspace in keyspaces)
        {
            Screen.AddRow(
                table,
                Text(keyspace!["name"]),
                Text(keyspace["partitions"]),
                Text(keyspace["replicas"]),
                Text(keyspace["voters"]),
                Text(keyspace["write"]).ToLowerInvariant(),
                Text(keyspace["read"]).ToLowerInvariant(),
                Text(keyspace["ttlMilliseconds"]),
                (bool)keyspace["isEncrypted"]! ? "yes" : "no");
        }

        return table;
    }

    private static Table Partitions(JsonArray partitions)
    {
        Table table = Screen.Table("partition", "slots", "leader", "term", "commit", "replicas", "lag", "in memory");
        foreach (JsonNode? partition in partitions)
        {
            string replicas = string.Join(
                ' ', partition!["replicas"]!.AsArray().Select(replica => Text(replica!["node"])));
            Screen.AddRow(
                table,
                Text(partition["partition"]),
                Text(partition["slots"]),
                Text(partition["leader"]),
                Text(partition["term"]),
                Text(partition["commit"]),
                replicas,
                Text(partition["lag"]),
                Size(partition["liveBytes"]));
        }

        return table;
    }


    private static string Text(JsonNode? value) => value?.ToString() ?? "-";

    private static string Size(JsonNode? value)
    {
        if (value is null)
        {
            return "-";
        }

        double bytes = (double)value;
        return bytes switch
        {
            >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 30):F1} GiB"),
            >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 20):F1} MiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 10):F0} KiB"),
        };
    }
}
