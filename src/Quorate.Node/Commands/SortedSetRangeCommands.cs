using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>Commands on ranges of a sorted set, by rank, by score or by name.</summary>
internal static class SortedSetRangeCommands
{
    public static readonly CommandSpec[] All =
    [
        Show("ZRANGE", -4, null, null),
        Show("ZREVRANGE", -4, RangeKind.Rank, true),
        Show("ZRANGEBYSCORE", -4, RangeKind.Score, false),
        Show("ZREVRANGEBYSCORE", -4, RangeKind.Score, true),
        Show("ZRANGEBYLEX", -4, RangeKind.Name, false),
        Show("ZREVRANGEBYLEX", -4, RangeKind.Name, true),
        new("ZRANGESTORE", -5, CommandKind.Write, new KeyWords(1, 2, 1), Store),
        new("ZCOUNT", 4, CommandKind.Read, KeyWords.One, context => Count(context, RangeKind.Score)),
        new("ZLEXCOUNT", 4, CommandKind.Read, KeyWords.One, context => Count(context, RangeKind.Name)),
        Remove("ZREMRANGEBYRANK", RangeKind.Rank),
        Remove("ZREMRANGEBYSCORE", RangeKind.Score),
        Remove("ZREMRANGEBYLEX", RangeKind.Name),
    ];

    private static CommandSpec Show(string name, int arity, RangeKind? kind, bool? descending) =>
        new(name, arity, CommandKind.Read, KeyWords.One, context => Show(context, new RangeQuery(kind, descending)));

    private static CommandSpec Remove(string name, RangeKind kind) =>
        new(name, 4, CommandKind.Write, KeyWords.One, context => Remove(context, kind));

    private static void Show(CommandContext context, RangeQuery query)
    {
        if (!query.TryRead(context, 2, mayShowScores: true)
            || SortedSet.Open(context, context.Line[1]) is not { } set
            || query.Run(set) is not { } found)
        {
            return;
        }

        Write(context.Reply, found, query.WithScores);
    }

    /// <summary>Members, or pairs of member and score.</summary>
    public static void Write(Reply reply, List<Scored> members, bool withScores)
    {
        reply.Array(members.Count);
        foreach (Scored member in members)
        {
            if (withScores)
            {
                reply.Array(2);
            }

            reply.Bulk(member.Member);
            if (withScores)
            {
                reply.Double(member.Score);
            }
        }
    }

    /// <summary>Puts members in the place of whatever stands under a key, and answers how many.</summary>
    public static void Store(CommandContext context, ReadOnlySpan<byte> key, List<Scored> members)
    {
        if (SortedSet.Make(context, key) is not { } result)
        {
            return;
        }

        foreach (Scored member in members)
        {
            result.Set(member.Member, null, member.Score);
        }

        result.Save();
        context.Reply.Integer(members.Count);
    }

    private static void Store(CommandContext context)
    {
        var query = new RangeQuery(null, null);
        if (query.TryRead(context, 3, mayShowScores: false)
            && SortedSet.Open(context, context.Line[2]) is { } set
            && query.Run(set) is { } found)
        {
            Store(context, context.Line[1], found);
        }
    }

    private static void Count(CommandContext context, RangeKind kind)
    {
        var query = new RangeQuery(kind, false);
        if (query.TryReadBounds(context, 2)
            && SortedSet.Open(context, context.Line[1]) is { } set
            && query.Run(set) is { } found)
        {
            context.Reply.Integer(found.Count);
        }
    }

    private static void Remove(CommandContext context, RangeKind kind)
    {
        var query = new RangeQuery(kind, false);
        if (query.TryReadBounds(context, 2)
            && SortedSet.Open(context, context.Line[1]) is { } set
            && query.Run(set) is { } found)
        {
            set.Remove(found);
            set.Save();
            context.Reply.Integer(found.Count);
        }
    }
}
