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
        var options = new AddOptions { Increment = isIncrement };
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

        if (SortedSet.Open(context, context.Line[1]) is not { } set)
        {
            return;
        }

        var tally = new AddTally();
        for (int i = 0; i < pairs; i++)
        {
            int name = word + (2 * i) + 1;
            ReadOnlySpan<byte> member = context.Line[name];
            if (!Collection.Fits(context, member)
                || !set.TryGetWord(name, 2, out double? standing))
            {
                return;
            }

            Add(set, member, standing, scores[i], options, tally);
        }

        set.Save();
        tally.Write(context.Reply, options);
    }

    private static void Add(
        SortedSet set, ReadOnlySpan<byte> member, double? standing, double score, AddOptions options, AddTally tally)
    {
        if (standing is not { } before)
        {
            if (!options.OnlyOld)
            {
                set.Set(member, null, score);
                tally.Take(score, isNew: true, isChanged: true);
            }

            return;
        }

        double after = options.Increment ? before + score : score;
        tally.IsNotANumber |= double.IsNaN(after);
        bool isRefused = options.OnlyNew || double.IsNaN(after) || (options.OnlyLess && after >= before)
            || (options.OnlyGreater && after <= before);
        if (isRefused)
        {
            return;
        }

        if (after != before)
        {
            set.Set(member, before, after);
        }

        tally.Take(after, isNew: false, after != before);
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

    private static void Write(Reply reply, double? score)
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

    /// <summary>The options of ZADD.</summary>
    private sealed class AddOptions
    {
        public bool OnlyNew { get; private set; }

        public bool OnlyOld { get; private set; }

        public bool OnlyGreater { get; private set; }

        public bool OnlyLess { get; private set; }

        public bool CountChanged { get; private set; }

        public bool Increment { get; set; }

        /// <summary>The word behind the options.</summary>
        public int Read(CommandLine line)
        {
            int word = 2;
            while (word < line.Count && Take(line[word]))
            {
                word++;
            }

            return word;
        }

        public string? Problem(int pairs) =>
            OnlyNew && OnlyOld ? "ERR XX and NX options at the same time are not compatible"
            : (OnlyGreater && (OnlyNew || OnlyLess)) || (OnlyLess && OnlyNew)
                ? "ERR GT, LT, and/or NX options at the same time are not compatible"
            : Increment && pairs > 1 ? "ERR INCR option supports a single increment-element pair"
            : null;

        private bool Take(ReadOnlySpan<byte> option)
        {
            bool isNew = Words.Is(option, "NX");
            bool isOld = Words.Is(option, "XX");
            bool isGreater = Words.Is(option, "GT");
            bool isLess = Words.Is(option, "LT");
            bool isChanged = Words.Is(option, "CH");
            bool isIncrement = Words.Is(option, "INCR");
            OnlyNew |= isNew;
            OnlyOld |= isOld;
            OnlyGreater |= isGreater;
            OnlyLess |= isLess;
            CountChanged |= isChanged;
            Increment |= isIncrement;
            return isNew || isOld || isGreater || isLess || isChanged || isIncrement;
        }
    }

    /// <summary>What a ZADD has done so far.</summary>
    private sealed class AddTally
    {
        private long _added;
        private long _changed;
        private double? _last;

        public bool IsNotANumber { get; set; }

        public void Take(double score, bool isNew, bool isChanged)
        {
            _added += isNew ? 1 : 0;
            _changed += isChanged ? 1 : 0;
            _last = score;
        }

        public void Write(Reply reply, AddOptions options)
        {
            if (IsNotANumber)
            {
                reply.Error("ERR resulting score is not a number (NaN)");
            }
            else if (options.Increment)
            {
                SortedSetCommands.Write(reply, _last);
            }
            else
            {
                reply.Integer(options.CountChanged ? _changed : _added);
            }
        }
    }
}
