using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Commands that combine sets. An intersection scans its smallest set and looks its members up in the others; a
/// difference scans its first set; a union scans all.
/// </summary>
internal static class SetAlgebraCommands
{
    private static readonly KeyWords AllWords = new(1, -1, 1);

    private static readonly CountedKeys.Errors CountErrors = new(
        "ERR numkeys should be greater than 0", "ERR numkeys should be greater than 0",
        "ERR Number of keys can't be greater than number of args");

    public static readonly CommandSpec[] All =
    [
        new("SINTER", -2, CommandKind.Read, AllWords, context => Show(context, Intersect)),
        new("SUNION", -2, CommandKind.Read, AllWords, context => Show(context, Unite)),
        new("SDIFF", -2, CommandKind.Read, AllWords, context => Show(context, Subtract)),
        new("SINTERSTORE", -3, CommandKind.Write, AllWords, context => Store(context, Intersect)),
        new("SUNIONSTORE", -3, CommandKind.Write, AllWords, context => Store(context, Unite)),
        new("SDIFFSTORE", -3, CommandKind.Write, AllWords, context => Store(context, Subtract)),
        new("SINTERCARD", -3, CommandKind.Read, KeyWords.None, CountIntersection, CountedKeys.At1),
    ];

    /// <summary>Members of a combination of sets in order; null when a row is cold.</summary>
    private delegate List<byte[]>? Combination(Collection[] sets);

    private static void Show(CommandContext context, Combination combine)
    {
        if (Open(context, 1, context.Line.Count - 1) is not { } sets || combine(sets) is not { } members)
        {
            return;
        }

        context.Reply.Set(members.Count);
        foreach (byte[] member in members)
        {
            context.Reply.Bulk(member);
        }
    }

    private static void Store(CommandContext context, Combination combine)
    {
        if (Open(context, 2, context.Line.Count - 2) is not { } sets || combine(sets) is not { } members
            || Collection.Make(context, context.Line[1], RowType.Set) is not { } result)
        {
            return;
        }

        foreach (byte[] member in members)
        {
            result.Put(member, []);
        }

        result.Count = members.Count;
        result.Save();
        context.Reply.Integer(members.Count);
    }

    private static void CountIntersection(CommandContext context)
    {
        if (!CountedKeys.TryRead(context, 1, CountErrors, out int count))
        {
            return;
        }

        long limit = 0;
        for (int word = 2 + count; word < context.Line.Count; word += 2)
        {
            if (!Words.Is(context.Line[word], "LIMIT") || word + 1 == context.Line.Count)
            {
                context.Reply.Error(Errors.Syntax);
                return;
            }

            if (!Words.TryInteger(context.Line[word + 1], out limit) || limit < 0)
            {
                context.Reply.Error("ERR LIMIT can't be negative");
                return;
            }
        }

        if (Open(context, 2, count) is { } sets && Intersect(sets) is { } members)
        {
            context.Reply.Integer(limit > 0 ? Math.Min(limit, members.Count) : members.Count);
        }
    }

    /// <summary>Null when one is cold or no set.</summary>
    private static Collection[]? Open(CommandContext context, int word, int count)
    {
        var sets = new Collection[count];
        for (int i = 0; i < count; i++)
        {
            if (Collection.Open(context, context.Line[word + i], RowType.Set) is not { } set)
            {
                return null;
            }

            sets[i] = set;
        }

        return sets;
    }

    private static List<byte[]>? Intersect(Collection[] sets)
    {
        Collection smallest = sets.MinBy(set => set.Count)!;
        return Filter(smallest, sets.Where(set => !ReferenceEquals(set, smallest)), isIn: true);
    }

    private static List<byte[]>? Subtract(Collection[] sets) => Filter(sets[0], sets.Skip(1), isIn: false);

    /// <summary>
    /// The members of a set that are in all of the others, or in none; null when a row is cold, and then all that are
    /// to be looked up in that set have been looked at.
    /// </summary>
    private static List<byte[]>? Filter(Collection set, IEnumerable<Collection> others, bool isIn)
    {
        var members = new List<byte[]>();
        bool isWarm = set.TryScan((member, _) =>
        {
            members.Add(member.ToArray());
            return true;
        });
        foreach (Collection other in others)
        {
            if (!isWarm)
            {
                return null;
            }

            members.RemoveAll(member =>
            {
                isWarm &= other.TryGet(member, out Row row);
                return row.IsTombstone == isIn;
            });
        }

        return isWarm ? members : null;
    }

    private static List<byte[]>? Unite(Collection[] sets)
    {
        var members = new SortedSet<byte[]>(RowKeyComparer.Instance);
        foreach (Collection set in sets)
        {
            bool isWarm = set.TryScan((member, _) =>
            {
                members.Add(member.ToArray());
                return true;
            });
            if (!isWarm)
            {
                return null;
            }
        }

        return [.. members];
    }
}
