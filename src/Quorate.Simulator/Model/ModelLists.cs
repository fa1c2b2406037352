using System.Collections.Immutable;

namespace Quorate.Simulator.Model;

/// <summary>Lists.</summary>
internal static class ModelLists
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words)
    {
        if (name is not ("LPUSH" or "RPUSH" or "LPUSHX" or "RPUSHX" or "LPOP" or "RPOP" or "LLEN" or "LRANGE"
            or "LINDEX" or "LSET" or "LTRIM"))
        {
            return null;
        }

        if (!run.Find(words[1], ListValue.Empty, out ListValue? list))
        {
            return ModelReply.WrongType;
        }

        ImmutableList<string> elements = list!.Elements;
        return name switch
        {
            "LLEN" => ModelReply.Integer(elements.Count),
            "LPUSH" or "RPUSH" => Push(run, name, words, elements),
            "LPUSHX" or "RPUSHX" => elements.IsEmpty ? ModelReply.Integer(0) : Push(run, name, words, elements),
            "LPOP" or "RPOP" => Pop(run, name, words, elements),
            "LRANGE" => ModelReply.Array([.. Slice(elements, words[2], words[3]).Select(ModelReply.Bulk)]),
            "LINDEX" => At(elements, words[2]) is var at && at < 0 ? ModelReply.Null : ModelReply.Bulk(elements[at]),
            "LSET" => Set(run, words, elements),
            _ => Trim(run, words, elements),
        };
    }

    /// <summary>An index from the head, or from the tail when negative; -1 when there is no such element.</summary>
    private static int At(ImmutableList<string> elements, string word)
    {
        long index = ModelRun.Integer(word);
        index += index < 0 ? elements.Count : 0;
        return index >= 0 && index < elements.Count ? (int)index : -1;
    }

    /// <summary>Both ends included; out of range ends are the list's own.</summary>
    internal static IEnumerable<T> Slice<T>(IReadOnlyCollection<T> elements, string first, string last)
    {
        long from = ModelRun.Integer(first);
        long to = ModelRun.Integer(last);
        from = Math.Max(0, from < 0 ? from + elements.Count : from);
        to = Math.Min(elements.Count - 1, to < 0 ? to + elements.Count : to);
        return elements.Skip((int)from).Take((int)Math.Max(0, to - from + 1));
    }

    private static string Push(ModelRun run, string name, IReadOnlyList<string> words, ImmutableList<string> elements)
    {
        foreach (string element in words.Skip(2))
        {
            elements = name[0] == 'L' ? elements.Insert(0, element) : elements.Add(element);
        }

        run.Change(words[1], new ListValue(elements));
        return ModelReply.Integer(elements.Count);
    }

    private static string Pop(ModelRun run, string name, IReadOnlyList<string> words, ImmutableList<string> elements)
    {
        int wanted = words.Count > 2 ? (int)ModelRun.Integer(words[2]) : 1;
        int count = Math.Min(wanted, elements.Count);
        bool left = name[0] == 'L';
        string[] popped = left
            ? [.. elements.Take(count)]
            : [.. elements.Reverse().Take(count)];
        if (count > 0)
        {
            run.Change(words[1], new ListValue(
                left ? elements.RemoveRange(0, count) : elements.RemoveRange(elements.Count - count, count)));
        }

        if (elements.IsEmpty)
        {
            return ModelReply.Null;
        }

        return words.Count > 2
            ? ModelReply.Array([.. popped.Select(ModelReply.Bulk)])
            : ModelReply.Bulk(popped[0]);
    }

    private static string Set(ModelRun run, IReadOnlyList<string> words, ImmutableList<string> elements)
    {
        if (elements.IsEmpty)
        {
            return ModelReply.Error("ERR no such key");
        }

        int at = At(elements, words[2]);
        if (at < 0)
        {
            return ModelReply.Error("ERR index out of range");
        }

        run.Change(words[1], new ListValue(elements.SetItem(at, words[3])));
        return ModelReply.Ok;
    }

    private static string Trim(ModelRun run, IReadOnlyList<string> words, ImmutableList<string> elements)
    {
        ImmutableList<string> kept = [.. Slice(elements, words[2], words[3])];
        if (kept.Count != elements.Count)
        {
            run.Change(words[1], new ListValue(kept));
        }

        return ModelReply.Ok;
    }
}
