using System.Globalization;

namespace Quorate.Simulator.Model;

/// <summary>
/// Whole values with their versions. The model knows neither versions of collections nor hashes, nor what was written
/// as JSON; it judges all else of what was answered.
/// </summary>
internal static class ModelEntries
{
    private const int HashDigits = 16;

    public static string? Do(ModelRun run, string name, IReadOnlyList<string> words) => name switch
    {
        "ENTRY.GET" => Get(run, words[1]),
        "ENTRY.PUT" => Put(run, words),
        "ENTRY.DEL" => Delete(run, words[1]),
        _ => null,
    };

    private static string Get(ModelRun run, string key)
    {
        if (run.Find(key) is not { } found)
        {
            return ModelReply.Null;
        }

        // Kind, content, version, milliseconds that are left, hash.
        List<string>? parts = run.Given is null ? null : ModelReply.Parts(run.Given);
        bool isPossible = parts is { Count: 5 }
            && IsKindOf(found.Value, ModelReply.BulkText(parts[0]))
            && ContentOf(parts[1]).SequenceEqual(ContentOf(found.Value), StringComparer.Ordinal)
            && IsVersion(parts[2])
            && parts[3] == ModelReply.Integer(found.Expiry == 0 ? -1 : found.Expiry - run.Time)
            && IsHash(parts[4]);
        return isPossible ? run.Given! : ModelReply.Error($"IMPOSSIBLE entry of {key}");
    }

    private static string Delete(ModelRun run, string key)
    {
        string reply = Get(run, key);
        run.Delete(key);
        return reply;
    }

    /// <summary>The workload names no version, or that of no such key.</summary>
    private static string Put(ModelRun run, IReadOnlyList<string> words)
    {
        string key = words[1];
        if (words[2] == ModelRun.NoVersion && run.Find(key) is not null)
        {
            // What stands was written by another request, with a stamp of its own: it is never the same.
            return run.Given?.StartsWith("-VERSION ", StringComparison.Ordinal) == true
                ? run.Given
                : ModelReply.Error($"VERSION of {key}");
        }

        ModelValue value = ValueOf(words[4], [.. words.Skip(5)]);
        if (words[3] == "=")
        {
            run.Change(key, value);
        }
        else
        {
            run.Set(key, value, 0);
        }

        List<string>? parts = run.Given is null ? null : ModelReply.Parts(run.Given);
        long expiry = run.Find(key)!.Expiry;
        bool isPossible = parts is { Count: 4 }
            && IsVersion(parts[0]) && parts[1] == ModelReply.Integer(1) && IsHash(parts[2])
            && parts[3] == ModelReply.Integer(expiry == 0 ? -1 : expiry - run.Time);
        return isPossible ? run.Given! : ModelReply.Error($"IMPOSSIBLE put of {key}");
    }

    private static ModelValue ValueOf(string kind, string[] content) => kind switch
    {
        "string" or "scalar" => new TextValue(content[0]),
        "json" => new JsonValue(content[0]),
        "list" => new ListValue([.. content.Where((_, i) => i % 2 == 1)]),
        "hash" => new HashValue(HashValue.Empty.Fields.SetItems(
            content.Chunk(3).Select(field => KeyValuePair.Create(field[0], field[2])))),
        "set" => new SetValue(SetValue.Empty.Members.Union(content)),
        _ => new SortedSetValue(SortedSetValue.Empty.Scores.SetItems(content.Chunk(2).Select(
            member => KeyValuePair.Create(member[0], double.Parse(member[1], CultureInfo.InvariantCulture))))),
    };

    private static bool IsKindOf(ModelValue value, string? kind) => value switch
    {
        TextValue => kind is "string" or "scalar",
        _ => kind == value.TypeName,
    };

    /// <summary>Elements, fields with their values, members with their scores: in the order of their names.</summary>
    private static IEnumerable<string> ContentOf(ModelValue value) => value switch
    {
        TextValue text => [text.Text],
        JsonValue json => [json.Text],
        ListValue list => list.Elements,
        HashValue hash => hash.Fields.SelectMany(field => (string[])[field.Key, field.Value]),
        SetValue set => set.Members,
        SortedSetValue sorted => sorted.Scores.SelectMany(
            pair => (string[])[pair.Key, pair.Value.ToString(CultureInfo.InvariantCulture)]),
        _ => throw new ArgumentException($"the model knows no {value.TypeName}", nameof(value)),
    };

    /// <summary>The strings of a content, without the marks, which stand where an element would be a letter.</summary>
    private static IEnumerable<string> ContentOf(string reply) =>
        ModelReply.BulkText(reply) is { } text
            ? [text]
            : (ModelReply.Parts(reply) ?? []).Select(part => ModelReply.BulkText(part) ?? "")
                .Where(part => part is not ("s" or "j"));

    private static bool IsVersion(string reply) =>
        ModelReply.BulkText(reply) is { } text && ModelReply.WithoutTerm(text) != text;

    private static bool IsHash(string reply) =>
        ModelReply.BulkText(reply) is { Length: HashDigits } text && text.All(char.IsAsciiHexDigitLower);
}
