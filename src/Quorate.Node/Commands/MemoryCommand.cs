using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Memtables;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// MEMORY USAGE: what the rows of a key take in a node's memory while they are there, in bytes. Of a collection some
/// rows are looked at, and the others are taken to be like them, as Redis does.
/// </summary>
internal static class MemoryCommand
{
    public static readonly CommandSpec[] All = [new("MEMORY", -2, CommandKind.Read, KeyWords.None, Run, KeyOf)];

    /// <summary>Rows of a collection that are looked at unless SAMPLES says another number; zero means all.</summary>
    private const long SamplesUnlessSaid = 5;

    /// <summary>In a row key of an element, between the key and the element: the collection's generation.</summary>
    private const int GenerationBytes = 8;

    private static readonly string[] Help =
    [
        "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "USAGE <key> [SAMPLES <count>]",
        "    What the rows of a key take in memory, in bytes; of a collection by <count> of them (5, 0 for all).",
        "HELP",
        "    Print this help.",
    ];

    private static int[] KeyOf(CommandLine line) => line.Count > 2 && Words.Is(line[1], "USAGE") ? [2] : [];

    private static void Run(CommandContext context)
    {
        CommandLine line = context.Line;
        if (Words.Is(line[1], "USAGE"))
        {
            if (line.Count < 3)
            {
                context.Reply.Error(Errors.WrongArguments("memory|usage"));
            }
            else if (TrySamples(context, out long samples))
            {
                Answer(context, samples);
            }
        }
        else if (Words.Is(line[1], "HELP") && line.Count == 2)
        {
            context.Reply.Array(Help.Length);
            foreach (string text in Help)
            {
                context.Reply.Simple(Encoding.ASCII.GetBytes(text));
            }
        }
        else
        {
            context.Reply.Error($"ERR unknown subcommand '{Encoding.Latin1.GetString(line[1])}'. Try MEMORY HELP.");
        }
    }

    private static bool TrySamples(CommandContext context, out long samples)
    {
        samples = SamplesUnlessSaid;
        for (int word = 3; word < context.Line.Count; word += 2)
        {
            if (!Words.Is(context.Line[word], "SAMPLES") || word + 1 == context.Line.Count)
            {
                context.Reply.Error(Errors.Syntax);
                return false;
            }

            if (!context.TryCount(word + 1, out samples, Errors.Syntax))
            {
                return false;
            }
        }

        return true;
    }

    private static void Answer(CommandContext context, long samples)
    {
        byte[] header = RowKey.Of(context.Line[2]);
        if (!context.TryGet(header, out Row row))
        {
            return;
        }

        if (row.IsTombstone)
        {
            context.Reply.Null();
            return;
        }

        long bytes = Memtable.BytesOf(header.Length, row.Value.Length, row.Expiry != 0);
        bool isCollection = row.Type is RowType.Hash or RowType.Set or RowType.List or RowType.SortedSet;
        if (isCollection && Collection.Open(context, context.Line[2], row.Type) is { } collection)
        {
            long seen = 0;
            long taken = 0;
            bool isWarm = collection.TryScan((element, value) =>
            {
                taken += Memtable.BytesOf(header.Length + GenerationBytes + element.Length, value.Length, false);
                return ++seen != samples;
            });
            if (!isWarm)
            {
                return;
            }

            // A sorted set has two rows for each member.
            long rows = collection.Count * (row.Type == RowType.SortedSet ? 2 : 1);
            bytes += seen == 0 ? 0 : taken * rows / seen;
        }

        context.Reply.Integer(bytes);
    }
}
