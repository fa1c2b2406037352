using System.Globalization;

namespace Quorate.Simulator.Model;

/// <summary>Hashes.</summary>
internal static class ModelHashes
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words)
    {
        if (name is not ("HSET" or "HSETNX" or "HGET" or "HDEL" or "HGETALL" or "HLEN" or "HEXISTS" or "HMGET"
            or "HINCRBY"))
        {
            return null;
        }

        if (!run.Find(words[1], HashValue.Empty, out HashValue? hash))
        {
            return ModelReply.WrongType;
        }

        var fields = hash!.Fields;
        string? FieldAt(int word) => fields.GetValueOrDefault(words[word]);
        return name switch
        {
            "HGET" => ModelReply.BulkOrNull(FieldAt(2)),
            "HEXISTS" => ModelReply.Flag(fields.ContainsKey(words[2])),
            "HLEN" => ModelReply.Integer(fields.Count),
            "HGETALL" => ModelReply.Map([.. fields.SelectMany(
                field => new[] { ModelReply.Bulk(field.Key), ModelReply.Bulk(field.Value) })]),
            "HMGET" => ModelReply.Array([.. Enumerable.Range(2, words.Count - 2).Select(
                word => ModelReply.BulkOrNull(FieldAt(word)))]),
            "HSET" => Set(run, words, hash),
            "HSETNX" => SetIfAbsent(run, words, hash),
            "HDEL" => Delete(run, words, hash),
            _ => Add(run, words, hash),
        };
    }

    private static string Set(ModelRun run, IReadOnlyList<string> words, HashValue hash)
    {
        var fields = hash.Fields;
        for (int i = 2; i + 1 < words.Count; i += 2)
        {
            fields = fields.SetItem(words[i], words[i + 1]);
        }

        run.Change(words[1], new HashValue(fields));
        return ModelReply.Integer(fields.Count - hash.Fields.Count);
    }

    private static string SetIfAbsent(ModelRun run, IReadOnlyList<string> words, HashValue hash)
    {
        bool writes = !hash.Fields.ContainsKey(words[2]);
        if (writes)
        {
            run.Change(words[1], new HashValue(hash.Fields.Add(words[2], words[3])));
        }

        return ModelReply.Flag(writes);
    }

    private static string Delete(ModelRun run, IReadOnlyList<string> words, HashValue hash)
    {
        var fields = hash.Fields.RemoveRange(words.Skip(2));
        if (fields.Count != hash.Fields.Count)
        {
            run.Change(words[1], new HashValue(fields));
        }

        return ModelReply.Integer(hash.Fields.Count - fields.Count);
    }

    private static string Add(ModelRun run, IReadOnlyList<string> words, HashValue hash)
    {
        if (!ModelRun.TryInteger(hash.Fields.GetValueOrDefault(words[2], "0"), out long value))
        {
            return ModelReply.Error("ERR hash value is not an integer");
        }

        if (!ModelRun.TryAdd(value, ModelRun.Integer(words[3]), out long sum))
        {
            return ModelReply.Error("ERR increment or decrement would overflow");
        }

        string text = sum.ToString(CultureInfo.InvariantCulture);
        run.Change(words[1], new HashValue(hash.Fields.SetItem(words[2], text)));
        return ModelReply.Integer(sum);
    }
}
