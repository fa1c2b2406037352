using System.Buffers.Text;
using Quorate.Core.Model;

namespace Quorate.Node.Evaluation;

/// <summary>
/// Takes replies apart that <see cref="Reply"/> wrote. They come from a partition, not from a client, so what is no
/// reply is a broken invariant.
/// </summary>
public static class ReplyParts
{
    /// <summary>The number of an integer reply.</summary>
    public static long IntegerOf(ReadOnlySpan<byte> reply)
    {
        Invariant.Check(reply.Length > 0 && reply[0] == (byte)':', "the reply is an integer");
        return NumberAt(reply, out _);
    }

    /// <summary>The elements of an array or set, each a reply by itself.</summary>
    public static ReadOnlyMemory<byte>[] ElementsOf(ReadOnlyMemory<byte> reply)
    {
        Invariant.Check(reply.Span[0] is (byte)'*' or (byte)'~', "the reply is an array");
        var elements = new ReadOnlyMemory<byte>[NumberAt(reply.Span, out int at)];
        for (int i = 0; i < elements.Length; i++)
        {
            int length = LengthOf(reply.Span[at..]);
            elements[i] = reply.Slice(at, length);
            at += length;
        }

        return elements;
    }

    /// <summary>How long the first reply in these bytes is.</summary>
    public static int LengthOf(ReadOnlySpan<byte> bytes)
    {
        long repliesLeft = 1;
        int at = 0;
        while (repliesLeft > 0)
        {
            ReadOnlySpan<byte> rest = bytes[at..];
            int line = LineLength(rest);
            switch (rest[0])
            {
                case (byte)'$':
                    at += line + (int)NumberAt(rest, out _) + 2;
                    break;
                case (byte)'*' or (byte)'~':
                    at += line;
                    repliesLeft += NumberAt(rest, out _);
                    break;
                case (byte)'%':
                    at += line;
                    repliesLeft += 2 * NumberAt(rest, out _);
                    break;
                default:
                    at += line;
                    break;
            }

            repliesLeft--;
        }

        return at;
    }

    private static int LineLength(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)'\n');
        Invariant.Check(end > 0, "a reply has a line with its type");
        return end + 1;
    }

    /// <summary>The number behind the type, and where its line ends.</summary>
    private static long NumberAt(ReadOnlySpan<byte> bytes, out int end)
    {
        bool isNumber = Utf8Parser.TryParse(bytes[1..], out long number, out int digits);
        Invariant.Check(isNumber, "a type is followed by a number");
        end = digits + 3;
        return number;
    }
}
