using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Quorate.Cli.Resp;
using Spectre.Console;

namespace Quorate.Cli.Operator;

/// <summary>`quorate where`: which slot, partition and nodes a key belongs to, and what there is of it.</summary>
internal static class WhereCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var key = new Argument<string>("key") { Description = "The key." };
        var keyspace = new Option<string>("--keyspace")
        {
            Description = "Its keyspace.", DefaultValueFactory = _ => "default", HelpName = "name",
        };
        Option<string> hosts = NodeOptions.Hosts();
        Option<bool> json = NodeOptions.Json("Print it as one JSON object.");
        var where = new Command(
            "where",
            "Show a key's slot, partition, leader and replicas, and its type, version, TTL and size. Exit code 0: the "
                + "key is there; 1: it is not, or cannot be asked about; 69: no node answers, or its partition has no "
                + "leader.")
        {
            key, keyspace, hosts, json,
        };
        OperatorCommands.Ask(where, "where", hosts, errors, (parsed, link) =>
        {
            JsonObject found = Find(link, parsed.GetValue(keyspace)!, parsed.GetValue(key)!);
            if (parsed.GetValue(json))
            {
                output.WriteLine(found.ToJsonString(JsonText.Options));
            }
            else
            {
                Print(found);
            }

            if (found["problem"] is { } problem)
            {
                throw new CommandProblem(OperatorCommands.CodeOf((string)problem!), (string)problem!);
            }

            return (bool)found["exists"]! ? ExitCode.Ok : ExitCode.Failed;
        });
        return where;
    }

    private static JsonObject Find(RespLink link, string keyspace, string key)
    {
        OperatorCommands.Call(link, "KEYSPACE", "USE", keyspace);
        RespValue where = OperatorCommands.Call(link, "KEYSPACE", "WHERE", key);
        (int? leader, string? address) = LeaderOf(where, keyspace, key);
        string[] nodes = Words(where, "replicas");
        string[] addresses = where["replica-addresses"]!.Split(' ');
        var found = new JsonObject
        {
            ["key"] = key,
            ["keyspace"] = keyspace,
            ["slot"] = Number(where["slot"]!),
            ["partition"] = where["partition"],
            ["slots"] = where["slots"],
            ["leader"] = leader,
            ["leaderAddress"] = address,
            ["replicas"] = new JsonArray([.. nodes.Zip(addresses).Select(each =>
                new JsonObject { ["node"] = Number(each.First), ["address"] = each.Second })]),
        };
        try
        {
            AddValue(found, link, key);
            found["problem"] = null;
        }
        catch (CommandProblem problem)
        {
            // Where it belongs is worth knowing all the more.
            found["problem"] = problem.Message;
        }

        return found;
    }

    private static void AddValue(JsonObject found, RespLink link, string key)
    {
        string type = OperatorCommands.Call(link, "TYPE", key).Text;
        bool exists = type != "none";
        (long? size, string unit) = SizeOf(link, type, key);
        long ttl = long.Parse(OperatorCommands.Call(link, "PTTL", key).Text, CultureInfo.InvariantCulture);
        found["exists"] = exists;
        found["type"] = exists ? type : null;
        found["valueVersion"] = exists ? OperatorCommands.Call(link, "KEYVERSION", key).Text : null;
        found["ttlMilliseconds"] = ttl >= 0 ? ttl : null;
        found["size"] = size;
        found["sizeUnit"] = size is null ? null : unit;
    }

    /// <summary>A node that has no replica may not know it: then one that has is asked.</summary>
    private static (int? Node, string? Address) LeaderOf(RespValue where, string keyspace, string key)
    {
        if (where["leader"] is { Length: > 0 } known)
        {
            return (Number(known), where["leader-address"]);
        }

        foreach (string address in Words(where, "replica-addresses"))
        {
            using RespLink? link = RespLink.Open(address, out _);
            if (link?.Call("KEYSPACE", "USE", keyspace).IsError != false)
            {
                continue;
            }

            RespValue there = link.Call("KEYSPACE", "WHERE", key);
            if (there["leader"] is { Length: > 0 } found)
            {
                return (Number(found), there["leader-address"]);
            }
        }

        return (null, null);
    }

    private static (long? Size, string Unit) SizeOf(RespLink link, string type, string key)
    {
        (string? command, string unit) = type switch
        {
            "string" => ("STRLEN", "bytes"),
            "hash" => ("HLEN", "fields"),
            "list" => ("LLEN", "elements"),
            "set" => ("SCARD", "members"),
            "zset" => ("ZCARD", "members"),
            _ => (null, ""),
        };
        return command is null
            ? (null, unit)
            : (long.Parse(OperatorCommands.Call(link, command, key).Text, CultureInfo.InvariantCulture), unit);
    }

    private static string[] Words(RespValue where, string field) =>
        where[field]!.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static void Print(JsonObject found)
    {
        Table table = Screen.Table("what", "is");
        Row("key", $"{found["key"]} of keyspace {found["keyspace"]}");
        Row("slot", $"{found["slot"]}");
        Row("partition", $"{found["partition"]} (slots {found["slots"]})");
        Row("leader", found["leader"] is { } leader
            ? $"node {leader} at {found["leaderAddress"]}"
            : "none that is known");
        Row("replicas", string.Join(", ", found["replicas"]!.AsArray()
            .Select(replica => $"node {replica!["node"]} at {replica["address"]}")));
        if ((bool?)found["exists"] == false)
        {
            Row("type", "there is no such key");
        }
        else if (found["problem"] is null)
        {
            Row("type", $"{found["type"]}");
            Row("version", $"{found["valueVersion"]}");
            Row("expires", found["ttlMilliseconds"] is { } ttl ? $"in {ttl} ms" : "never");
            Row("size", found["size"] is { } size ? $"{size} {found["sizeUnit"]}" : "-");
        }

        Screen.Console.Write(table);

        void Row(string what, string text) => Screen.AddRow(table, what, text);
    }
}
