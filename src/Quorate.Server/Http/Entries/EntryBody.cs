using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Quorate.Node.Evaluation;
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

    private EntryBody(byte[] key, JsonElement value, bool isBase64, (string? Version, string? Ttl) asked)
    {
        (Key, Value, IsBase64, Version, Ttl) = (key, value, isBase64, asked.Version, asked.Ttl);
    }

    public byte[] Key { get; }

    /// <summary>As it was sent.</summary>
    public JsonElement Value { get; }

    /// <summary>Its strings stand for bytes, in base64.</summary>
    public bool IsBase64 { get; }

    /// <summary>The version that must stand; null for any.</summary>
    public string? Version { get; }

    /// <summary>Milliseconds that it is to live; null when the entry does not say.</summary>
    public string? Ttl { get; }

    /// <summary>string, scalar, json, list, hash, set or zset.</summary>
    public string Kind { get; private set; } = "";

    /// <summary>Kind and content.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Words => _words;

    /// <param name="isOfBatch">It may say that it is not to be deleted.</param>
    /// <exception cref="ProblemException">It is no entry.</exception>
    public static EntryBody Of(JsonElement body, bool isOfBatch = false)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("An entry is an object: {\"key\": ..., \"value\": ...}.");
        }

        RefuseOthers(body, "An entry", isOfBatch ? [.. Members, "delete"] : Members);
        bool isBase64 = body.TryGetProperty("valueBase64", out JsonElement value);
        if (isBase64 == body.TryGetProperty("value", out JsonElement plain))
        {
            throw Invalid("An entry has either a value or a valueBase64.");
        }

        var entry = new EntryBody(KeyOf(body), isBase64 ? value : plain, isBase64, AskedOf(body));
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

    /// <summary>Writes the value as it is kept: scores are doubles, all else is as it was sent.</summary>
    public void WriteValue(Utf8JsonWriter writer)
    {
        writer.WritePropertyName(IsBase64 ? "valueBase64" : "value");
        if (Kind != "zset")
        {
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(Value), skipInputValidation: true);
            return;
        }

        writer.WriteStartObject();
        for (int i = 1; i < _words.Count; i += 2)
        {
            EntryAnswer.WriteName(writer, _words[i].Span, isText: !IsBase64);
            EntryAnswer.WriteScore(writer, _words[i + 1].Span);
        }

        writer.WriteEndObject();
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

    /// <summary>What an entry's metadata ask for: the version that must stand, and the milliseconds that it is to
    /// live.</summary>
    /// <returns>Null for what they do not name.</returns>
    public static (string? Version, string? Ttl) AskedOf(JsonElement body)
    {
        if (!body.TryGetProperty("metadata", out JsonElement metadata))
        {
            return default;
        }

        if (metadata.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("The metadata are an object: {\"valueVersion\": ...}.");
        }

        (string? Version, string? Ttl) asked = default;
        foreach (JsonProperty member in metadata.EnumerateObject())
        {
            switch (member.Name)
            {
                case "valueVersion":
                    asked.Version = member.Value.ValueKind switch
                    {
                        JsonValueKind.Null => null,
                        JsonValueKind.String => CheckedVersion(member.Value.GetString()!),
                        _ => throw Invalid("A valueVersion is a string, as it was answered."),
                    };
                    break;
                case "ttl":
                    asked.Ttl = TtlOf(member.Value);
                    break;

                // It follows from key and value, and may be sent back as it was answered.
                case "hash" when member.Value.ValueKind == JsonValueKind.String:
                    break;
                default:
                    throw Invalid($"The metadata have no such '{Shown(member.Name)}'; they have valueVersion (a "
                        + "string), ttl (milliseconds) and hash (a string).");
            }
        }

        return asked;
    }

    private static string TtlOf(JsonElement ttl) =>
        ttl.ValueKind == JsonValueKind.Number && ttl.TryGetInt64(out long milliseconds) && milliseconds > 0
            ? milliseconds.ToString(CultureInfo.InvariantCulture)
            : throw Invalid(
                "A ttl in the metadata is a number of milliseconds above zero; ?ttl= takes units, and keep.");

    /// <summary>Refuses what an object may not have: to pass over it could do what nobody asked for.</summary>
    public static void RefuseOthers(JsonElement body, string what, params ReadOnlySpan<string> members)
    {
        foreach (JsonProperty member in body.EnumerateObject())
        {
            if (!members.Contains(member.Name))
            {
                throw Invalid($"{what} has no member '{Shown(member.Name)}'; it has {string.Join(", ", members!)}.");
            }
        }
    }

    public static string CheckedVersion(string version) =>
        ValueVersion.TryParse(Encoding.UTF8.GetBytes(version), out _)
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

    /// <summary>As the text of the double that is kept; the infinities are strings.</summary>
    private static string ScoreOf(JsonElement score) => score.ValueKind switch
    {
        JsonValueKind.Number when score.TryGetDouble(out double value) && double.IsFinite(value) =>
            Reply.DoubleText(value + 0.0),
        JsonValueKind.String when score.GetString() is "inf" or "-inf" => score.GetString()!,
        _ => throw Invalid("A score is a number that a double holds, \"inf\" or \"-inf\"."),
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

    private static string Shown(string name) => name.Length <= EntryLimits.ShownMax
        ? name
        : string.Create(CultureInfo.InvariantCulture, $"{name[..EntryLimits.ShownMax]}...");

    private static ProblemException Invalid(string detail) => new(Problem.Invalid(detail));
}
