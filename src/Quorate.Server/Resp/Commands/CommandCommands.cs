using System.Text;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp.Commands;

/// <summary>COMMAND: what commands there are, those of partitions and those of the connection.</summary>
internal static class CommandCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("COMMAND", -1, EdgeHabits.Queued, Run)
        {
            QueueProblem = (_, line) => line.Count == 1 ? null : Subcommands.Problem(line, "COMMAND"),
        },
    ];

    private static void Run(RespRequest request)
    {
        CommandLine line = request.Line;
        if (line.Count == 1)
        {
            request.Finish(Info(Table.Entries));
        }
        else if (Subcommands.TryAnswer(request, "COMMAND"))
        {
            // It has been answered.
        }
        else if (CommandNames.Is(line[1], "COUNT"))
        {
            request.Finish(Replies.Integer(Table.Entries.Length));
        }
        else if (CommandNames.Is(line[1], "LIST"))
        {
            request.Finish(Names(Table.Entries.SelectMany(entry => entry.Subcommands.Prepend(entry))
                .Select(entry => entry.Name)));
        }
        else if (CommandNames.Is(line[1], "INFO"))
        {
            Entry?[] named = line.Count == 2 ? [.. Table.Entries] : [.. Named(line, 2)];
            request.Finish(Info(named));
        }
        else if (CommandNames.Is(line[1], "DOCS"))
        {
            request.Finish(Docs(line.Count == 2 ? Table.Entries : Named(line, 2).OfType<Entry>()));
        }
        else
        {
            GetKeys(request);
        }
    }

    private static IEnumerable<Entry?> Named(CommandLine line, int from)
    {
        for (int word = from; word < line.Count; word++)
        {
            bool isShort = line[word].Length <= 64;
            yield return isShort && Table.ByName.TryGetValue(line[word], out Entry? entry) ? entry : null;
        }
    }

    private static ReadOnlyMemory<byte> Names(IEnumerable<string> names) => Replies.Of(reply =>
    {
        string[] all = [.. names];
        reply.Array(all.Length);
        foreach (string name in all)
        {
            reply.Bulk(Encoding.ASCII.GetBytes(name));
        }
    });

    private static ReadOnlyMemory<byte> Info(IReadOnlyList<Entry?> entries) => Replies.Of(reply =>
    {
        reply.Array(entries.Count);
        foreach (Entry? entry in entries)
        {
            WriteInfo(reply, entry);
        }
    });

    private static void WriteInfo(Reply reply, Entry? entry)
    {
        if (entry is null)
        {
            reply.Null();
            return;
        }

        reply.Array(10);
        reply.Bulk(Encoding.ASCII.GetBytes(entry.Name));
        reply.Integer(entry.Arity);
        string[] flags = entry.FlagNames();
        reply.Set(flags.Length);
        foreach (string flag in flags)
        {
            reply.Simple(Encoding.ASCII.GetBytes(flag));
        }

        reply.Integer(entry.Keys.First);
        reply.Integer(entry.Keys.Last);
        reply.Integer(entry.Keys.Step);

        // Categories of access rights, hints, key specifications: there are none yet.
        reply.Set(0);
        reply.Array(0);
        reply.Array(0);
        reply.Array(entry.Subcommands.Length);
        foreach (Entry subcommand in entry.Subcommands)
        {
            WriteInfo(reply, subcommand);
        }
    }

    private static ReadOnlyMemory<byte> Docs(IEnumerable<Entry> entries) => Replies.Of(reply =>
    {
        Entry[] all = [.. entries];
        reply.Map(all.Length);
        foreach (Entry entry in all)
        {
            reply.Bulk(Encoding.ASCII.GetBytes(entry.Name));
            WriteDocs(reply, entry);
        }
    });

    /// <summary>There has been no release yet, so nobody can say since which a command is there.</summary>
    private static void WriteDocs(Reply reply, Entry entry)
    {
        if ((entry.Docs ?? CommandDocs.Find(entry.Name)) is not { } docs)
        {
            reply.Map(0);
            return;
        }

        reply.Map(entry.Subcommands.Length > 0 ? 4 : 3);
        reply.Bulk("summary"u8);
        reply.Bulk(Encoding.ASCII.GetBytes(docs.Summary));
        reply.Bulk("group"u8);
        reply.Bulk(Encoding.ASCII.GetBytes(docs.Group));
        reply.Bulk("arguments"u8);
        reply.Array(docs.Arguments.Length);
        foreach (CommandArgument argument in docs.Arguments)
        {
            WriteArgument(reply, argument);
        }

        if (entry.Subcommands.Length > 0)
        {
            reply.Bulk("subcommands"u8);
            reply.Map(entry.Subcommands.Length);
            foreach (Entry subcommand in entry.Subcommands)
            {
                reply.Bulk(Encoding.ASCII.GetBytes(subcommand.Name));
                WriteDocs(reply, subcommand);
            }
        }
    }

    private static void WriteArgument(Reply reply, CommandArgument argument)
    {
        string[] flags =
        [
            .. argument.IsOptional ? (string[])["optional"] : [],
            .. argument.IsMultiple ? (string[])["multiple"] : [],
        ];
        reply.Map(flags.Length == 0 ? 3 : 4);
        reply.Bulk("name"u8);
        reply.Bulk(Encoding.ASCII.GetBytes(argument.Name));
        reply.Bulk("type"u8);
        reply.Bulk(argument.Name == "key" ? "key"u8 : "string"u8);
        reply.Bulk("display_text"u8);
        reply.Bulk(Encoding.ASCII.GetBytes(argument.Text));
        if (flags.Length > 0)
        {
            reply.Bulk("flags"u8);
            reply.Set(flags.Length);
            foreach (string flag in flags)
            {
                reply.Simple(Encoding.ASCII.GetBytes(flag));
            }
        }
    }

    private static void GetKeys(RespRequest request)
    {
        CommandLine line = request.Line;
        var words = new ReadOnlyMemory<byte>[line.Count - 2];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = line.Word(i + 2);
        }

        var asked = new CommandLine(words);
        bool isKnown = CommandTable.Find(asked[0]) is not null || EdgeCommands.Find(asked[0]) is not null;
        if (!isKnown)
        {
            request.Error("ERR Invalid command specified");
            return;
        }

        if (CommandTable.Check(asked, out _) is not { } spec)
        {
            request.Error(EdgeCommands.Find(asked[0]) is null
                ? "ERR Invalid number of arguments specified for command"
                : "ERR The command has no key arguments");
            return;
        }

        int[] keys = CommandTable.KeyWordsOf(spec, asked);
        if (keys.Length == 0)
        {
            request.Error("ERR The command has no key arguments");
            return;
        }

        request.Finish(Replies.Of(reply =>
        {
            reply.Array(keys.Length);
            foreach (int word in keys)
            {
                reply.Bulk(asked[word]);
            }
        }));
    }

    private sealed record Entry(
        string Name, int Arity, bool Writes, KeyWords Keys, Func<CommandLine, int[]>? KeysOf)
    {
        public string[] FlagNames()
        {
            bool hasKeys = Keys != KeyWords.None || KeysOf is not null;
            string kind = Writes ? "write" : "readonly";
            return !hasKeys && !Writes ? ["fast"] : KeysOf is null ? [kind] : [kind, "movablekeys"];
        }

        /// <summary>Named `command|subcommand`.</summary>
        public Entry[] Subcommands { get; init; } = [];

        /// <summary>Of a subcommand; others have theirs by name.</summary>
        public CommandDocs? Docs { get; init; }
    }

    /// <summary>Made at its first use, when all commands are known.</summary>
    private static class Table
    {
        public static readonly Entry[] Entries =
        [
            .. CommandTable.All.Where(spec => EdgeCommands.Find(Encoding.ASCII.GetBytes(spec.Name)) is null)
                .Select(spec => new Entry(
                    spec.Name.ToLowerInvariant(), spec.Arity, spec.Kind == CommandKind.Write, spec.Keys, spec.KeysOf)),
            .. EdgeCommands.All.Select(edge =>
                new Entry(edge.Name.ToLowerInvariant(), edge.Arity, false, KeyWords.None, null)
                {
                    Subcommands = [.. Commands.Subcommands.Of(edge.Name).Select(each => Of(edge, each))],
                }),
        ];

        private static Entry Of(EdgeCommand edge, Subcommand subcommand)
        {
            string name = $"{edge.Name}|{subcommand.Name}".ToLowerInvariant();
            string group = CommandDocs.Find(edge.Name.ToLowerInvariant())?.Group ?? "server";
            return new(name, subcommand.Arity, false, KeyWords.None, null)
            {
                Docs = CommandDocs.Of(group, subcommand.Summary, subcommand.Syntax),
            };
        }

        public static readonly Dictionary<string, Entry>.AlternateLookup<ReadOnlySpan<byte>> ByName =
            Entries.SelectMany(entry => entry.Subcommands.Prepend(entry))
                .ToDictionary(entry => entry.Name, CommandNames.Comparer).GetAlternateLookup<ReadOnlySpan<byte>>();
    }
}
