using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// OBJECT, as far as it can be answered honestly: a value has one owner, collections are rows, and nobody keeps when a
/// key was last used or how often.
/// </summary>
internal static class ObjectCommand
{
    public static readonly CommandSpec[] All = [new("OBJECT", -2, CommandKind.Read, KeyWords.None, Run, KeyOf)];

    private static readonly string[] Help =
    [
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    How the value is kept: int, raw, json, or rows, one for each element.",
        "FREQ <key>",
        "    Refused: how often keys are used is not kept.",
        "IDLETIME <key>",
        "    Refused: when keys were last used is not kept.",
        "REFCOUNT <key>",
        "    One for each key.",
        "HELP",
        "    Print this help.",
    ];

    private static int[] KeyOf(CommandLine line) => line.Count > 2 ? [2] : [];

    private static void Run(CommandContext context)
    {
        CommandLine line = context.Line;
        if (Words.Is(line[1], "HELP"))
        {
            WriteHelp(context);
            return;
        }

        string name = Encoding.Latin1.GetString(line[1]);
        if (name.ToUpperInvariant() is not ("ENCODING" or "FREQ" or "IDLETIME" or "REFCOUNT"))
        {
            context.Reply.Error($"ERR unknown subcommand '{name}'. Try OBJECT HELP.");
        }
        else if (line.Count != 3)
        {
            context.Reply.Error(Errors.WrongArguments($"object|{name.ToLowerInvariant()}"));
        }
        else if (context.TryGet(context.RowKeyOf(2), out Row row))
        {
            Answer(context.Reply, name.ToUpperInvariant(), row);
        }
    }

    private static void WriteHelp(CommandContext context)
    {
        if (context.Line.Count != 2)
        {
            context.Reply.Error(Errors.WrongArguments("object|help"));
            return;
        }

        context.Reply.Array(Help.Length);
        foreach (string text in Help)
        {
            context.Reply.Simple(Encoding.ASCII.GetBytes(text));
        }
    }

    private static void Answer(Reply reply, string name, in Row row)
    {
        if (row.IsTombstone)
        {
            reply.Null();
            return;
        }

        switch (name)
        {
            case "ENCODING":
                reply.Bulk(EncodingOf(row.Type));
                break;
            case "REFCOUNT":
                reply.Integer(1);
                break;
            case "FREQ":
                reply.Error("ERR An LFU maxmemory policy is not selected, access frequency not tracked.");
                break;
            default:
                reply.Error("ERR idle time is not tracked.");
                break;
        }
    }

    private static ReadOnlySpan<byte> EncodingOf(RowType type) => type switch
    {
        RowType.Integer => "int"u8,
        RowType.Text or RowType.JsonScalar => "raw"u8,
        RowType.Json => "json"u8,
        _ => "rows"u8,
    };
}
