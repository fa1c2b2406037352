using System.Text;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp.Commands;

/// <summary>A subcommand of the connection's commands, as HELP and COMMAND INFO show it.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Arity">As Redis counts: words with both names; negative for "at least".</param>
/// <param name="Syntax">What follows the name; empty for nothing.</param>
/// <param name="Summary">What it does, in one sentence.</param>
internal sealed record Subcommand(string Name, int Arity, string Syntax, string Summary)
{
    /// <summary>Whether a line of so many words can be it.</summary>
    public bool Takes(int words) => Arity == words || (Arity < 0 && words >= -Arity);
}

/// <summary>All subcommands of the connection's commands. Each command has HELP besides.</summary>
internal static class Subcommands
{
    private static readonly Subcommand Help = new("HELP", 2, "", "Shows this.");

    private static readonly Dictionary<string, Subcommand[]> ByCommand = new(StringComparer.OrdinalIgnoreCase)
    {
        ["CLIENT"] =
        [
            new("GETNAME", 2, "", "Gets this connection's name."),
            new("GETREDIR", 2, "", "Says -1: nothing of this connection is sent to another."),
            new("ID", 2, "", "Gets this connection's number on its node."),
            new("INFO", 2, "", "Describes this connection."),
            new("KILL", -3, "address|filter [value filter value ...]",
                "Closes connections: that from an address (host:port), or all to which every filter applies: ID, ADDR, "
                    + "LADDR, TYPE, USER; SKIPME no includes this one."),
            new("LIST", -2, "[TYPE type|ID id ...]", "Describes the connections of this node."),
            new("NO-EVICT", 3, "ON|OFF", "Accepted; no connection is evicted here."),
            new("NO-TOUCH", 3, "ON|OFF", "Accepted; reads change nothing here that it would spare."),
            new("REPLY", 3, "ON|OFF|SKIP", "Switches replies on or off, or leaves the next one away."),
            new("REQUESTID", -4, "session number [answered]",
                "Numbers the next command, so that it happens once however often it is sent."),
            new("SESSION", 2, "", "Gets a new session for REQUESTID."),
            new("SETINFO", 4, "LIB-NAME|LIB-VER value", "Says which client library this is."),
            new("SETNAME", 3, "name", "Names this connection."),
        ],
        ["CLUSTER"] =
        [
            new("COUNTKEYSINSLOT", 3, "slot", "Counts the keys of a slot."),
            new("GETKEYSINSLOT", 4, "slot count", "Shows keys of a slot."),
            new("INFO", 2, "", "Describes the cluster."),
            new("KEYSLOT", 3, "key", "Says which slot a key is in."),
            new("MYID", 2, "", "Gets the name of this node."),
            new("NODES", 2, "", "Lists the nodes and the slots that each serves, as lines of text."),
            new("SHARDS", 2, "", "Lists the nodes and the slots that each serves."),
            new("SLOTS", 2, "", "Lists the slots, who serves them, and who else has them."),
        ],
        ["COMMAND"] =
        [
            new("COUNT", 2, "", "Counts the commands that there are."),
            new("DOCS", -2, "[command ...]", "Describes commands: summary, group and arguments."),
            new("GETKEYS", -4, "command argument [argument ...]", "Says which words of a command line are keys."),
            new("INFO", -2, "[command ...]", "Describes commands for programs: arity, flags, where keys stand."),
            new("LIST", 2, "", "Lists the commands that there are."),
        ],
        ["CONFIG"] =
        [
            new("GET", -3, "pattern [pattern ...]", "Shows the settings whose names match."),
            new("RESETSTAT", 2, "", "Lets what INFO stats shows begin at zero."),
            new("REWRITE", 2, "", "Refused: settings stand in quorate.json, QUORATE_* and flags."),
            new("SET", -4, "name value [name value ...]", "Changes settings of this node until it ends."),
        ],
        ["KEYSPACE"] =
        [
            new("ALTER", -3, "name [WRITE level] [READ level] [TTL ms] [BYTES n] [EVICTION how]",
                "Changes what a keyspace was created with."),
            new("CREATE", -3,
                "name [REPLICATION raft] [PARTITIONS n] [REPLICAS n] [VOTERS n] [COMPRESS none|snappy] "
                    + "[ENCRYPT on|off] and what ALTER takes",
                "Makes a keyspace."),
            new("DROP", 3, "name", "Deletes a keyspace and all in it."),
            new("INFO", -2, "[name]", "Shows a keyspace, or the one that this connection uses."),
            new("LIST", 2, "", "Lists the keyspaces."),
            new("ROTATE", 3, "name", "Gives an encrypted keyspace a new data key."),
            new("USE", 3, "name", "Lets this connection use a keyspace."),
            new("WHERE", 3, "key",
                "Shows a key's slot and partition, who leads and has that, and this node's part in it."),
        ],
    };

    /// <summary>Of a command, HELP among them, by name; none for a command that has none.</summary>
    public static IReadOnlyList<Subcommand> Of(string command) =>
        ByCommand.TryGetValue(command, out Subcommand[]? found) ? [.. found.Append(Help).OrderBy(each => each.Name,
            StringComparer.Ordinal)] : [];

    /// <summary>
    /// Answers what is the same for every command: HELP, a subcommand that there is not, a wrong number of words. False
    /// for a line that is for the command itself.
    /// </summary>
    public static bool TryAnswer(RespRequest request, string command)
    {
        if (Problem(request.Line, command) is { } problem)
        {
            request.Error(problem);
            return true;
        }

        if (Find(command, request.Line[1]) == Help)
        {
            request.Finish(Replies.Of(reply => WriteHelp(reply, command)));
            return true;
        }

        return false;
    }

    /// <summary>What is wrong with a line's subcommand, or with how many words it has; null for nothing.</summary>
    public static string? Problem(CommandLine line, string command)
    {
        Subcommand? named = line[1].Length > 16 ? null : Find(command, line[1]);
        if (named is null)
        {
            return EdgeCommands.UnknownSubcommand(line[1], command);
        }

        return named.Takes(line.Count)
            ? null
            : EdgeCommands.WrongArguments($"{command}|{named.Name}".ToLowerInvariant());
    }

    private static Subcommand? Find(string command, ReadOnlySpan<byte> word)
    {
        foreach (Subcommand each in ByCommand[command])
        {
            if (CommandNames.Is(word, each.Name))
            {
                return each;
            }
        }

        return CommandNames.Is(word, Help.Name) ? Help : null;
    }

    /// <summary>A line for each form and an indented one for what it does, as clients know it from Redis.</summary>
    private static void WriteHelp(Reply reply, string command)
    {
        IReadOnlyList<Subcommand> all = Of(command);
        reply.Array(1 + (2 * all.Count));
        reply.Simple(Encoding.ASCII.GetBytes($"{command} has these subcommands:"));
        foreach (Subcommand each in all)
        {
            string form = each.Syntax.Length == 0 ? each.Name : $"{each.Name} {each.Syntax}";
            reply.Simple(Encoding.ASCII.GetBytes(form));
            reply.Simple(Encoding.ASCII.GetBytes("    " + each.Summary));
        }
    }
}
