using System.Globalization;

namespace Quorate.Simulator.Model;

/// <summary>Sets and sorted sets combined: unions, intersections and differences, shown or stored.</summary>
internal static class ModelAlgebra
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words) => name switch
    {
        "SUNION" or "SINTER" or "SDIFF" => ShowSets(run, name, words),
        "SUNIONSTORE" or "SINTERSTORE" or "SDIFFSTORE" => StoreSets(run, name, words),
        "ZUNIONSTORE" or "ZINTERSTORE" or "ZDIFFSTORE" => StoreSorted(run, name, words),
        _ => null,
    };

    private static string ShowSets(ModelRun run, string name, IReadOnlyList<string> words) =>
        Combine(run, name, words.Skip(1)) is { } members
            ? ModelReply.Set([.. members.Select(ModelReply.Bulk)])
            : ModelReply.WrongType;

    /// <summary>What is stored takes the place of whatever the key held, its expiry too.</summary>
    private static string StoreSets(ModelRun run, string name, IReadOnlyList<string> words)
    {
        if (Combine(run, name[..^"STORE".Length], words.Skip(2)) is not { } members)
        {
            return ModelReply.WrongType;
        }

        run.Set(words[1], new SetValue(SetValue.Empty.Members.Union(members)), 0);
        return ModelReply.Integer(members.Count);
    }

    /// <summary>Null when a key is no set.</summary>
    private static SortedSet<string>? Combine(ModelRun run, string name, IEnumerable<string> keys)
    {
        SortedSet<string>? result = null;
        foreach (string key in keys)
        {
            if (!run.Find(key, SetValue.Empty, out SetValue? set))
            {
                return null;
            }

            if (result is null)
            {
                result = new(set!.Members, StringComparer.Ordinal);
            }
            else if (name == "SUNION")
            {
                result.UnionWith(set!.Members);
            }
            else if (name == "SINTER")
            {
                result.IntersectWith(set!.Members);
            }
            else
            {
                result.ExceptWith(set!.Members);
            }
        }

        return result;
    }

    /// <summary>Result, number of keys, keys, and perhaps WEIGHTS with one for each and AGGREGATE.</summary>
    private static string StoreSorted(ModelRun run, string name, IReadOnlyList<string> words)
    {
        int count = int.Parse(words[2], CultureInfo.InvariantCulture);
        int weights = words[^1] is "SUM" or "MIN" or "MAX" ? words.Count - 2 - count : words.Count - count;
        bool isWeighed = weights > 3 + count && words[weights - 1] == "WEIGHTS";
        SortedDictionary<string, double>? result = null;
        for (int i = 0; i < count; i++)
        {
            if (Scores(run, words[3 + i]) is not { } scores)
            {
                return ModelReply.WrongType;
            }

            double weight = isWeighed ? double.Parse(words[weights + i], CultureInfo.InvariantCulture) : 1;
            var weighed = new SortedDictionary<string, double>(StringComparer.Ordinal);
            foreach ((string member, double score) in scores)
            {
                weighed.Add(member, score * weight);
            }

            result = result is null ? weighed : Join(result, weighed, name, words[^1]);
        }

        run.Set(words[1], new SortedSetValue(SortedSetValue.Empty.Scores.AddRange(result!)), 0);
        return ModelReply.Integer(result!.Count);
    }

    /// <summary>A plain set's members have the score 1. Null when a key holds neither.</summary>
    private static IReadOnlyDictionary<string, double>? Scores(ModelRun run, string key) => run.Find(key)?.Value switch
    {
        null => SortedSetValue.Empty.Scores,
        SortedSetValue sorted => sorted.Scores,
        SetValue set => set.Members.ToDictionary(member => member, _ => 1.0, StringComparer.Ordinal),
        _ => null,
    };

    private static SortedDictionary<string, double> Join(
        SortedDictionary<string, double> first, SortedDictionary<string, double> second, string name, string aggregate)
    {
        var result = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (string member in first.Keys.Union(second.Keys, StringComparer.Ordinal))
        {
            bool isFirst = first.TryGetValue(member, out double a);
            bool isSecond = second.TryGetValue(member, out double b);
            bool isIn = name switch
            {
                "ZUNIONSTORE" => true,
                "ZINTERSTORE" => isFirst && isSecond,
                _ => isFirst && !isSecond,
            };
            if (isIn)
            {
                result.Add(member, !isSecond ? a : !isFirst ? b : aggregate switch
                {
                    "MIN" => Math.Min(a, b),
                    "MAX" => Math.Max(a, b),
                    _ => a + b,
                });
            }
        }

        return result;
    }
}
