using System.Globalization;
using System.Text;
using Quorate.Core.Model;

namespace Quorate.Simulator.Model;

/// <summary>Replies as RESP3 text, one char per byte, as the model expects them.</summary>
internal static class ModelReply
{
    public const string Ok = "+OK\r\n";
    public const string Null = "_\r\n";
    public const string WrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    public const string NotAnInteger = "-ERR value is not an integer or out of range\r\n";

    public static string Integer(long value) => string.Create(CultureInfo.InvariantCulture, $":{value}\r\n");

    public static string Flag(bool value) => Integer(value ? 1 : 0);

    public static string Double(double value) =>
        string.Create(CultureInfo.InvariantCulture, $",{value:R}\r\n");

    public static string Simple(string text) => $"+{text}\r\n";

    public static string Error(string text) => $"-{text}\r\n";

    public static string Bulk(string bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"${bytes.Length}\r\n{bytes}\r\n");

    public static string BulkOrNull(string? bytes) => bytes is null ? Null : Bulk(bytes);

    public static string Array(IReadOnlyCollection<string> replies) => Aggregate('*', replies.Count, replies);

    public static string Set(IReadOnlyCollection<string> replies) => Aggregate('~', replies.Count, replies);

    /// <param name="replies">Keys and values, in turn.</param>
    public static string Map(IReadOnlyCollection<string> replies) => Aggregate('%', replies.Count / 2, replies);

    /// <summary>
    /// The same reply with everything left out that no one may rely on: the order of sets and maps, the words of an
    /// error after its code, how a double is written, the term of a version. Null when the text is no RESP3 reply.
    /// </summary>
    public static string? Canonical(string reply)
    {
        int at = 0;
        string? canonical = Read(reply, ref at);
        return at == reply.Length ? canonical : null;
    }

    /// <summary>
    /// A version, `term-index-ordinal`, without its term, which a replica may have forgotten; other text as it is.
    /// </summary>
    public static string WithoutTerm(string text)
    {
        string[] parts = text.Split('-');
        return parts.Length == 3 && parts.All(part => part.Length > 0 && part.All(char.IsAsciiDigit))
            ? $"{parts[1]}-{parts[2]}"
            : text;
    }

    /// <summary>
    /// Whether a reply says what the model expects. The term of a version may be zero, for a forgotten one, but no
    /// other than the true one.
    /// </summary>
    public static bool IsAnsweredBy(string expected, string given) =>
        Canonical(given) is { } canonical
        && canonical == Canonical(expected)
        && TermsAgree(Versions(expected), Versions(given));

    /// <summary>The term that a version names; zero when it names none.</summary>
    public static Term TermOf(string version) => version.Split('-') is [var term, _, _]
        ? new(ulong.Parse(term, CultureInfo.InvariantCulture))
        : Term.Zero;

    /// <summary>The place in the log that a version names; zero when it names none.</summary>
    public static LogIndex IndexOf(string version) => version.Split('-') is [_, var index, _]
        ? new(ulong.Parse(index, CultureInfo.InvariantCulture))
        : LogIndex.Zero;

    /// <summary>The text of a bulk string; null when the reply is another.</summary>
    public static string? BulkText(string reply)
    {
        int end = reply.IndexOf("\r\n", StringComparison.Ordinal);
        return reply.StartsWith('$') && end > 0 ? reply[(end + 2)..^2] : null;
    }

    /// <summary>The replies in an array, a set or a map; null when the text is none.</summary>
    public static List<string>? Parts(string reply)
    {
        int at = 0;
        if (reply.Length == 0 || Line(reply, ref at) is not { } line
            || !int.TryParse(line[1..], CultureInfo.InvariantCulture, out int count))
        {
            return null;
        }

        List<string> parts = [];
        for (int i = 0; i < (line[0] == '%' ? 2 * count : count); i++)
        {
            int start = at;
            if (Read(reply, ref at) is null)
            {
                return null;
            }

            parts.Add(reply[start..at]);
        }

        return parts;
    }

    private static bool TermsAgree(List<string> expected, List<string> given)
    {
        for (int i = 0; i < expected.Count; i++)
        {
            if (i >= given.Count || (given[i] != expected[i] && TermOf(given[i]) != Term.Zero))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>All versions in a reply, in order; each is a word of its own.</summary>
    private static List<string> Versions(string reply) =>
        [.. reply.Split(' ', '\r', '\n').Where(word => WithoutTerm(word) != word)];

    private static string Aggregate(char mark, int count, IReadOnlyCollection<string> replies)
    {
        var text = new StringBuilder();
        text.Append(mark).Append(CultureInfo.InvariantCulture, $"{count}\r\n");
        foreach (string reply in replies)
        {
            text.Append(reply);
        }

        return text.ToString();
    }

    private static string? Line(string reply, ref int at)
    {
        int end = reply.IndexOf("\r\n", at, StringComparison.Ordinal);
        if (end <= at)
        {
            return null;
        }

        string line = reply[at..end];
        at = end + 2;
        return line;
    }

    private static string? Read(string reply, ref int at)
    {
        if (Line(reply, ref at) is not { } line)
        {
            return null;
        }

        switch (line[0])
        {
            case '-':
                return line.Split(' ')[0] + "\r\n";
            case ',':
                return double.TryParse(line[1..], CultureInfo.InvariantCulture, out double value)
                    ? Double(value)
                    : null;
            case '$':
                return ReadBulk(reply, line, ref at);
            case '*' or '~' or '%':
                return ReadParts(reply, line, ref at);
            default:
                return line[0] is '+' or ':' or '_' or '#' ? line + "\r\n" : null;
        }
    }

    private static string? ReadBulk(string reply, string line, ref int at)
    {
        bool isWhole = int.TryParse(line[1..], CultureInfo.InvariantCulture, out int length)
            && length >= 0 && length <= reply.Length - at - 2 && reply[at + length] == '\r';
        if (!isWhole)
        {
            return null;
        }

        string bytes = reply.Substring(at, length);
        at += length + 2;
        return Bulk(WithoutTerm(bytes));
    }

    private static string? ReadParts(string reply, string line, ref int at)
    {
        if (!int.TryParse(line[1..], CultureInfo.InvariantCulture, out int count) || count < 0)
        {
            return null;
        }

        List<string> parts = [];
        for (int i = 0; i < count; i++)
        {
            string? part = Read(reply, ref at);
            string? second = line[0] == '%' ? Read(reply, ref at) : "";
            if (part is null || second is null)
            {
                return null;
            }

            parts.Add(part + second);
        }

        if (line[0] != '*')
        {
            parts.Sort(StringComparer.Ordinal);
        }

        return Aggregate(line[0], count, parts);
    }
}
