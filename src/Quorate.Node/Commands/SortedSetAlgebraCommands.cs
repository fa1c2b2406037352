using Quorate.Node.Evaluation;
using Quorate.Storage.Rows;

namespace Quorate.Node.Commands;

/// <summary>
/// Commands that combine sorted sets; a plain set counts as one whose scores are all 1. All members of all of them are
/// read.
/// </summary>
internal static class SortedSetAlgebraCommands
{
    public static readonly CommandSpec[] All =
    [
        Show("ZUNION", Combination.Union),
        Show("ZINTER", Combination.Intersection),
        Show("ZDIFF", Combination.Difference),
        Store("ZUNIONSTORE", Combination.Union),
        Store("ZINTERSTORE", Combination.Intersection),
        Store("ZDIFFSTORE", Combination.Difference),
        new("ZINTERCARD", -3, CommandKind.Read, KeyWords.None, CountIntersection, CountedKeys.At1),
    ];

    private enum Combination
    {
        Union,
        Intersection,
        Difference,
    }

    private enum Aggregate
    {
        Sum,
        Min,
        Max,
    }

    private static CommandSpec Show(string name, Combination combination) =>
        new(name, -3, CommandKind.Read, KeyWords.None,
            context => Run(context, combination, name, 1, isStored: false), CountedKeys.At1);

    private static CommandSpec Store(string name, Combination combination) =>
        new(name, -4, CommandKind.Write, KeyWords.None,
            context => Run(context, combination, name, 2, isStored: true), CountedKeys.At2WithResult);

    private static CountedKeys.Errors CountErrors(string name) => new(
        Errors.NotInteger,
        $"ERR at least 1 input key is needed for '{name.ToLowerInvariant()}' command",
        Errors.Syntax);

    private static void Run(CommandContext context, Combination combination, string name, int word, bool isStored)
    {
        if (!CountedKeys.TryRead(context, word, CountErrors(name), out int count)
            || Open(context, word + 1, count) is not { } sources)
        {
            return;
        }

        var options = new Options(count);
        if (!options.TryRead(context, word + 1 + count, combination != Combination.Difference, !isStored)
            || Combine(sources, combination, options) is not { } members)
        {
            return;
        }

        if (isStored)
        {
            SortedSetRangeCommands.Store(context, context.Line[1], members);
        }
        else
        {
            SortedSetRangeCommands.Write(context.Reply, members, options.WithScores);
        }
    }

    private static void CountIntersection(CommandContext context)
    {
        if (!CountedKeys.TryRead(context, 1, CountErrors("zintercard"), out int count)
            || Open(context, 2, count) is not { } sources)
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

        if (Combine(sources, Combination.Intersection, new Options(count)) is { } members)
        {
            context.Reply.Integer(limit > 0 ? Math.Min(limit, members.Count) : members.Count);
        }
    }

    /// <summary>Null when one is cold, or is neither a set nor a sorted set.</summary>
    private static Collection[]? Open(CommandContext context, int word, int count)
    {
        var sources = new Collection[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> key = context.Line[word + i];
            if (!context.TryGet(RowKey.Of(key), out Row row))
            {
                return null;
            }

            RowType type = row.Type == RowType.Set ? RowType.Set : RowType.SortedSet;
            if (Collection.Open(context, key, type) is not { } source)
            {
                return null;
            }

            sources[i] = source;
        }

        return sources;
    }

    private static List<Scored>? Combine(Collection[] sources, Combination combination, Options options)
    {
        SortedDictionary<byte[], double>? result = null;
        for (int i = 0; i < sources.Length; i++)
        {
            if (Read(sources[i]) is not { } members)
            {
                return null;
            }

            if (combination != Combination.Difference)
            {
                members = Weigh(members, options.Weights[i]);
            }

            result = result is null ? members : Combine(result, members, combination, options.Aggregate);
        }

        List<Scored> combined = [.. result!.Select(member => new Scored(member.Key, member.Value))];
        combined.Sort(Scored.Compare);
        return combined;
    }

    private static SortedDictionary<byte[], double>? Read(Collection source)
    {
        var members = new SortedDictionary<byte[], double>(RowKeyComparer.Instance);
        bool isWarm = source.TryScanNames((name, value) =>
        {
            members[name.ToArray()] = source.Type == RowType.Set ? 1 : SortedSet.ReadScore(value);
            return true;
        });
        return isWarm ? members : null;
    }

    private static SortedDictionary<byte[], double> Weigh(SortedDictionary<byte[], double> members, double weight)
    {
        var weighed = new SortedDictionary<byte[], double>(RowKeyComparer.Instance);
        foreach ((byte[] member, double score) in members)
        {
            weighed[member] = OrZero(score * weight);
        }

        return weighed;
    }

    private static SortedDictionary<byte[], double> Combine(
        SortedDictionary<byte[], double> first, SortedDictionary<byte[], double> second, Combination combination,
        Aggregate aggregate)
    {
        var result = new SortedDictionary<byte[], double>(RowKeyComparer.Instance);
        foreach ((byte[] member, double score) in first)
        {
            bool isInBoth = second.TryGetValue(member, out double other);
            if (isInBoth && combination != Combination.Difference)
            {
                result[member] = Join(score, other, aggregate);
            }
            else if (!isInBoth && combination != Combination.Intersection)
            {
                result[member] = score;
            }
        }

        if (combination == Combination.Union)
        {
            foreach ((byte[] member, double score) in second)
            {
                result.TryAdd(member, score);
            }
        }

        return result;
    }

    private static double Join(double a, double b, Aggregate aggregate) => aggregate switch
    {
        Aggregate.Min => Math.Min(a, b),
        Aggregate.Max => Math.Max(a, b),
        _ => OrZero(a + b),
    };

    /// <summary>Infinities that meet make zero, as in Redis.</summary>
    private static double OrZero(double score) => double.IsNaN(score) ? 0 : score;

    private sealed class Options(int count)
    {
        public double[] Weights { get; } = [.. Enumerable.Repeat(1.0, count)];

        public Aggregate Aggregate { get; private set; }

        public bool WithScores { get; private set; }

        public bool TryRead(CommandContext context, int word, bool mayWeigh, bool mayShowScores)
        {
            CommandLine line = context.Line;
            while (word < line.Count)
            {
                int left = line.Count - word - 1;
                if (mayWeigh && left >= Weights.Length && Words.Is(line[word], "WEIGHTS"))
                {
                    for (int i = 0; i < Weights.Length; i++)
                    {
                        if (!context.TryDouble(word + 1 + i, out Weights[i], "ERR weight value is not a float"))
                        {
                            return false;
                        }
                    }

                    word += 1 + Weights.Length;
                }
                else if (mayWeigh && left >= 1 && Words.Is(line[word], "AGGREGATE") && TakeAggregate(line[word + 1]))
                {
                    word += 2;
                }
                else if (mayShowScores && Words.Is(line[word], "WITHSCORES"))
                {
                    WithScores = true;
                    word++;
                }
                else
                {
                    context.Reply.Error(Errors.Syntax);
                    return false;
                }
            }

            return true;
        }

        private bool TakeAggregate(ReadOnlySpan<byte> name)
        {
            bool isMin = Words.Is(name, "MIN");
            bool isMax = Words.Is(name, "MAX");
            Aggregate = isMin ? Aggregate.Min : isMax ? Aggregate.Max : Aggregate.Sum;
            return isMin || isMax || Words.Is(name, "SUM");
        }
    }
}
