using System.Globalization;
using System.Text;

namespace Quorate.Node.Tests.Commands;

/// <summary>
/// A reply (RESP2 or RESP3) as text that tests compare: `OK`, `(error) …`, `12`, `"text"`, `null`, `1.5`, `[a, b]` for
/// arrays,
/// `{a, b}` for sets and `{k: v}` for maps, both sorted.
/// </summary>
internal sealed class ReplyText(byte[] reply)
{
    private int _at;

    public static string Of(byte[] reply)
    {
        var parser = new ReplyText(reply);
        string text = parser.Next();
        Assert.Equal(reply.Length, parser._at);
        return text;
    }

    /// <summary>The parts of an array reply, each as it came; null when it is none.</summary>
    public static List<byte[]>? Split(byte[] reply)
    {
        if (reply[0] != (byte)'*' || reply[1] == (byte)'-')
        {
            return null;
        }

        var parser = new ReplyText(reply);
        int count = int.Parse(parser.Line()[1..], CultureInfo.InvariantCulture);
        var parts = new List<byte[]>(count);
        for (int i = 0; i < count; i++)
        {
            int start = parser._at;
            _ = parser.Next();
            parts.Add(reply[start..parser._at]);
        }

        return parts;
    }

    /// <summary>The parts of an array reply; null when it is none.</summary>
    public static List<string>? Parts(byte[] reply)
    {
        if (reply[0] != (byte)'*' || reply[1] == (byte)'-')
        {
            return null;
        }

        var parser = new ReplyText(reply);
        int count = int.Parse(parser.Line()[1..], CultureInfo.InvariantCulture);
        return [.. Enumerable.Range(0, count).Select(_ => parser.Next())];
    }

    private string Next()
    {
        string line = Line();
        string rest = line[1..];
        return line[0] switch
        {
            '+' => rest,
            '-' => "(error) " + rest,
            ':' => rest,
            '#' => rest == "t" ? "true" : "false",
            '_' => "null",
            ',' => double.Parse(
                rest.Replace("inf", "Infinity"), CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture),
            '$' or '*' when rest == "-1" => "null",
            '$' => '"' + Bulk(int.Parse(rest, CultureInfo.InvariantCulture)) + '"',
            '*' => $"[{string.Join(", ", Many(rest))}]",
            '~' => $"{{{string.Join(", ", Many(rest).Order(StringComparer.Ordinal))}}}",
            '%' => $"{{{string.Join(", ", Pairs(rest).Order(StringComparer.Ordinal))}}}",
            _ => throw new InvalidOperationException($"not RESP3: {line}"),
        };
    }

    private string[] Many(string count) =>
        [.. Enumerable.Range(0, int.Parse(count, CultureInfo.InvariantCulture)).Select(_ => Next())];

    private string[] Pairs(string count) =>
    [
        .. Enumerable.Range(0, int.Parse(count, CultureInfo.InvariantCulture))
            .Select(_ => Next()).Select(key => $"{key}: {Next()}"),
    ];

    private string Line()
    {
        int end = reply.AsSpan(_at).IndexOf("\r\n"u8);
        string line = Encoding.Latin1.GetString(reply, _at, end);
        _at += end + 2;
        return line;
    }

    private string Bulk(int length)
    {
        string text = Encoding.Latin1.GetString(reply, _at, length);
        _at += length + 2;
        return text;
    }
}
