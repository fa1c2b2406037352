using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// The address of a request, read from what was sent: a key in it may be of any bytes, and what a server makes of it to
/// find its handler has lost them.
/// </summary>
internal sealed class EntryTarget
{
    private readonly string _path;
    private readonly Dictionary<string, byte[]> _query = new(StringComparer.Ordinal);

    /// <param name="known">The names that may stand in the query.</param>
    /// <exception cref="ProblemException">It cannot be read, or names what nobody knows.</exception>
    public EntryTarget(HttpContext context, params ReadOnlySpan<string> known)
    {
        string raw = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!raw.StartsWith('/'))
        {
            // The form that proxies are sent: with scheme and host before the path.
            int host = raw.IndexOf("://", StringComparison.Ordinal);
            int path = host < 0 ? -1 : raw.IndexOf('/', host + 3);
            raw = path < 0 ? "/" : raw[path..];
        }

        int mark = raw.IndexOf('?', StringComparison.Ordinal);
        _path = mark < 0 ? raw : raw[..mark];
        foreach (string part in mark < 0 ? [] : raw[(mark + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = Encoding.UTF8.GetString(
                EntryText.Unescape(equals < 0 ? part : part.AsSpan(0, equals), plusIsBlank: true));
            byte[] value = equals < 0 ? [] : EntryText.Unescape(part.AsSpan(equals + 1), plusIsBlank: true);
            if (!known.Contains(name))
            {
                throw Invalid($"The address names '{name}', which nobody knows here; known are "
                    + $"{string.Join(", ", known!)}.");
            }

            if (!_query.TryAdd(name, value))
            {
                throw Invalid($"The address names '{name}' twice.");
            }
        }
    }

    public bool Has(string name) => _query.ContainsKey(name);

    public byte[]? BytesOf(string name) => _query.GetValueOrDefault(name);

    public string? TextOf(string name) =>
        _query.TryGetValue(name, out byte[]? value) ? Encoding.UTF8.GetString(value) : null;

    public int NumberOf(string name, int otherwise, int max)
    {
        if (TextOf(name) is not { } text)
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= 1 && number <= max
            ? number
            : throw Invalid($"'{name}' is a number from 1 to {max}.");
    }

    /// <summary>The key: behind the path, or in the query as key or, of any bytes, as keyBase64.</summary>
    public byte[] Key(string before)
    {
        byte[]? inPath = KeyBehind(before);
        byte[]? inQuery = BytesOf("key");
        byte[]? inBase64 = TextOf("keyBase64") is { } text ? OfBase64(text) : null;
        int count = (inPath is null ? 0 : 1) + (inQuery is null ? 0 : 1) + (inBase64 is null ? 0 : 1);
        return count == 1
            ? EntryBody.CheckedKey(inPath ?? inQuery ?? inBase64!)
            : throw Invalid("The address names one key: /entry/KEY, /entry?key=KEY, or /entry?keyBase64=BYTES.");
    }

    /// <summary>The key behind the path; null when there is none.</summary>
    public byte[]? KeyBehind(string before) =>
        _path.Length > before.Length ? KeyInPath(_path.AsSpan(before.Length)) : null;

    private static byte[] KeyInPath(ReadOnlySpan<char> path)
    {
        byte[] key = EntryText.Unescape(path, plusIsBlank: false);
        foreach (string segment in Encoding.Latin1.GetString(key).Split('/'))
        {
            if (segment is "." or "..")
            {
                throw Invalid("A path with the segment . or .. means another path to those it passes through; write "
                    + "/entry?key=KEY.");
            }
        }

        return key;
    }

    private static byte[] OfBase64(string text)
    {
        byte[] bytes = new byte[text.Length];
        string plain = text.Replace('-', '+').Replace('_', '/').Replace(' ', '+').TrimEnd('=');
        plain = plain.PadRight((plain.Length + 3) / 4 * 4, '=');
        return Convert.TryFromBase64String(plain, bytes, out int length)
            ? bytes[..length]
            : throw Invalid("keyBase64 is no base64.");
    }

    private static ProblemException Invalid(string detail) => new(Problem.Invalid(detail));
}
