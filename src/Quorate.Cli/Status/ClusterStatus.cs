using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quorate.Cli.Status;

/// <summary>
/// What all nodes that answer say of the cluster, put together: each knows itself best, and a partition's leader knows
/// best how far its replicas are.
/// </summary>
internal sealed class ClusterStatus
{
    private ClusterStatus(JsonObject json, IReadOnlyList<string> problems)
    {
        Json = json;
        Problems = problems;
    }

    /// <summary>`nodes`, `keyspaces`, `partitions`, `problems`: what `--json` prints.</summary>
    public JsonObject Json { get; }

    /// <summary>What needs an operator, a sentence each; empty when all is well.</summary>
    public IReadOnlyList<string> Problems { get; }

    /// <summary>The same on one line.</summary>
    public string Line => Json.ToJsonString(JsonText.Options);

    public string Text => Json.ToJsonString(JsonText.Indented);

    /// <summary>
    /// Asks the node at an address, and all that it names; null with a sentence when it does not answer.
    /// </summary>
    public static async Task<(ClusterStatus? Status, string Problem)> Ask(
        HttpClient http, string address, CancellationToken stop)
    {
        JsonObject? first = await AskNode(http, address, stop).ConfigureAwait(false);
        if (first is null)
        {
            return (null, $"No node answers at http://{address}/status: does it run, and is --http right?");
        }

        if (first["report"] is not JsonObject report)
        {
            return (null, $"The node at {address} belongs to no cluster yet: it waits for its seeds.");
        }

        var others = report["nodes"]!.AsArray()
            .Select(node => (string?)node!["httpAddress"])
            .Where(other => !string.IsNullOrEmpty(other) && other != address)
            .Select(other => AskNode(http, other!, stop));
        JsonObject?[] answers = [first, .. await Task.WhenAll(others).ConfigureAwait(false)];
        return (Join([.. answers.OfType<JsonObject>().Where(answer => answer["report"] is JsonObject)]), "");
    }

    private static async Task<JsonObject?> AskNode(HttpClient http, string address, CancellationToken stop)
    {
        try
        {
            string text = await http.GetStringAsync(new Uri($"http://{address}/status"), stop).ConfigureAwait(false);
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or JsonException)
        {
            return null;
        }
    }

    private static ClusterStatus Join(JsonObject[] answers)
    {
        // A node that lost its folder and came back as another one stands at the address of both.
        var reports = answers.DistinctBy(answer => (int)answer["report"]!["self"]!)
            .ToDictionary(answer => (int)answer["report"]!["self"]!);
        JsonObject newest = answers.MaxBy(answer => (ulong)answer["report"]!["metadataVersion"]!)!;
        JsonObject report = newest["report"]!.AsObject();
        var problems = new List<string>();
        var nodes = new JsonArray();
        foreach (JsonNode? node in report["nodes"]!.AsArray())
        {
            nodes.Add(NodeRow(node!.AsObject(), reports, problems));
        }

        var names = new Dictionary<uint, string>();
        var keyspaces = new JsonArray();
        foreach (JsonNode? keyspace in report["keyspaces"]!.AsArray())
        {
            names[(uint)keyspace!["id"]!] = (string)keyspace["name"]!;
            keyspaces.Add(keyspace.DeepClone());
        }

        var partitions = new JsonArray();
        foreach (JsonNode? partition in report["partitions"]!.AsArray())
        {
            partitions.Add(PartitionRow(partition!.AsObject(), reports, names, problems));
        }

        var json = new JsonObject
        {
            ["cluster"] = report["cluster"]!.DeepClone(),
            ["metadataLeader"] = report["metadataLeader"]?["node"]?.DeepClone(),
            ["nodes"] = nodes,
            ["keyspaces"] = keyspaces,
            ["partitions"] = partitions,
            ["problems"] = new JsonArray([.. problems.Select(problem => JsonValue.Create(problem))]),
        };
        return new ClusterStatus(json, problems);
    }

    private static JsonObject NodeRow(JsonObject node, Dictionary<int, JsonObject> reports, List<string> problems)
    {
        int id = (int)node["id"]!;
        reports.TryGetValue(id, out JsonObject? own);
        JsonObject? report = own?["report"]?.AsObject();
        if (own is null)
        {
            int? other = reports.Values.FirstOrDefault(answer =>
                (string?)answer["report"]!["nodes"]!.AsArray()
                    .FirstOrDefault(row => (int)row!["id"]! == (int)answer["report"]!["self"]!)?["httpAddress"]
                == (string?)node["httpAddress"]) is { } found
                ? (int)found["report"]!["self"]!
                : null;
            problems.Add(other is null
                ? $"Node {id} does not answer at {node["httpAddress"]}."
                : $"Node {id} is gone: node {other} answers at {node["httpAddress"]}, from a folder that was new. What "
                    + $"node {id} held is not made anew elsewhere.");
        }

        foreach (JsonNode? alarm in report?["alarms"]?.AsArray() ?? [])
        {
            problems.Add($"Node {id}: {alarm}");
        }

        var leads = report?["partitions"]!.AsArray().Count(partition => (int?)partition!["leader"] == id);
        return new JsonObject
        {
            ["id"] = id,
            ["state"] = own is null ? "silent" : node["state"]?.DeepClone(),
            ["zone"] = node["zone"]?.DeepClone(),
            ["resp"] = node["respAddress"]?.DeepClone(),
            ["http"] = node["httpAddress"]?.DeepClone(),
            ["process"] = own?["process"]?.DeepClone(),
            ["leads"] = leads,
            ["memoryUsedBytes"] = report?["memoryUsedBytes"]?.DeepClone(),
            ["memoryTotalBytes"] = report?["memoryTotalBytes"]?.DeepClone(),
            ["diskFreeBytes"] = own?["disk"]?["freeBytes"]?.DeepClone(),
            ["diskTotalBytes"] = own?["disk"]?["totalBytes"]?.DeepClone(),
            ["spaceIsLow"] = report?["spaceIsLow"]?.DeepClone(),
        };
    }

    /// <summary>Which replicas a leader does not hear, or are far behind.</summary>
    private static string Behind(JsonObject leading) =>
        string.Join(", ", leading["replicas"]!.AsArray()
            .Where(replica => !(bool)replica!["isHeard"]! || (ulong?)replica["lag"] is not (null or 0))
            .Select(replica => (bool)replica!["isHeard"]!
                ? $"node {NodeOf(replica)} ({replica["lag"]} entries)"
                : $"node {NodeOf(replica)} (silent)"));

    private static JsonNode? NodeOf(JsonNode replica) => replica["id"]!["node"];

    /// <summary>What is shown of a replica: the node it is on, which of its lives there, and how far it is.</summary>
    private static JsonObject ReplicaRow(JsonNode replica) => new()
    {
        ["node"] = NodeOf(replica)!.DeepClone(),
        ["incarnation"] = replica["id"]!["incarnation"]!.DeepClone(),
        ["isVoter"] = replica["isVoter"]!.DeepClone(),
        ["isHeard"] = replica["isHeard"]!.DeepClone(),
        ["lag"] = replica["lag"]?.DeepClone(),
    };

    private static JsonObject PartitionRow(
        JsonObject seen, Dictionary<int, JsonObject> reports, Dictionary<uint, string> names, List<string> problems)
    {
        int group = (int)seen["group"]!;

        // Two nodes may think that they lead for a moment; the later term is right.
        JsonObject? leading = reports.Values
            .SelectMany(answer => answer["report"]!["partitions"]!.AsArray()
                .Where(row => (int)row!["group"]! == group
                    && (int?)row["leader"] == (int)answer["report"]!["self"]!)
                .Select(row => row!.AsObject()))
            .MaxBy(row => (ulong)row["term"]!);
        JsonObject best = leading ?? seen;
        uint keyspace = (uint)seen["keyspace"]!;
        string name = names.GetValueOrDefault(keyspace, keyspace.ToString(CultureInfo.InvariantCulture));
        string partition = (string)seen["name"]!;
        bool isUnder = leading is not null && (bool)leading["isUnderReplicated"]!;
        if (leading is null)
        {
            problems.Add($"Partition {partition} (slots {seen["slots"]}) has no leader that answers.");
        }
        else if (isUnder)
        {
            problems.Add($"Partition {partition} has a replica that is silent or far behind: {Behind(leading!)}.");
        }

        ulong? lag = best["replicas"]!.AsArray().Max(replica => (ulong?)replica!["lag"]);
        return new JsonObject
        {
            ["partition"] = partition,
            ["group"] = group,
            ["keyspace"] = name,
            ["slots"] = best["slots"]?.DeepClone(),
            ["leader"] = leading is null ? null : best["leader"]?.DeepClone(),
            ["preferredLeader"] = best["preferredLeader"]?.DeepClone(),
            ["term"] = best["term"]?.DeepClone(),
            ["commit"] = best["commit"]?.DeepClone(),
            ["lag"] = lag,
            ["replicas"] = new JsonArray([.. best["replicas"]!.AsArray().Select(replica => ReplicaRow(replica!))]),
            ["liveBytes"] = best["liveBytes"]?.DeepClone(),
            ["dirtyBytes"] = best["dirtyBytes"]?.DeepClone(),
            ["isUnderReplicated"] = isUnder,
        };
    }
}
