namespace Quorate.Simulator.Model;

/// <summary>
/// Commands that choose by chance. The model can not know the choice; it is told what was answered, judges whether that
/// may be, and does it: what SPOP has answered is what has left.
/// </summary>
internal static class ModelChoices
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words)
    {
        if (name is not ("SPOP" or "SRANDMEMBER"))
        {
            return null;
        }

        if (!run.Find(words[1], SetValue.Empty, out SetValue? set))
        {
            return ModelReply.WrongType;
        }

        string given = run.Given ?? "";
        List<string>? chosen = words.Count > 2 ? Several(given) : One(given);
        long count = words.Count > 2 ? ModelRun.Integer(words[2]) : Math.Min(1, set!.Members.Count);
        long expected = count < 0 ? (set!.IsEmpty ? 0 : -count) : Math.Min(count, set!.Members.Count);
        bool isPossible = chosen is not null
            && chosen.Count == expected
            && chosen.TrueForAll(set.Members.Contains)
            && (count < 0 || chosen.Distinct(StringComparer.Ordinal).Count() == chosen.Count);
        if (!isPossible)
        {
            return ModelReply.Error($"IMPOSSIBLE choice from {set.Members.Count} members");
        }

        if (name == "SPOP" && chosen!.Count > 0)
        {
            run.Change(words[1], new SetValue(set.Members.Except(chosen)));
        }

        return given;
    }

    /// <summary>None for a null; null when the answer is something else.</summary>
    private static List<string>? One(string given) => given == ModelReply.Null
        ? []
        : ModelReply.BulkText(given) is { } member ? [member] : null;

    private static List<string>? Several(string given)
    {
        if (!given.StartsWith('*') && !given.StartsWith('~'))
        {
            return null;
        }

        List<string> chosen = [];
        foreach (string part in ModelReply.Parts(given) ?? [])
        {
            if (ModelReply.BulkText(part) is not { } member)
            {
                return null;
            }

            chosen.Add(member);
        }

        return chosen;
    }
}
