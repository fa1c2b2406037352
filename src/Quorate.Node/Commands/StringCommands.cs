using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on strings.</summary>
internal static class StringCommands
{
    public static readonly CommandSpec[] All =
    [
        new("GET", 2, CommandKind.Read, KeyWords.One, Get),
        new("SET", -3, CommandKind.Write, KeyWords.One, Set),
    ];

    private static void Get(CommandContext context)
    {
        if (!context.TryGet(RowKey.Of(context.Line[1]), out Row row))
        {
            return;
        }

        if (row.IsTombstone)
        {
            context.Reply.Null();
        }
        else
        {
            context.Reply.Bulk(row.Value);
        }
    }

    private static void Set(CommandContext context)
    {
        context.Put(RowKey.Of(context.Line[1]), RowType.Text, 0, context.Line[2]);
        context.Reply.Ok();
    }
}
