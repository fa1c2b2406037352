using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on members of one sorted set. See <see cref="SortedSetRangeCommands"/> for ranges of
/// them.</summary>
internal static class SortedSetCommands
{
    public static readonly CommandSpec[] All =
    [
        new("ZADD", -4, CommandKind.Write, KeyWords.One, context => Add(context, isIncrement: false)),
        new("ZINCRBY", 4, CommandKind.Write, KeyWords.One, context => Add(context, isIncrement: true)),
        new("ZREM", -3, CommandKind.Write, KeyWords.One, Remove),
        new("ZSCORE", 3, CommandKind.Read, KeyWords.One, GetScore),
        new("ZMSCORE", -3, CommandKind.Read, KeyWords.One, GetScores),
        new("ZCARD", 2, CommandKind.Read, KeyWords.One, Count),
        new("ZRANK", 3, CommandKind.Read, KeyWords.One, context => GetRank(context, descending: false)),
        new("ZREVRANK", 3, CommandKind.Read, KeyWords.One, context => GetRank(context, descending: true)),
        new("ZPOPMIN", -2, CommandKind.Write, KeyWords.One, context => Pop(context, descending: false)),
        new("ZPOPMAX", -2, CommandKind.Write, KeyWords.One, context => Pop(context, descending: true)),
        new("ZRANDMEMBER", -2, CommandKind.Read, KeyWords.One,
            context => RandomElements.Run(context, RowType.SortedSet)),
        new("ZSCAN", -3, CommandKind.Read, KeyWords.One, context => ElementScan.Run(context, RowType.SortedSet)),
    ];

    private static void Add(CommandContext context, bool isIncrement)
    {
        var options = new SortedSetAdding.Options { Increment = isIncrement };
        int word = options.Read(context.Line);
        int pairs = (context.Line.Count - word) / 2;
        if (pairs == 0 || (context.Line.Count - word) % 2 != 0)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if (options.Problem(pairs) is { } problem)
        {
            context.Reply.Error(problem);
            return;
        }

        double[] scores = new double[pairs];
        for (int i = 0; i < pairs; i++)
        {
            if (!context.TryDouble(word + (2 * i), out scores[i]))
            {
                return;
            }
        }

        SortedSetAdding.Run(context, options, scores, firstName: word + 1, step: 2);
    }

    private static void Remove(CommandContext context)
    {
        if (SortedSet.Open(context, context.Line[1]) is not { } set)
        {
            return;
        }

        long before = set.Count;
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!set.TryGetWord(word, 1, out double? score))
            {
                return;
            }

            if (score is { } found)
            {
                set.Remove(context.Line[word], found);
            }
        }

        set.Save();
        context.Reply.Integer(before - set.Count);
    }

    private static void GetScore(CommandContext context)
    {
        if (SortedSet.Open(context, context.Line[1]) is { } set && set.TryGet(context.Line[2], out double? score))
        {
            Write(context.Reply, score);
        }
    }

    private static void GetScores(CommandContext context)
    {
        if (SortedSet.Open(context, context.Line[1]) is not { } set)
        {
            return;
        }

        context.Reply.Array(context.Line.Count - 2);
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!set.TryGetWord(word, 1, out double? score))
            {
                return;
            }

            Write(context.Reply, score);
        }
    }

    /// <summary>A score, or null.</summary>
    public static void Write(Reply reply, double? score)
    {
        if (score is { } found)
        {
            reply.Double(found);
        }
        else
        {
            reply.Null();
        }
    }

    private static void Count(CommandContext context)
    {
        if (SortedSet.Open(context, context.Line[1]) is { } set)
        {
            context.Reply.Integer(set.Count);
        }
    }

    private static void GetRank(CommandContext context, bool descending)
    {
        ReadOnlySpan<byte> member = context.Line[2];
        if (SortedSet.Open(context, context.Line[1]) is not { } set || !set.TryGet(member, out double? score))
        {
            return;
        }

        if (score is not { } found)
        {
            context.Reply.Null();
        }
        else if (set.TryRank(member, found, descending, out long rank))
        {
            context.Reply.Integer(rank);
        }
    }

    private static void Pop(CommandContext context, bool descending)
    {
        long count = 1;
        bool isCounted = context.Line.Count > 2;
        if (context.Line.Count > 3)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if ((isCounted && !context.TryPositive(2, out count))
            || SortedSet.Open(context, context.Line[1]) is not { } set
            || set.ReadByRank(new IndexRange(0, Math.Min(count, set.Count) - 1), descending) is not { } popped)
        {
            return;
        }

        context.Reply.Array(isCounted ? popped.Count : 2 * popped.Count);
        foreach (Scored member in popped)
        {
            if (isCounted)
            {
                context.Reply.Array(2);
            }

            context.Reply.Bulk(member.Member);
            context.Reply.Double(member.Score);
        }

        set.Remove(popped);
        set.Save();
    }
}
