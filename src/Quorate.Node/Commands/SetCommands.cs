using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands on one set, and SMOVE. Those that combine sets are in <see cref="SetAlgebraCommands"/>.</summary>
internal static class SetCommands
{
    public static readonly CommandSpec[] All =
    [
        new("SADD", -3, CommandKind.Write, KeyWords.One, Add),
        new("SREM", -3, CommandKind.Write, KeyWords.One, Remove),
        new("SISMEMBER", 3, CommandKind.Read, KeyWords.One, IsMember),
        new("SMISMEMBER", -3, CommandKind.Read, KeyWords.One, AreMembers),
        new("SMEMBERS", 2, CommandKind.Read, KeyWords.One, GetAll),
        new("SCARD", 2, CommandKind.Read, KeyWords.One, Count),
        new("SPOP", -2, CommandKind.Write, KeyWords.One, Pop),
        new("SRANDMEMBER", -2, CommandKind.Read, KeyWords.One, context => RandomElements.Run(context, RowType.Set)),
        new("SMOVE", 4, CommandKind.Write, new KeyWords(1, 2, 1), Move),
        new("SSCAN", -3, CommandKind.Read, KeyWords.One, context => ElementScan.Run(context, RowType.Set)),
    ];

    private static Collection? Open(CommandContext context) => Collection.Open(context, context.Line[1], RowType.Set);

    private static void Add(CommandContext context)
    {
        if (Open(context) is not { } set)
        {
            return;
        }

        long before = set.Count;
        for (int word = 2; word < context.Line.Count; word++)
        {
            ReadOnlySpan<byte> member = context.Line[word];
            if (!Collection.Fits(context, member) || !set.TryGetWord(word, 1, out Row row))
            {
                return;
            }

            if (row.IsTombstone)
            {
                set.Count++;
                set.Put(member, []);
            }
        }

        set.Save();
        context.Reply.Integer(set.Count - before);
    }

    private static void Remove(CommandContext context)
    {
        if (Open(context) is not { } set)
        {
            return;
        }

        long before = set.Count;
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!set.TryGetWord(word, 1, out Row row))
            {
                return;
            }

            if (!row.IsTombstone)
            {
                set.Count--;
                set.Delete(context.Line[word]);
            }
        }

        set.Save();
        context.Reply.Integer(before - set.Count);
    }

    private static void IsMember(CommandContext context)
    {
        if (Open(context) is { } set && set.TryGet(context.Line[2], out Row row))
        {
            context.Reply.Integer(row.IsTombstone ? 0 : 1);
        }
    }

    private static void AreMembers(CommandContext context)
    {
        if (Open(context) is not { } set)
        {
            return;
        }

        context.Reply.Array(context.Line.Count - 2);
        for (int word = 2; word < context.Line.Count; word++)
        {
            if (!set.TryGetWord(word, 1, out Row row))
            {
                return;
            }

            context.Reply.Integer(row.IsTombstone ? 0 : 1);
        }
    }

    private static void GetAll(CommandContext context)
    {
        if (Open(context) is not { } set)
        {
            return;
        }

        context.Reply.Set((int)set.Count);
        set.TryScan((member, _) =>
        {
            context.Reply.Bulk(member);
            return true;
        });
    }

    private static void Count(CommandContext context)
    {
        if (Open(context) is { } set)
        {
            context.Reply.Integer(set.Count);
        }
    }

    private static void Pop(CommandContext context)
    {
        long count = 1;
        bool isCounted = context.Line.Count > 2;
        if (context.Line.Count > 3)
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if ((isCounted && !context.TryPositive(2, out count))
            || Open(context) is not { } set
            || RandomElements.Choose(context, set, count) is not { } chosen)
        {
            return;
        }

        if (isCounted)
        {
            context.Reply.Set(chosen.Count);
        }
        else if (chosen.Count == 0)
        {
            context.Reply.Null();
        }

        // All of a set is gone with its header.
        bool all = chosen.Count == set.Count;
        bool areDeleted = !all && set.HasRoomFor(chosen.Count);
        foreach ((byte[] member, _) in chosen)
        {
            context.Reply.Bulk(member);
            if (areDeleted)
            {
                set.Delete(member);
            }
        }

        if (all)
        {
            set.Drop();
        }
        else if (areDeleted)
        {
            set.Count -= chosen.Count;
        }
        else
        {
            Leave(set, chosen);
        }

        set.Save();
    }

    /// <summary>
    /// Writes all others anew: there are too many to delete them one by one. When one is cold nothing is done.
    /// </summary>
    /// <param name="gone">In order.</param>
    private static void Leave(Collection set, List<(byte[] Name, byte[] Value)> gone)
    {
        List<byte[]> kept = [];
        int next = 0;
        bool isWarm = set.TryScan((member, _) =>
        {
            if (next < gone.Count && member.SequenceEqual(gone[next].Name))
            {
                next++;
            }
            else
            {
                kept.Add(member.ToArray());
            }

            return true;
        });
        if (!isWarm)
        {
            return;
        }

        set.Renew();
        foreach (byte[] member in kept)
        {
            set.Put(member, []);
        }

        set.Count = kept.Count;
    }

    private static void Move(CommandContext context)
    {
        CommandLine line = context.Line;
        ReadOnlySpan<byte> member = line[3];
        if (Open(context) is not { } from)
        {
            return;
        }

        if (from.Count == 0)
        {
            context.Reply.Integer(0);
            return;
        }

        if (Collection.Open(context, line[2], RowType.Set) is not { } to || !from.TryGet(member, out Row row))
        {
            return;
        }

        if (!row.IsTombstone && !line[1].SequenceEqual(line[2]))
        {
            if (!to.TryGet(member, out Row standing))
            {
                return;
            }

            from.Count--;
            from.Delete(member);
            from.Save();
            to.Count += standing.IsTombstone ? 1 : 0;
            to.Put(member, []);
            to.Save();
        }

        context.Reply.Integer(row.IsTombstone ? 0 : 1);
    }
}
