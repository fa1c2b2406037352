using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>Commands at the ends of lists, and those that look. See <see cref="ListEditCommands"/> for the others.
/// </summary>
internal static class ListCommands
{
    public static readonly CommandSpec[] All =
    [
        new("LPUSH", -3, CommandKind.Write, KeyWords.One, context => Push(context, atHead: true, onlyOld: false)),
        new("RPUSH", -3, CommandKind.Write, KeyWords.One, context => Push(context, atHead: false, onlyOld: false)),
        new("LPUSHX", -3, CommandKind.Write, KeyWords.One, context => Push(context, atHead: true, onlyOld: true)),
        new("RPUSHX", -3, CommandKind.Write, KeyWords.One, context => Push(context, atHead: false, onlyOld: true)),
        new("LPOP", -2, CommandKind.Write, KeyWords.One, context => Pop(context, atHead: true)),
        new("RPOP", -2, CommandKind.Write, KeyWords.One, context => Pop(context, atHead: false)),
        new("LLEN", 2, CommandKind.Read, KeyWords.One, Count),
        new("LINDEX", 3, CommandKind.Read, KeyWords.One, GetAt),
        new("LRANGE", 4, CommandKind.Read, KeyWords.One, GetRange),
        new("LPOS", -3, CommandKind.Read, KeyWords.One, Find),
        new("LMOVE", 5, CommandKind.Write, new KeyWords(1, 2, 1), Move),
        new("RPOPLPUSH", 3, CommandKind.Write, new KeyWords(1, 2, 1), context => Move(context, false, true)),
    ];

    private static Collection? Open(CommandContext context) => Collection.Open(context, context.Line[1], RowType.List);

    private static void Push(CommandContext context, bool atHead, bool onlyOld)
    {
        if (Open(context) is not { } list)
        {
            return;
        }

        var elements = new ListElements(list);
        for (int word = 2; word < context.Line.Count && (list.Count > 0 || !onlyOld); word++)
        {
            if (atHead)
            {
                elements.PushHead(context.Line[word]);
            }
            else
            {
                elements.PushTail(context.Line[word]);
            }
        }

        list.Save();
        context.Reply.Integer(list.Count);
    }

    private static void Pop(CommandContext context, bool atHead)
    {
        bool isCounted = context.Line.Count > 2;
        long count = 1;
        if (context.Line.Count > 3)
        {
            context.Reply.Error(Errors.WrongArguments(atHead ? "lpop" : "rpop"));
            return;
        }

        if ((isCounted && !context.TryPositive(2, out count)) || Open(context) is not { } list)
        {
            return;
        }

        if (list.Count == 0)
        {
            context.Reply.Null();
            return;
        }

        if (isCounted)
        {
            context.Reply.Array((int)Math.Min(count, list.Count));
        }

        PopTo(context.Reply, list, count, atHead);
    }

    /// <summary>
    /// Takes up to so many elements off an end and writes each as a reply; nothing is taken when one is cold.
    /// </summary>
    public static void PopTo(Reply reply, Collection list, long count, bool atHead)
    {
        count = Math.Min(count, list.Count);
        (long first, long last) = atHead ? (0, count - 1) : (list.Count - count, list.Count - 1);
        bool isWarm = new ListElements(list).TryScan(first, last, descending: !atHead, (_, value) =>
        {
            reply.Bulk(value);
            return true;
        });
        if (isWarm)
        {
            Take(list, count, atHead);
        }
    }

    /// <summary>Takes elements off; all of a list is gone with its header.</summary>
    private static void Take(Collection list, long count, bool atHead)
    {
        if (count == list.Count)
        {
            list.Drop();
        }
        else
        {
            new ListElements(list).Keep(atHead ? count : 0, list.Count - 1 - (atHead ? 0 : count));
        }

        list.Save();
    }

    private static void Count(CommandContext context)
    {
        if (Open(context) is { } list)
        {
            context.Reply.Integer(list.Count);
        }
    }

    private static void GetAt(CommandContext context)
    {
        if (Open(context) is not { } list)
        {
            return;
        }

        if (list.Count == 0)
        {
            context.Reply.Null();
            return;
        }

        if (!context.TryInteger(2, out long index))
        {
            return;
        }

        index = index < 0 ? index + list.Count : index;
        if (index < 0 || index >= list.Count)
        {
            context.Reply.Null();
        }
        else if (new ListElements(list).TryGet(index, out Row row))
        {
            context.Reply.Bulk(row.Value);
        }
    }

    private static void GetRange(CommandContext context)
    {
        if (!context.TryInteger(2, out long start) || !context.TryInteger(3, out long end)
            || Open(context) is not { } list)
        {
            return;
        }

        IndexRange range = IndexRange.Of(start, end, list.Count);
        context.Reply.Array((int)range.Count);
        new ListElements(list).TryScan(range.First, range.Last, descending: false, (_, value) =>
        {
            context.Reply.Bulk(value);
            return true;
        });
    }

    private static void Move(CommandContext context)
    {
        if (!TryReadEnd(context.Line[3], out bool fromHead) || !TryReadEnd(context.Line[4], out bool toHead))
        {
            context.Reply.Error(Errors.Syntax);
            return;
        }

        Move(context, fromHead, toHead);
    }

    private static bool TryReadEnd(ReadOnlySpan<byte> word, out bool isHead)
    {
        isHead = Words.Is(word, "LEFT");
        return isHead || Words.Is(word, "RIGHT");
    }

    private static void Move(CommandContext context, bool fromHead, bool toHead)
    {
        CommandLine line = context.Line;
        if (Open(context) is not { } from)
        {
            return;
        }

        if (from.Count == 0)
        {
            context.Reply.Null();
            return;
        }

        bool isSame = line[1].SequenceEqual(line[2]);
        Collection? to = isSame ? from : Collection.Open(context, line[2], RowType.List);
        if (to is null || !new ListElements(from).TryGet(fromHead ? 0 : from.Count - 1, out Row row))
        {
            return;
        }

        byte[] value = row.Value.ToArray();
        RowType type = row.Type;
        if (isSame && from.Count == 1)
        {
            context.Reply.Bulk(value);
            return;
        }

        Take(from, 1, fromHead);
        var elements = new ListElements(to);
        if (toHead)
        {
            elements.PushHead(value, type);
        }
        else
        {
            elements.PushTail(value, type);
        }

        to.Save();
        context.Reply.Bulk(value);
    }

    private static void Find(CommandContext context)
    {
        var options = new ListSearch();
        if (!options.TryRead(context) || Open(context) is not { } list)
        {
            return;
        }

        List<long> found = [];
        byte[] wanted = context.Line[2].ToArray();
        long compared = 0;
        long toSkip = Math.Abs(options.Rank) - 1;
        long index = options.Rank > 0 ? 0 : list.Count - 1;
        bool isWarm = new ListElements(list).TryScan(0, list.Count - 1, descending: options.Rank < 0, (_, value) =>
        {
            if (value.SequenceEqual(wanted) && toSkip-- <= 0)
            {
                found.Add(index);
            }

            index += options.Rank > 0 ? 1 : -1;
            compared++;
            return (options.Count == 0 || found.Count < options.Count) && compared != options.ComparedMax;
        });
        if (isWarm)
        {
            options.Write(context.Reply, found);
        }
    }

    /// <summary>The options of LPOS.</summary>
    private sealed class ListSearch
    {
        private bool _isCounted;

        /// <summary>Which match to begin with; negative from the tail.</summary>
        public long Rank { get; private set; } = 1;

        /// <summary>Matches that are wanted; zero for all.</summary>
        public long Count { get; private set; } = 1;

        /// <summary>Elements to look at; zero for all.</summary>
        public long ComparedMax { get; private set; }

        public bool TryRead(CommandContext context)
        {
            for (int word = 3; word < context.Line.Count; word += 2)
            {
                ReadOnlySpan<byte> option = context.Line[word];
                if (word + 1 == context.Line.Count
                    || !(Words.Is(option, "RANK") || Words.Is(option, "COUNT") || Words.Is(option, "MAXLEN")))
                {
                    context.Reply.Error(Errors.Syntax);
                    return false;
                }

                if (!TryTake(context, option, word + 1))
                {
                    return false;
                }
            }

            return true;
        }

        public void Write(Reply reply, List<long> found)
        {
            if (_isCounted)
            {
                reply.Array(found.Count);
            }
            else if (found.Count == 0)
            {
                reply.Null();
            }

            foreach (long index in found)
            {
                reply.Integer(index);
            }
        }

        private bool TryTake(CommandContext context, ReadOnlySpan<byte> option, int word)
        {
            if (Words.Is(option, "RANK"))
            {
                if (!context.TryInteger(word, out long rank))
                {
                    return false;
                }

                // No list is so long that the smallest rank differs from the next one, which has an absolute value.
                Rank = Math.Max(rank, -long.MaxValue);
                if (rank == 0)
                {
                    context.Reply.Error(
                        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
                        "or use negative to start from the end of the list");
                }

                return rank != 0;
            }

            bool isCount = Words.Is(option, "COUNT");
            if (!Words.TryInteger(context.Line[word], out long number) || number < 0)
            {
                context.Reply.Error(isCount ? "ERR COUNT can't be negative" : "ERR MAXLEN can't be negative");
                return false;
            }

            _isCounted |= isCount;
            Count = isCount ? number : Count;
            ComparedMax = isCount ? ComparedMax : number;
            return true;
        }
    }
}
