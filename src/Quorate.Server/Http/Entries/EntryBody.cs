using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Quorate.Storage.Rows;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// An entry as a client sends it, and the words of ENTRY.PUT that it becomes. docs/http.md says what becomes of which
/// JSON; in short: strings are strings; numbers, true, false and null are remembered as such; a list of these is a
/// list, an object of these a hash; what is deeper, and what is empty, a document.
/// </summary>
internal sealed class EntryBody
{
    private static readonly string[] Members = ["key", "keyBase64", "value", "valueBase64", "type", "metadata"];

    private readonly List<ReadOnlyMemory<byte>> _words = [];

    private EntryBody(byte[] key, JsonElement value, bool isBase64, string? version)
    {
        (Key, Value, IsBase64, Version) = (key, value, isBase64, version);
    }

    public byte[] Key { get; }

    /// <summary>As it was sent.</summary>
    public JsonElement Value { get; }

    /// <summary>Its strings stand for bytes, in base64.</summary>
    public bool IsBase64 { get; }

    /// <summary>The version that must stand; null for any.</summary>
    public string? Version { get; }

    /// <summary>string, scalar, json, list, hash, set or zset.</summary>
    public string Kind { get; private set; } = "";

    /// <summary>Kind and content.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Words => _words;

    /// <exception cref="ProblemException">It is no entry.</exception>
    public static EntryBody Of(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("An entry is an object: {\"key\": ..., \"value\": ...}.");
        }

        foreach (JsonProperty member in body.EnumerateObject())
        {
            if (!Members.Contains(member.Name, StringComparer.Ordinal))
            {
                throw Invalid($"An entry has no member '{Shown(member.Name)}'; it has {string.Join(", ", Members)}.");
            }
        }

        bool isBase64 = body.TryGetProperty("valueBase64", out JsonElement value);
        if (isBase64 == body.TryGetProperty("value", out JsonElement plain))
        {
            throw Invalid("An entry has either a value or a valueBase64.");
        }

        var entry = new EntryBody(KeyOf(body), isBase64 ? value : plain, isBase64, VersionOf(body));
        entry.Translate(TypeOf(body));
        return entry;
    }

    /// <summary>The key of an object that names one.</summary>
    public static byte[] KeyOf(JsonElement body)
    {
        bool isBase64 = body.TryGetProperty("keyBase64", out JsonElement key);
        if (isBase64 == body.TryGetProperty("key", out JsonElement plain))
        {
            throw Invalid("An entry has either a key or a keyBase64.");
        }

        byte[] bytes = isBase64 ? EntryText.BytesOfBase64(key, "keyBase64")
            : plain.ValueKind == JsonValueKind.String ? EntryText.BytesOf(plain, "key")
            : throw Invalid("A key is a string.");
        return CheckedKey(bytes);
    }

    public static byte[] CheckedKey(byte[] key) => key.Length <= RowLimits.KeyBytesMax
        ? key
        : throw new ProblemException(Problem.TooLarge($"A key has {RowLimits.KeyBytesMax} bytes at most."));

    private static string? TypeOf(JsonElement body) =>
        !body.TryGetProperty("type", out JsonElement type) ? null
            : type.ValueKind == JsonValueKind.String
                && type.GetString() is "string" or "scalar" or "json" or "list" or "hash" or "set" or "zset"
                ? type.GetString()
                : throw Invalid("A type is string, scalar, json, list, hash, set or zset.");

    /// <summary>The version that an entry names; null when it names none.</summary>
    public static string? VersionOf(JsonElement body)
    {
        if (!body.TryGetProperty("metadata", out JsonElement metadata))
        {
            return null;
        }

        if (metadata.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("The metadata are an object: {\"valueVersion\": ...}.");
        }

        // What else an answer says there may be sent back; it says nothing.
        return !metadata.TryGetProperty("valueVersion", out JsonElement version)
                || version.ValueKind == JsonValueKind.Null ? null
            : version.ValueKind == JsonValueKind.String ? CheckedVersion(version.GetString()!)
            : throw Invalid("A valueVersion is a string, as it was answered.");
    }

    public static string CheckedVersion(string version) =>
        Node.Evaluation.ValueVersion.TryParse(Encoding.UTF8.GetBytes(version), out _)
            ? version
            : throw Invalid("A valueVersion is what an answer said, or \"0\" for no such key.");

    private void Translate(string? type)
    {
        Kind = type ?? Natural(Value);
        Add(Kind);
        switch (Kind)
        {
            case "string":
                Add(Text(Value));
                break;
            case "scalar" or "json":
                AddDocument();
                break;
            case "list" or "set":
                AddElements();
                break;
            default:
                AddMembers();
                break;
        }
    }

    private static string Natural(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "string",
        JsonValueKind.Array => IsFlat(value.EnumerateArray()) && value.GetArrayLength() > 0 ? "list" : "json",
        JsonValueKind.Object =>
            IsFlat(value.EnumerateObject().Select(each => each.Value)) && value.EnumerateObject().Any()
                ? "hash"
                : "json",
        _ => "scalar",
    };

    private static bool IsFlat(IEnumerable<JsonElement> values) =>
        values.All(each => each.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object));

    private void AddDocument()
    {
        if (IsBase64)
        {
            throw Invalid("A document and a number are text: send them as value.");
        }

        if (Kind == "scalar" && Value.ValueKind is JsonValueKind.String or JsonValueKind.Array or JsonValueKind.Object)
        {
            throw Invalid("A scalar is a number, true, false or null.");
        }

        Add(JsonMarshal.GetRawUtf8Value(Value).ToArray());
    }

    private void AddElements()
    {
        if (Value.ValueKind != JsonValueKind.Array || Value.GetArrayLength() == 0)
        {
            throw Invalid($"A {Kind} is an array that is not empty; an empty one is kept as json.");
        }

        foreach (JsonElement element in Value.EnumerateArray())
        {
            if (Kind == "list")
            {
                AddMarked(element);
            }
            else
            {
                Add(Text(element));
            }
        }
    }

    private void AddMembers()
    {
        if (Value.ValueKind != JsonValueKind.Object || !Value.EnumerateObject().Any())
        {
            throw Invalid($"A {Kind} is an object that is not empty; an empty one is kept as json.");
        }

        foreach (JsonProperty member in Value.EnumerateObject())
        {
            Add(NameOf(member));
            if (Kind == "hash")
            {
                AddMarked(member.Value);
            }
            else
            {
                Add(ScoreOf(member.Value));
            }
        }
    }

    private byte[] NameOf(JsonProperty member)
    {
        string name;
        try
        {
            name = member.Name;
        }
        catch (InvalidOperationException)
        {
            throw Invalid("A name in the value is no text of Unicode; send it in base64, by valueBase64.");
        }

        if (!IsBase64)
        {
            return EntryText.BytesOf(name);
        }

        byte[] bytes = new byte[name.Length];
        return Convert.TryFromBase64String(name, bytes, out int length)
            ? bytes[..length]
            : throw Invalid("A name in valueBase64 is no base64.");
    }

    /// <summary>As text, so that it is the double that was sent; the infinities are strings.</summary>
    private static string ScoreOf(JsonElement score) => score.ValueKind switch
    {
        JsonValueKind.Number => score.GetRawText(),
        JsonValueKind.String when score.GetString() is "inf" or "-inf" => score.GetString()!,
        _ => throw Invalid("A score is a number, \"inf\" or \"-inf\"."),
    };

    private void AddMarked(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                Add("s");
                Add(Text(element));
                break;
            case JsonValueKind.Array or JsonValueKind.Object:
                throw Invalid($"The elements of a {Kind} are strings, numbers, true, false and null.");
            default:
                Add("j");
                Add(JsonMarshal.GetRawUtf8Value(element).ToArray());
                break;
        }
    }

    private byte[] Text(JsonElement element) => element.ValueKind != JsonValueKind.String
        ? throw Invalid($"In a {Kind} there are strings.")
        : IsBase64 ? EntryText.BytesOfBase64(element, "valueBase64") : EntryText.BytesOf(element, "value");

    private void Add(string word) => _words.Add(Encoding.UTF8.GetBytes(word));

    private void Add(byte[] word) => _words.Add(word);

    private static string Shown(string name) => name.Length <= 40
        ? name
        : string.Create(CultureInfo.InvariantCulture, $"{name[..40]}...");

    private static ProblemException Invalid(string detail) => new(Problem.Invalid(detail));
}
