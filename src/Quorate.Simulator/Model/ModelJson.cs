namespace Quorate.Simulator.Model;

/// <summary>
/// JSON documents as wholes: the workload writes them compact, so that reading one back gives the same text. Like SET,
/// a write forgets the expiry.
/// </summary>
internal static class ModelJson
{
    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words)
    {
        switch (name)
        {
            case "JSON.SET":
                if (run.Find(words[1]) is not null and not { Value: JsonValue })
                {
                    return ModelReply.Error("Existing key has wrong Redis type");
                }

                run.Set(words[1], new JsonValue(words[3]), 0);
                return ModelReply.Ok;
            case "JSON.GET":
                return run.Find(words[1], null, out JsonValue? json)
                    ? ModelReply.BulkOrNull(json?.Text)
                    : ModelReply.WrongType;
            default:
                return null;
        }
    }
}
