using System.Globalization;
using System.Text;

namespace Quorate.Cli.Shell;

/// <summary>
/// Takes a typed line apart into words: blanks part them; what stands in quotation marks is one word, with \n, \t, \xHH
/// and the like in double ones, and as it stands in single ones. And the way back, for showing what may hold anything.
/// </summary>
internal static class ShellWords
{
    /// <summary>The words; null, with what is wrong, for a line that is not complete.</summary>
    public static List<byte[]>? Split(string line, out string problem)
    {
        problem = "";
        var words = new List<byte[]>();
        int at = 0;
        while (true)
        {
            while (at < line.Length && char.IsWhiteSpace(line[at]))
            {
                at++;
            }

            if (at == line.Length)
            {
                return words;
            }

            if (!TryWord(line, ref at, out byte[] word, out problem))
            {
                return null;
            }

            words.Add(word);
        }
    }

    /// <summary>
    /// A text that shows what bytes hold and changes nothing in the window: what is no text is escaped.
    /// </summary>
    public static string Show(ReadOnlySpan<byte> bytes)
    {
        var shown = new StringBuilder();
        while (bytes.Length > 0)
        {
            bool isRune = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length)
                == System.Buffers.OperationStatus.Done;
            if (isRune && !Rune.IsControl(rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator))
            {
                shown.Append(rune.ToString());
            }
            else
            {
                Escape(shown, bytes[..length]);
            }

            bytes = bytes[length..];
        }

        return shown.ToString();
    }

    private static void Escape(StringBuilder shown, ReadOnlySpan<byte> bytes)
    {
        foreach (byte each in bytes)
        {
            shown.Append(each switch
            {
                (byte)'\n' => "\\n",
                (byte)'\r' => "\\r",
                (byte)'\t' => "\\t",
                _ => string.Create(CultureInfo.InvariantCulture, $"\\x{each:x2}"),
            });
        }
    }

    private static bool TryWord(string line, ref int at, out byte[] word, out string problem)
    {
        word = [];
        problem = "";
        char quote = line[at] is '"' or '\'' ? line[at++] : '\0';
        var bytes = new List<byte>();
        for (; at < line.Length; at++)
        {
            char letter = line[at];
            bool isEnd = quote == '\0' ? char.IsWhiteSpace(letter) : letter == quote;
            if (isEnd)
            {
                break;
            }

            if (letter == '\\' && quote == '"' && at + 1 < line.Length)
            {
                at++;
                Unescape(line, ref at, bytes);
            }
            else if (letter == '\\' && quote == '\'' && at + 1 < line.Length && line[at + 1] == '\'')
            {
                at++;
                bytes.Add((byte)'\'');
            }
            else
            {
                int length = char.IsHighSurrogate(letter) && at + 1 < line.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(line.Substring(at, length)));
                at += length - 1;
            }
        }

        if (quote != '\0')
        {
            if (at == line.Length)
            {
                problem = $"The quotation mark {quote} is not closed.";
                return false;
            }

            at++;
            if (at < line.Length && !char.IsWhiteSpace(line[at]))
            {
                problem = $"A blank must follow the closing quotation mark {quote}.";
                return false;
            }
        }

        word = [.. bytes];
        return true;
    }

    private static void Unescape(string line, ref int at, List<byte> bytes)
    {
        if (line[at] == 'x' && at + 2 < line.Length && byte.TryParse(
            line.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte hex))
        {
            bytes.Add(hex);
            at += 2;
            return;
        }

        bytes.AddRange(Encoding.UTF8.GetBytes(line[at] switch
        {
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'b' => "\b",
            'a' => "\a",
            _ => line[at].ToString(),
        }));
    }
}
