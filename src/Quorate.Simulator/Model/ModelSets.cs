namespace Quorate.Simulator.Model;

/// <summary>Sets.</summary>
internal static class ModelSets
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words)
    {
        if (name is not ("SADD" or "SREM" or "SISMEMBER" or "SMEMBERS" or "SCARD"))
        {
            return null;
        }

        if (!run.Find(words[1], SetValue.Empty, out SetValue? set))
        {
            return ModelReply.WrongType;
        }

        var members = set!.Members;
        return name switch
        {
            "SISMEMBER" => ModelReply.Flag(members.Contains(words[2])),
            "SCARD" => ModelReply.Integer(members.Count),
            "SMEMBERS" => ModelReply.Set([.. members.Select(ModelReply.Bulk)]),
            "SADD" => Change(run, words[1], set, members.Union(words.Skip(2))),
            _ => Change(run, words[1], set, members.Except(words.Skip(2))),
        };
    }

    private static string Change(
        ModelRun run, string key, SetValue before, System.Collections.Immutable.ImmutableSortedSet<string> after)
    {
        if (after.Count != before.Members.Count)
        {
            run.Change(key, new SetValue(after));
        }

        return ModelReply.Integer(Math.Abs(after.Count - before.Members.Count));
    }
}
