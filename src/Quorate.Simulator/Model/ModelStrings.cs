using System.Globalization;

namespace Quorate.Simulator.Model;

/// <summary>Strings: GET, SET and their kin, APPEND, counters.</summary>
internal static class ModelStrings
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words) => name switch
    {
        "GET" => Get(run, words[1]),
        "GETV" => GetWithVersion(run, words[1]),
        "CAS" => CompareAndSet(run, words),
        "SET" => Set(run, words),
        "SETNX" => SetIfAbsent(run, words),
        "GETDEL" => GetAndDelete(run, words[1]),
        "APPEND" => Append(run, words),
        "STRLEN" => Length(run, words[1]),
        "INCR" => Add(run, words[1], 1),
        "DECR" => Add(run, words[1], -1),
        "INCRBY" => Add(run, words[1], ModelRun.Integer(words[2])),
        "DECRBY" => Add(run, words[1], -ModelRun.Integer(words[2])),
        "MGET" => ModelReply.Array([.. words.Skip(1).Select(
            key => ModelReply.BulkOrNull((run.Find(key)?.Value as TextValue)?.Text))]),
        "MSET" => SetMany(run, words),
        _ => null,
    };

    private static string Get(ModelRun run, string key) => run.Find(key, null, out TextValue? text)
        ? ModelReply.BulkOrNull(text?.Text)
        : ModelReply.WrongType;

    /// <summary>Quorate's own: a string and the version of its last write.</summary>
    private static string GetWithVersion(ModelRun run, string key)
    {
        if (!run.Find(key, null, out TextValue? text))
        {
            return ModelReply.WrongType;
        }

        return text is null
            ? ModelReply.Null
            : ModelReply.Array([ModelReply.Bulk(text.Text), ModelReply.Bulk(run.Find(key)!.Version)]);
    }

    /// <summary>Quorate's own: a write if the key's version is this one; `0` for an absent key.</summary>
    private static string CompareAndSet(ModelRun run, IReadOnlyList<string> words)
    {
        if (!run.Find(words[1], null, out TextValue? _))
        {
            return ModelReply.WrongType;
        }

        string version = run.Find(words[1])?.Version ?? ModelRun.NoVersion;
        if (!IsSameVersion(version, words[2]) || IsForgotten(run, version, words[2]))
        {
            return ModelReply.Error($"VERSION {version}");
        }

        run.Set(words[1], new TextValue(words[3]), 0);
        return ModelReply.Bulk(run.Find(words[1])!.Version);
    }

    /// <summary>A term of zero is one that a replica had forgotten when it answered.</summary>
    private static bool IsSameVersion(string stands, string given) =>
        stands == given
        || (given.StartsWith("0-", StringComparison.Ordinal)
            && ModelReply.WithoutTerm(given) == ModelReply.WithoutTerm(stands));

    /// <summary>
    /// A leader that has forgotten the term of what stands can not tell whether a version with a term names it, or a
    /// lost write in its place, and refuses. It says so itself, and only where it may have forgotten.
    /// </summary>
    private static bool IsForgotten(ModelRun run, string stands, string given) =>
        stands == given
        && stands != ModelRun.NoVersion
        && run.Given == ModelReply.Error($"VERSION 0-{ModelReply.WithoutTerm(stands)}")
        && run.NoteForgotten(stands);

    private static string Set(ModelRun run, IReadOnlyList<string> words)
    {
        string key = words[1];
        ModelKey? before = run.Find(key);
        long expiry = 0;
        bool wantsOld = false;
        bool writes = true;
        for (int i = 3; i < words.Count; i++)
        {
            switch (words[i].ToUpperInvariant())
            {
                case "NX":
                    writes = before is null;
                    break;
                case "XX":
                    writes = before is not null;
                    break;
                case "GET":
                    wantsOld = true;
                    break;
                case "KEEPTTL":
                    expiry = before?.Expiry ?? 0;
                    break;
                case "EX":
                    expiry = run.Time + (1000 * ModelRun.Integer(words[++i]));
                    break;
                case "PX":
                    expiry = run.Time + ModelRun.Integer(words[++i]);
                    break;
                case "PXAT":
                    expiry = ModelRun.Integer(words[++i]);
                    break;
                default:
                    throw new ArgumentException($"the model knows no option {words[i]} of SET", nameof(words));
            }
        }

        if (wantsOld && before is not null and not { Value: TextValue })
        {
            return ModelReply.WrongType;
        }

        if (writes)
        {
            run.Set(key, new TextValue(words[2]), expiry);
        }

        return wantsOld ? ModelReply.BulkOrNull((before?.Value as TextValue)?.Text)
            : writes ? ModelReply.Ok
            : ModelReply.Null;
    }

    private static string SetIfAbsent(ModelRun run, IReadOnlyList<string> words)
    {
        bool writes = run.Find(words[1]) is null;
        if (writes)
        {
            run.Set(words[1], new TextValue(words[2]), 0);
        }

        return ModelReply.Flag(writes);
    }

    private static string GetAndDelete(ModelRun run, string key)
    {
        string reply = Get(run, key);
        if (reply != ModelReply.WrongType)
        {
            run.Delete(key);
        }

        return reply;
    }

    private static string Append(ModelRun run, IReadOnlyList<string> words)
    {
        if (!run.Find(words[1], new TextValue(""), out TextValue? text))
        {
            return ModelReply.WrongType;
        }

        string whole = text!.Text + words[2];
        run.Change(words[1], new TextValue(whole));
        return ModelReply.Integer(whole.Length);
    }

    private static string Length(ModelRun run, string key) => run.Find(key, null, out TextValue? text)
        ? ModelReply.Integer(text?.Text.Length ?? 0)
        : ModelReply.WrongType;

    private static string Add(ModelRun run, string key, long delta)
    {
        if (!run.Find(key, new TextValue("0"), out TextValue? text))
        {
            return ModelReply.WrongType;
        }

        if (!ModelRun.TryInteger(text!.Text, out long value))
        {
            return ModelReply.NotAnInteger;
        }

        if (!ModelRun.TryAdd(value, delta, out long sum))
        {
            return ModelReply.Error("ERR increment or decrement would overflow");
        }

        run.Change(key, new TextValue(sum.ToString(CultureInfo.InvariantCulture)));
        return ModelReply.Integer(sum);
    }

    private static string SetMany(ModelRun run, IReadOnlyList<string> words)
    {
        for (int i = 1; i + 1 < words.Count; i += 2)
        {
            run.Set(words[i], new TextValue(words[i + 1]), 0);
        }

        return ModelReply.Ok;
    }
}
