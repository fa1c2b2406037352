using System.Globalization;

namespace Quorate.Simulator.Model;

/// <summary>Sorted sets.</summary>
internal static class ModelSortedSets
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words)
    {
        if (name is not ("ZADD" or "ZREM" or "ZSCORE" or "ZCARD" or "ZINCRBY" or "ZRANGE" or "ZRANK" or "ZCOUNT"
            or "ZPOPMIN"))
        {
            return null;
        }

        if (!run.Find(words[1], SortedSetValue.Empty, out SortedSetValue? set))
        {
            return ModelReply.WrongType;
        }

        return name switch
        {
            "ZCARD" => ModelReply.Integer(set!.Scores.Count),
            "ZSCORE" => set!.Scores.TryGetValue(words[2], out double score)
                ? ModelReply.Double(score)
                : ModelReply.Null,
            "ZRANK" => Rank(set!, words[2]),
            "ZCOUNT" => ModelReply.Integer(set!.Scores.Values.Count(
                value => value >= Number(words[2]) && value <= Number(words[3]))),
            "ZRANGE" => Range(set!, words),
            "ZADD" => Add(run, words, set!),
            "ZREM" => Remove(run, words, set!),
            "ZPOPMIN" => PopLeast(run, words[1], set!),
            _ => Increase(run, words, set!),
        };
    }

    private static double Number(string text) => text switch
    {
        "-inf" => double.NegativeInfinity,
        "+inf" or "inf" => double.PositiveInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static string Rank(SortedSetValue set, string member)
    {
        int rank = set.InOrder().Select(pair => pair.Key).ToList().IndexOf(member);
        return rank < 0 ? ModelReply.Null : ModelReply.Integer(rank);
    }

    private static string Range(SortedSetValue set, IReadOnlyList<string> words)
    {
        bool scores = words.Count > 4 && words[4].Equals("WITHSCORES", StringComparison.OrdinalIgnoreCase);
        return ModelReply.Array([.. ModelLists.Slice(set.InOrder(), words[2], words[3]).Select(pair => scores
            ? ModelReply.Array([ModelReply.Bulk(pair.Key), ModelReply.Double(pair.Value)])
            : ModelReply.Bulk(pair.Key))]);
    }

    private static string Add(ModelRun run, IReadOnlyList<string> words, SortedSetValue set)
    {
        int first = 2;
        bool onlyNew = false;
        bool onlyOld = false;
        bool countsChanges = false;
        for (; words[first] is "NX" or "XX" or "CH"; first++)
        {
            onlyNew |= words[first] == "NX";
            onlyOld |= words[first] == "XX";
            countsChanges |= words[first] == "CH";
        }

        var scores = set.Scores;
        int changed = 0;
        for (int i = first; i + 1 < words.Count; i += 2)
        {
            double score = Number(words[i]);
            bool has = scores.TryGetValue(words[i + 1], out double before);
            if ((has && onlyNew) || (!has && onlyOld))
            {
                continue;
            }

            changed += has && before.Equals(score) ? 0 : 1;
            scores = scores.SetItem(words[i + 1], score);
        }

        if (changed > 0)
        {
            run.Change(words[1], new SortedSetValue(scores));
        }

        return ModelReply.Integer(countsChanges ? changed : scores.Count - set.Scores.Count);
    }

    private static string Remove(ModelRun run, IReadOnlyList<string> words, SortedSetValue set)
    {
        var scores = set.Scores.RemoveRange(words.Skip(2));
        if (scores.Count != set.Scores.Count)
        {
            run.Change(words[1], new SortedSetValue(scores));
        }

        return ModelReply.Integer(set.Scores.Count - scores.Count);
    }

    private static string PopLeast(ModelRun run, string key, SortedSetValue set)
    {
        if (set.IsEmpty)
        {
            return ModelReply.Array([]);
        }

        KeyValuePair<string, double> least = set.InOrder()[0];
        run.Change(key, new SortedSetValue(set.Scores.Remove(least.Key)));
        return ModelReply.Array([ModelReply.Bulk(least.Key), ModelReply.Double(least.Value)]);
    }

    private static string Increase(ModelRun run, IReadOnlyList<string> words, SortedSetValue set)
    {
        double sum = set.Scores.GetValueOrDefault(words[3]) + Number(words[2]);
        run.Change(words[1], new SortedSetValue(set.Scores.SetItem(words[3], sum)));
        return ModelReply.Double(sum);
    }
}
