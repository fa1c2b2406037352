using System.Globalization;
using System.Text;
using Quorate.Core.Model;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// Random command lines, evaluated here and by a real Redis 7: the replies are the same. What may differ: the order of
/// unordered replies, random choices (their number is compared), the last digits of doubles as text, and moments, by
/// the time that passes between the two.
/// </summary>
public sealed class RedisComparisonTests
{
    private static readonly string[] Unordered = ["HKEYS", "HVALS", "KEYS"];

    /// <summary>Redis answers in the order of its search, but where an order is asked for; equal distances in any.
    /// </summary>
    private static readonly string[] Searches =
        ["GEOSEARCH", "GEORADIUS", "GEORADIUS_RO", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"];

    private static readonly string[] Scans = ["HSCAN", "SSCAN", "ZSCAN"];
    private static readonly string[] Chosen = ["HRANDFIELD", "SRANDMEMBER", "ZRANDMEMBER"];
    private static readonly string[] Moments = ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Replies_are_those_of_Redis(ulong seed)
    {
        string? path = RedisProcess.Find();
        Assert.SkipWhen(path is null, "redis-server is not installed");
        int count = int.Parse(Environment.GetEnvironmentVariable("QUORATE_REDIS_LINES") ?? "6000");
        using var redis = new RedisProcess(path!);
        var node = new TestNode();
        var lines = new RandomLines(seed);
        for (int i = 0; i < count; i++)
        {
            string[] words = lines.Next();
            string command = words[0].ToUpperInvariant();
            bool isCursor = Scans.Contains(command) && words.Length > 2 && words[2] != "0";
            bool isChance = command == "SPOP" && (words.Length != 3 || words[2] is not ("0" or "1000"));
            if (isCursor || isChance)
            {
                // A cursor is a number there and a position here; what is popped by chance differs.
                continue;
            }

            node.Time = HybridTime.FromMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            byte[] expected = redis.Run(words);
            byte[] actual = node.Run([TestNode.Line(words)], isBatch: false);
            string theirs = Comparable(command, expected);
            string ours = Comparable(command, actual);
            bool isSame = Moments.Contains(command) ? AreNear(theirs, ours) : theirs == ours;
            if (!isSame && command.EndsWith("FLOAT", StringComparison.Ordinal) && AreClose(theirs, ours))
            {
                // The rounding of 80-bit floats shows there; it must not spread.
                string sum = ours.Trim('"');
                redis.Run(command[0] == 'H' ? ["HSET", words[1], words[2], sum] : ["SET", words[1], sum, "KEEPTTL"]);
                isSame = true;
            }

            Assert.True(isSame, $"line {i}: {string.Join(' ', words)}\nRedis:   {theirs}\nQuorate: {ours}");
        }
    }

    private static string Comparable(string command, byte[] reply)
    {
        if (Chosen.Contains(command))
        {
            return Shape(reply);
        }

        if (Searches.Contains(command) && ReplyText.Parts(reply) is { } places)
        {
            return string.Join(", ", ReplyText.Of(reply).Split(['[', ']', ' ', ',']).Order(StringComparer.Ordinal))
                + places.Count;
        }

        if (Unordered.Contains(command) && ReplyText.Parts(reply) is { } parts)
        {
            return string.Join(", ", parts.Order(StringComparer.Ordinal));
        }

        return Scans.Contains(command) && ReplyText.Parts(reply) is { Count: 2 }
            ? SortedScan(reply, command == "SSCAN" ? 1 : 2)
            // Which zero the smaller or larger of two is hangs on the order of the sets in Redis.
            : ReplyText.Of(reply).Replace(", -0]", ", 0]", StringComparison.Ordinal);
    }

    /// <summary>The marks and counts of a reply whose elements are chosen by chance.</summary>
    private static string Shape(byte[] reply) => reply[0] switch
    {
        (byte)'-' => ReplyText.Of(reply),
        (byte)'$' => "one",
        _ => Encoding.Latin1.GetString(reply).Split("\r\n")[0]
            + (reply.AsSpan().IndexOf("\r\n*2\r\n"u8) >= 0 ? " pairs" : ""),
    };

    private static string SortedScan(byte[] reply, int wordsEach)
    {
        // Behind the cursor stands the array of elements.
        byte[] elements = reply.AsSpan(reply.AsSpan(1).IndexOf((byte)'*') + 1).ToArray();
        return string.Join(
            "; ",
            ReplyText.Parts(elements)!.Chunk(wordsEach).Select(chunk => string.Join(' ', chunk.Select(Number)))
                .Order(StringComparer.Ordinal));
    }

    /// <summary>ZSCAN writes scores as text.</summary>
    private static string Number(string text) =>
        double.TryParse(text.Trim('"'), CultureInfo.InvariantCulture, out double number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : text;

    private static bool AreClose(string a, string b) =>
        double.TryParse(a.Trim('"'), CultureInfo.InvariantCulture, out double first)
        && double.TryParse(b.Trim('"'), CultureInfo.InvariantCulture, out double second)
        && Math.Abs(first - second) <= 1e-14 * Math.Abs(first);

    private static bool AreNear(string a, string b) =>
        a == b
        || (long.TryParse(a, out long first) && long.TryParse(b, out long second) && first > 0 && second > 0
            && Math.Abs(first - second) <= 3000);
}
