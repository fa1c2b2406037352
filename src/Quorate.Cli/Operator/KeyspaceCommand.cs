using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Quorate.Cli.Resp;
using Spectre.Console;

namespace Quorate.Cli.Operator;

/// <summary>
/// `quorate keyspace`: shows, makes, changes and drops keyspaces, as KEYSPACE does at the Redis port.
/// </summary>
internal static class KeyspaceCommand
{
    private static readonly HashSet<string> Numbers =
        new(["partitions", "replicas", "voters", "ttl-ms", "data-key", "bytes-max"], StringComparer.Ordinal);

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var command = new Command(
            "keyspace",
            "Show, make, change and drop keyspaces. Exit code 0: done; 1: refused, with a sentence; 69: no node "
                + "answers, or the metadata group has no leader; 64: the command line is wrong.")
        {
            List(output, errors),
            Info(output, errors),
            Change("CREATE", "Make a keyspace.", "PARTITIONS 4 REPLICAS 3 TTL 60000 ENCRYPT on", output, errors),
            Change("ALTER", "Change a keyspace's settings.", "WRITE all READ session TTL 0", output, errors),
            Change("ROTATE", "Give an encrypted keyspace a new data key.", "", output, errors),
            Drop(output, errors),
        };
        return command;
    }

    private static Command List(TextWriter output, TextWriter errors)
    {
        Option<string> hosts = NodeOptions.Hosts();
        Option<bool> json = NodeOptions.Json("Print a JSON object a line for each.");
        var list = new Command("list", "Show all keyspaces.") { hosts, json };
        OperatorCommands.Ask(list, "keyspace list", hosts, errors, (parsed, link) =>
        {
            RespValue names = OperatorCommands.Call(link, "KEYSPACE", "LIST");
            JsonObject[] all =
            [
                .. names.Items.Select(name => JsonOf(OperatorCommands.Call(link, "KEYSPACE", "INFO", name.Text))),
            ];
            Show(all, parsed.GetValue(json), output);
            return ExitCode.Ok;
        });
        return list;
    }

    private static Command Info(TextWriter output, TextWriter errors)
    {
        Argument<string> name = Name();
        Option<string> hosts = NodeOptions.Hosts();
        Option<bool> json = NodeOptions.Json("Print it as one JSON object.");
        var info = new Command("info", "Show a keyspace.") { name, hosts, json };
        OperatorCommands.Ask(info, "keyspace info", hosts, errors, (parsed, link) =>
        {
            JsonObject found = JsonOf(OperatorCommands.Call(link, "KEYSPACE", "INFO", parsed.GetValue(name)!));
            if (parsed.GetValue(json))
            {
                output.WriteLine(found.ToJsonString(JsonText.Options));
                return ExitCode.Ok;
            }

            Table table = Screen.Table("setting", "value");
            foreach ((string setting, JsonNode? value) in found)
            {
                Screen.AddRow(table, setting, value?.ToString() ?? "-");
            }

            Screen.Console.Write(table);
            return ExitCode.Ok;
        });
        return info;
    }

    private static Command Change(string word, string text, string example, TextWriter output, TextWriter errors)
    {
        string name = word.ToLowerInvariant();
        Argument<string> keyspace = Name();
        var options = new Argument<string[]>("options")
        {
            Description = $"As KEYSPACE {word} takes them: {example}", Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string> hosts = NodeOptions.Hosts();
        Option<bool> json = NodeOptions.Json("Print one JSON object: what was done, and the warning there may be.");
        var command = new Command(name, text) { keyspace, hosts, json };
        if (example.Length > 0)
        {
            command.Arguments.Add(options);
        }

        OperatorCommands.Ask(command, "keyspace " + name, hosts, errors, (parsed, link) => Do(
            link,
            ["KEYSPACE", word, parsed.GetValue(keyspace)!, .. example.Length > 0 ? parsed.GetValue(options)! : []],
            parsed.GetValue(json),
            output));
        return command;
    }

    private static Command Drop(TextWriter output, TextWriter errors)
    {
        Argument<string> name = Name();
        var yes = new Option<bool>("--yes")
        {
            Description = "Needed: all that is in it is deleted, and nothing brings it back.",
        };
        Option<string> hosts = NodeOptions.Hosts();
        Option<bool> json = NodeOptions.Json("Print it as one JSON object: what was done.");
        var drop = new Command("drop", "Delete a keyspace and all in it.") { name, yes, hosts, json };
        OperatorCommands.Ask(drop, "keyspace drop", hosts, errors, (parsed, link) =>
        {
            string keyspace = parsed.GetValue(name)!;
            if (!parsed.GetValue(yes))
            {
                OperatorCommands.Call(link, "KEYSPACE", "USE", keyspace);
                string keys = OperatorCommands.Call(link, "DBSIZE").Text;
                throw new CommandProblem(
                    ExitCode.Usage, $"keyspace {keyspace} and its {keys} keys would be deleted; say --yes to do it.");
            }

            return Do(link, ["KEYSPACE", "DROP", keyspace], parsed.GetValue(json), output);
        });
        return drop;
    }

    private static ExitCode Do(RespLink link, string[] words, bool isJson, TextWriter output)
    {
        string reply = OperatorCommands.Call(link, words).Text;
        const string Warning = "OK. Warning: ";
        string? warning = reply.StartsWith(Warning, StringComparison.Ordinal) ? reply[Warning.Length..] : null;
        output.WriteLine(isJson
            ? new JsonObject { ["done"] = words[1].ToLowerInvariant(), ["keyspace"] = words[2], ["warning"] = warning }
                .ToJsonString(JsonText.Options)
            : reply);
        return ExitCode.Ok;
    }

    private static Argument<string> Name() => new("name") { Description = "The keyspace's name." };

    private static JsonObject JsonOf(RespValue info)
    {
        var json = new JsonObject();
        for (int i = 0; i + 1 < info.Items.Length; i += 2)
        {
            string name = info.Items[i].Text;
            string text = info.Items[i + 1].Text;
            json[name] = Numbers.Contains(name)
                ? JsonValue.Create(long.Parse(text, CultureInfo.InvariantCulture))
                : JsonValue.Create(text);
        }

        return json;
    }

    private static void Show(JsonObject[] keyspaces, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            foreach (JsonObject keyspace in keyspaces)
            {
                output.WriteLine(keyspace.ToJsonString(JsonText.Options));
            }

            return;
        }

        string[] columns =
            ["name", "partitions", "replicas", "voters", "write", "read", "ttl-ms", "compress", "encrypt"];
        Table table = Screen.Table(columns);
        foreach (JsonObject keyspace in keyspaces)
        {
            Screen.AddRow(table, [.. columns.Select(column => keyspace[column]?.ToString() ?? "-")]);
        }

        Screen.Console.Write(table);
    }
}
