namespace Quorate.Simulator.Model;

/// <summary>What holds for keys of every type: deletion, expiry, existence.</summary>
internal static class ModelGeneric
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words) => name switch
    {
        "DEL" or "UNLINK" => ModelReply.Integer(words.Skip(1).Count(run.Delete)),
        "EXISTS" => ModelReply.Integer(words.Skip(1).Count(key => run.Find(key) is not null)),
        "TYPE" => ModelReply.Simple(run.Find(words[1])?.Value.TypeName ?? "none"),
        "EXPIRE" => Expire(run, words[1], run.Time + (1000 * ModelRun.Integer(words[2]))),
        "PEXPIRE" => Expire(run, words[1], run.Time + ModelRun.Integer(words[2])),
        "PEXPIREAT" => Expire(run, words[1], ModelRun.Integer(words[2])),
        "PERSIST" => Persist(run, words[1]),
        "TTL" => ModelReply.Integer(
            LeftMilliseconds(run, words[1]) is var left && left < 0 ? left : (left + 500) / 1000),
        "PTTL" => ModelReply.Integer(LeftMilliseconds(run, words[1])),
        "DBSIZE" => ModelReply.Integer(run.CountAlive()),
        "FLUSHDB" => Clear(run),
        _ => null,
    };

    /// <summary>-2 for an absent key, -1 for one that does not expire.</summary>
    private static long LeftMilliseconds(ModelRun run, string key) => run.Find(key) switch
    {
        null => -2,
        { Expiry: 0 } => -1,
        { } found => found.Expiry - run.Time,
    };

    private static string Expire(ModelRun run, string key, long expiry)
    {
        if (run.Find(key) is not { } found)
        {
            return ModelReply.Flag(false);
        }

        // A time that is not in the future deletes the key.
        run.Set(key, found.Value, Math.Max(1, expiry));
        return ModelReply.Flag(true);
    }

    private static string Persist(ModelRun run, string key)
    {
        if (run.Find(key) is not { Expiry: not 0 } found)
        {
            return ModelReply.Flag(false);
        }

        run.Set(key, found.Value, 0);
        return ModelReply.Flag(true);
    }

    private static string Clear(ModelRun run)
    {
        run.DeleteAll();
        return ModelReply.Ok;
    }
}
