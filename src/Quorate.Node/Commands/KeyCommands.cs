using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on keys of any type.</summary>
internal static class KeyCommands
{
    public static readonly CommandSpec[] All =
    [
        new("DEL", -2, CommandKind.Write, new KeyWords(1, -1, 1), Delete),
    ];

    private static void Delete(CommandContext context)
    {
        int count = 0;
        for (int word = 1; word < context.Line.Count; word++)
        {
            byte[] rowKey = RowKey.Of(context.Line[word]);
            if (!context.TryGet(rowKey, out Row row))
            {
                return;
            }

            if (!row.IsTombstone)
            {
                context.Delete(rowKey);
                count++;
            }
        }

        context.Reply.Integer(count);
    }
}
