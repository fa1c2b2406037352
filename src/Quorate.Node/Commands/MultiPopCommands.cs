using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>LMPOP and ZMPOP: elements of the first of several collections that has any.</summary>
internal static class MultiPopCommands
{
    public static readonly CommandSpec[] All =
    [
        new("LMPOP", -4, CommandKind.Write, KeyWords.None, PopList, CountedKeys.At1),
        new("ZMPOP", -4, CommandKind.Write, KeyWords.None, PopSortedSet, CountedKeys.At1),
    ];

    private static void PopList(CommandContext context)
    {
        if (Parse(context, "LEFT", "RIGHT") is not { } asked)
        {
            return;
        }

        for (int word = 2; word < 2 + asked.Keys; word++)
        {
            if (Collection.Open(context, context.Line[word], RowType.List) is not { } list)
            {
                return;
            }

            if (list.Count > 0)
            {
                context.Reply.Array(2);
                context.Reply.Bulk(context.Line[word]);
                context.Reply.Array((int)Math.Min(asked.Count, list.Count));
                ListCommands.PopTo(context.Reply, list, asked.Count, asked.IsFirst);
                return;
            }
        }

        context.Reply.Null();
    }

    private static void PopSortedSet(CommandContext context)
    {
        if (Parse(context, "MIN", "MAX") is not { } asked)
        {
            return;
        }

        for (int word = 2; word < 2 + asked.Keys; word++)
        {
            if (SortedSet.Open(context, context.Line[word]) is not { } set)
            {
                return;
            }

            if (set.Count > 0)
            {
                var range = new IndexRange(0, Math.Min(asked.Count, set.Count) - 1);
                if (set.ReadByRank(range, descending: !asked.IsFirst) is { } popped)
                {
                    context.Reply.Array(2);
                    context.Reply.Bulk(context.Line[word]);
                    SortedSetRangeCommands.Write(context.Reply, popped, withScores: true);
                    set.Remove(popped);
                    set.Save();
                }

                return;
            }
        }

        context.Reply.Null();
    }

    /// <summary>`numkeys key... end [COUNT count]`; null when it is not that, which has been answered.</summary>
    private static Asked? Parse(CommandContext context, string first, string last)
    {
        CommandLine line = context.Line;
        if (!Words.TryInteger(line[1], out long keys) || keys < 1)
        {
            context.Reply.Error("ERR numkeys should be greater than 0");
            return null;
        }

        long end = Math.Min(keys, line.Count) + 2;
        long count = 1;
        bool isFirst = end < line.Count && Words.Is(line[(int)end], first);
        if (end >= line.Count || !(isFirst || Words.Is(line[(int)end], last)))
        {
            context.Reply.Error(Errors.Syntax);
            return null;
        }

        bool isCounted = end + 2 < line.Count && Words.Is(line[(int)end + 1], "COUNT");
        if (isCounted && (!Words.TryInteger(line[(int)end + 2], out count) || count < 1))
        {
            context.Reply.Error("ERR count should be greater than 0");
            return null;
        }

        if (line.Count != end + (isCounted ? 3 : 1))
        {
            context.Reply.Error(Errors.Syntax);
            return null;
        }

        return new Asked((int)keys, isFirst, count);
    }

    private sealed record Asked(int Keys, bool IsFirst, long Count);
}
