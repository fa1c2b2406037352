using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quorate.Cli.Operator;

/// <summary>`quorate events`: what happened on all nodes, in the order of time.</summary>
internal static class EventsCommand
{
    private static readonly TimeSpan AskTime = TimeSpan.FromSeconds(3);

    public static Command Create(TextWriter output, TextWriter errors)
    {
        Option<string> http = NodeOptions.Http();
        var since = new Option<string?>("--since")
        {
            Description = "Only those of this last while: 90s, 5m, 1h, 2d.", HelpName = "time",
        };
        var kind = new Option<string?>("--kind")
        {
            Description = "Only those of these kinds: election, silent, heard, stall, ...", HelpName = "kind,...",
        };
        Option<bool> json = NodeOptions.Json("Print a JSON object a line for each.");
        var events = new Command(
            "events",
            "Show what happened on all nodes since they were started: elections with their cause, who fell silent, "
                + "changes; at most the last thousand of each. Exit code 0: all nodes answered; 1: some did not; 69: "
                + "none did.")
        {
            http, since, kind, json,
        };
        events.SetAction(async (parsed, stop) =>
        {
            TimeSpan? span = null;
            if (parsed.GetValue(since) is { } text && (span = SpanOf(text)) is null)
            {
                errors.WriteLine(
                    $"quorate events: --since takes a number and s, m, h or d, as 90s or 1h, not '{text}'.");
                return (int)ExitCode.Usage;
            }

            var wanted = new Wanted(
                span is { } last ? DateTimeOffset.UtcNow - last : DateTimeOffset.MinValue,
                parsed.GetValue(kind)?.Split(',', StringSplitOptions.TrimEntries));
            return (int)await Show(parsed.GetValue(http)!, wanted, parsed.GetValue(json), output, errors, stop)
                .ConfigureAwait(false);
        });
        return events;
    }

    /// <summary>A while, as 90s, 5m, 1h or 2d; null when it is none.</summary>
    internal static TimeSpan? SpanOf(string text)
    {
        bool isNumber = text.Length > 1 && int.TryParse(
            text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        if (!isNumber)
        {
            return null;
        }

        double number = int.Parse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' when number <= 36_500 => TimeSpan.FromDays(number),
            _ => null,
        };
    }

    private static async Task<ExitCode> Show(
        string addresses, Wanted wanted, bool asJson, TextWriter output, TextWriter errors, CancellationToken stop)
    {
        using var http = new HttpClient { Timeout = AskTime };
        (IReadOnlyList<NodeAddress> nodes, string problem) = await NodesOf(http, addresses, stop).ConfigureAwait(false);
        if (nodes.Count == 0)
        {
            errors.WriteLine($"quorate events: {problem}");
            return ExitCode.Unavailable;
        }

        var answers = await Task.WhenAll(nodes.Select(node => Ask(http, node, stop))).ConfigureAwait(false);
        foreach ((NodeAddress node, IReadOnlyList<NodeLine>? lines) in nodes.Zip(answers))
        {
            if (lines is null)
            {
                errors.WriteLine(
                    $"quorate events: node {node.Id} does not answer at {node.Http}: what it saw is missing.");
            }
        }

        IEnumerable<NodeLine> all = answers.SelectMany(lines => lines ?? [])
            .Where(wanted.Has).OrderBy(line => line.Time).ThenBy(line => line.Node).ThenBy(line => line.Number);
        foreach (NodeLine line in all)
        {
            output.WriteLine(asJson ? line.Json : line.Text);
        }

        return answers.All(lines => lines is not null) ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>All nodes that the first one that answers knows; itself alone while it belongs to no cluster.</summary>
    private static async Task<(IReadOnlyList<NodeAddress> Nodes, string Problem)> NodesOf(
        HttpClient http, string addresses, CancellationToken stop)
    {
        string asked = "";
        foreach (string address in addresses.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            asked = address;
            if (await Get(http, address, "status", stop).ConfigureAwait(false) is not { } text)
            {
                continue;
            }

            JsonNode? report = JsonNode.Parse(text)?["report"];
            return report is null
                ? ([new(0, address)], "")
                : ([.. report["nodes"]!.AsArray()
                    .Where(node => (string?)node!["state"] != "removed")
                    .Select(node => new NodeAddress((int)node!["id"]!, (string)node["httpAddress"]!))], "");
        }

        return ([], $"No node answers at http://{asked}/status: does it run, and is --http right?");
    }

    private static async Task<IReadOnlyList<NodeLine>?> Ask(
        HttpClient http, NodeAddress node, CancellationToken stop) =>
        await Get(http, node.Http, "events", stop).ConfigureAwait(false) is { } text
            ? [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => new NodeLine(node.Id, line))]
            : null;

    private static async Task<string?> Get(HttpClient http, string address, string page, CancellationToken stop)
    {
        try
        {
            return await http.GetStringAsync(new Uri($"http://{address}/{page}"), stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    private sealed record NodeAddress(int Id, string Http);

    private sealed record Wanted(DateTimeOffset From, string[]? Kinds)
    {
        public bool Has(NodeLine line) =>
            line.Time >= From && (Kinds is null || Kinds.Contains(line.Kind, StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>An event, and on which node it was.</summary>
    private sealed record NodeLine
    {
        private readonly string _time;
        private readonly string _sentence;

        public NodeLine(int node, string line)
        {
            using JsonDocument json = JsonDocument.Parse(line);
            Node = node;
            Number = json.RootElement.GetProperty("number").GetInt64();
            Kind = json.RootElement.GetProperty("kind").GetString()!;
            _time = json.RootElement.GetProperty("time").GetString()!;
            _sentence = json.RootElement.GetProperty("sentence").GetString()!;
            Time = DateTimeOffset.Parse(_time, CultureInfo.InvariantCulture);
        }

        public int Node { get; }

        public long Number { get; }

        public DateTimeOffset Time { get; }

        public string Kind { get; }

        public string Text => $"{_time} node {Node} {Kind}: {_sentence}";

        public string Json => JsonSerializer.Serialize(
            new { time = _time, node = Node, number = Number, kind = Kind, sentence = _sentence }, JsonText.Options);
    }
}
