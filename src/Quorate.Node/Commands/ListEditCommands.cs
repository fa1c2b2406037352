using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands that change a list elsewhere than at its ends.</summary>
internal static class ListEditCommands
{
    public static readonly CommandSpec[] All =
    [
        new("LSET", 4, CommandKind.Write, KeyWords.One, SetAt),
        new("LTRIM", 4, CommandKind.Write, KeyWords.One, Trim),
        new("LREM", 4, CommandKind.Write, KeyWords.One, Remove),
        new("LINSERT", 5, CommandKind.Write, KeyWords.One, Insert),
    ];

    private static Collection? Open(CommandContext context) => Collection.Open(context, context.Line[1], RowType.List);

    private static void SetAt(CommandContext context)
    {
        if (Open(context) is not { } list)
        {
            return;
        }

        if (list.Count == 0)
        {
            context.Reply.Error(Errors.NoSuchKey);
            return;
        }

        if (!context.TryInteger(2, out long index))
        {
            return;
        }

        index = index < 0 ? index + list.Count : index;
        if (index < 0 || index >= list.Count)
        {
            context.Reply.Error(Errors.IndexOutOfRange);
            return;
        }

        new ListElements(list).Set(index, context.Line[3]);
        list.Save();
        context.Reply.Ok();
    }

    private static void Trim(CommandContext context)
    {
        if (!context.TryInteger(2, out long start) || !context.TryInteger(3, out long end)
            || Open(context) is not { } list)
        {
            return;
        }

        IndexRange kept = IndexRange.Of(start, end, list.Count);
        if (kept.Count == 0)
        {
            list.Drop();
        }
        else if (kept.Count < list.Count)
        {
            new ListElements(list).Keep(kept.First, kept.Last);
            list.Save();
        }

        context.Reply.Ok();
    }

    private static void Remove(CommandContext context)
    {
        if (!context.TryInteger(2, out long count) || Open(context) is not { } list)
        {
            return;
        }

        var elements = new ListElements(list);
        List<long> found = [];
        byte[] wanted = context.Line[3].ToArray();
        bool fromTail = count < 0;
        long index = fromTail ? list.Count - 1 : 0;
        ulong foundMax = count == 0 ? ulong.MaxValue : (ulong)Math.Abs((decimal)count);
        bool isWarm = elements.TryScan(0, list.Count - 1, fromTail, (_, value) =>
        {
            if (value.SequenceEqual(wanted))
            {
                found.Add(index);
            }

            index += fromTail ? -1 : 1;
            return (ulong)found.Count < foundMax;
        });
        if (!isWarm)
        {
            return;
        }

        if (fromTail)
        {
            found.Reverse();
        }

        if (found.Count == list.Count)
        {
            list.Drop();
        }
        else if (!elements.TryRemove(found))
        {
            return;
        }

        list.Save();
        context.Reply.Integer(found.Count);
    }

    private static void Insert(CommandContext context)
    {
        CommandLine line = context.Line;
        bool isBefore = Words.Is(line[2], "BEFORE");
        if (!isBefore && !Words.Is(line[2], "AFTER"))
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        if (Open(context) is not { } list)
        {
            return;
        }

        if (list.Count == 0)
        {
            context.Reply.Integer(0);
            return;
        }

        var elements = new ListElements(list);
        byte[] pivot = line[3].ToArray();
        long index = 0;
        bool isFound = false;
        bool isWarm = elements.TryScan(0, list.Count - 1, descending: false, (_, value) =>
        {
            isFound = value.SequenceEqual(pivot);
            index += isFound ? 0 : 1;
            return !isFound;
        });
        if (!isWarm)
        {
            return;
        }

        if (!isFound)
        {
            context.Reply.Integer(-1);
            return;
        }

        if (elements.TryInsert(isBefore ? index : index + 1, line[4]))
        {
            list.Save();
            context.Reply.Integer(list.Count);
        }
    }
}
