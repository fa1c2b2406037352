using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// Whether a reply is the one that Redis gives to the same line. What may differ: the order of unordered replies,
/// random choices (their number is compared), the last digits of doubles as text, and moments, by the time that passes
/// between the two.
/// </summary>
internal static partial class ReplyComparison
{
    /// <summary>Milliseconds, or seconds, that two servers may be apart about a moment.</summary>
    private const long MomentsApartMax = 3000;

    private static readonly string[] Unordered = ["HKEYS", "HVALS", "KEYS", "SMEMBERS", "SINTER", "SUNION", "SDIFF"];

    /// <summary>Redis answers in the order of its search, but where an order is asked for; equal distances in any.
    /// </summary>
    private static readonly string[] Searches =
        ["GEOSEARCH", "GEORADIUS", "GEORADIUS_RO", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"];

    private static readonly string[] Scans = ["HSCAN", "SSCAN", "ZSCAN"];
    private static readonly string[] Chosen = ["HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"];
    private static readonly string[] Moments = ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"];

    /// <summary>A line of which both could make something different: a cursor is a number there and a position here;
    /// what is popped by chance differs.</summary>
    public static bool HangsOnTheServer(string[] words)
    {
        string command = words[0].ToUpperInvariant();
        return (Scans.Contains(command) && words.Length > 2 && words[2] != "0")
            || (command == "SPOP" && (words.Length != 3 || words[2] is not ("0" or "1000")));
    }

    /// <summary>A sum that Redis rounds to 80-bit floats.</summary>
    public static bool IsRounded(string[] words) => words[0].EndsWith("FLOAT", StringComparison.OrdinalIgnoreCase);

    /// <summary>The line that gives Redis the sum that stands here, so that its rounding does not spread.</summary>
    public static string[] TakeOver(string[] words, byte[] sum)
    {
        string text = ReplyText.Of(sum).Trim('"');
        return words[0][0] is 'H' or 'h' ? ["HSET", words[1], words[2], text] : ["SET", words[1], text, "KEEPTTL"];
    }

    /// <param name="words">The line that both have run.</param>
    /// <param name="theirs">What Redis answered.</param>
    /// <param name="ours">What Quorate answered.</param>
    /// <param name="isOfSet">The first key holds a set, which has no order of its own.</param>
    /// <returns>Null when the replies are the same, else what differs, for people.</returns>
    public static string? Difference(string[] words, byte[] theirs, byte[] ours, bool isOfSet = false)
    {
        string command = words[0].ToUpperInvariant();
        bool isUnordered = isOfSet && command.StartsWith("SORT", StringComparison.Ordinal)
            && words.Contains("nosort") && !words.Contains("STORE");
        (string a, string b) = isUnordered
            ? (Shape(theirs), Shape(ours))
            : (Comparable(command, theirs), Comparable(command, ours));
        bool isSame = a == b || (Moments.Contains(command) && AreNear(a, b)) || (IsRounded(words) && AreClose(a, b));
        return isSame ? null : $"{string.Join(' ', words)}\nRedis:   {a}\nQuorate: {b}";
    }

    private static string Comparable(string command, byte[] reply)
    {
        if (Chosen.Contains(command))
        {
            return Shape(reply);
        }

        if (Searches.Contains(command) && ReplyText.Parts(reply) is { } places)
        {
            return string.Join(", ", Text(reply).Split(['[', ']', ' ', ',']).Order(StringComparer.Ordinal))
                + places.Count;
        }

        if (Unordered.Contains(command) && ReplyText.Parts(reply) is { } parts)
        {
            return string.Join(", ", parts.Order(StringComparer.Ordinal));
        }

        if ((command == "HGETALL" || command == "SPOP") && ReplyText.Parts(reply) is { } fields)
        {
            return string.Join("; ", fields.Chunk(command == "SPOP" ? 1 : 2).Select(pair => string.Join(' ', pair))
                .Order(StringComparer.Ordinal));
        }

        if (Scans.Contains(command) && ReplyText.Split(reply) is { Count: 2 } scan)
        {
            return string.Join(
                "; ",
                ReplyText.Parts(scan[1])!.Chunk(command == "SSCAN" ? 1 : 2)
                    .Select(chunk => string.Join(' ', chunk.Select(Number))).Order(StringComparer.Ordinal));
        }

        // Which zero the smaller or larger of two is hangs on the order of the sets in Redis.
        bool hasScores = command[0] == 'Z' || command.StartsWith("GEO", StringComparison.Ordinal);
        string text = hasScores ? Text(reply) : ReplyText.Of(reply);
        return text.Replace(", -0]", ", 0]", StringComparison.Ordinal)
            .Replace("\"-0\"", "\"0\"", StringComparison.Ordinal);
    }

    /// <summary>A reply with the numbers that RESP2 has as text written in one way.</summary>
    private static string Text(byte[] reply) =>
        Decimals().Replace(ReplyText.Of(reply), number => '"' + Number(number.Value) + '"');

    /// <summary>The marks and counts of a reply whose elements are chosen by chance.</summary>
    private static string Shape(byte[] reply) => reply[0] switch
    {
        (byte)'-' => ReplyText.Of(reply),
        (byte)'$' => reply[1] == (byte)'-' ? "none" : "one",
        _ => Encoding.Latin1.GetString(reply).Split("\r\n")[0]
            + (reply.AsSpan().IndexOf("\r\n*2\r\n"u8) >= 0 ? " pairs" : ""),
    };

    /// <summary>ZSCAN, and RESP2, write scores as text.</summary>
    private static string Number(string text) =>
        double.TryParse(text.Trim('"'), CultureInfo.InvariantCulture, out double number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : text;

    private static bool AreClose(string a, string b) =>
        double.TryParse(a.Trim('"'), CultureInfo.InvariantCulture, out double first)
        && double.TryParse(b.Trim('"'), CultureInfo.InvariantCulture, out double second)
        && Math.Abs(first - second) <= 1e-14 * Math.Abs(first);

    private static bool AreNear(string a, string b) =>
        long.TryParse(a, out long first) && long.TryParse(b, out long second) && first > 0 && second > 0
        && Math.Abs(first - second) <= MomentsApartMax;

    [GeneratedRegex("\"-?[0-9]+(\\.[0-9]+)?(e[-+]?[0-9]+)?\"")]
    private static partial Regex Decimals();
}
