using System.Buffers;
using System.Buffers.Text;

namespace Quorate.Protocol;

/// <summary>What a reply in RESP2 needs to know of its command, since RESP2 names fewer types.</summary>
[Flags]
public enum Resp2Shape : byte
{
    None = 0,

    /// <summary>Where there is nothing, the command answers with an array of none (`*-1`), not a string.</summary>
    NullIsArray = 1,

    /// <summary>Pairs (member and score) stand in one flat array.</summary>
    PairsAreFlat = 2,

    /// <summary>An element that is nothing is an array of none, as what stands there otherwise is an array.</summary>
    NullElementsAreArrays = 4,
}

/// <summary>
/// Writes replies, which the node makes in RESP3, in the version that a client speaks. RESP3 passes unchanged. A reply
/// is written in pieces, so that a large one is not twice in memory.
/// </summary>
public struct RespText
{
    private int _at;

    /// <summary>Replies that are open: parts of the arrays and maps that have begun.</summary>
    private long _left;

    /// <summary>Bytes to come of a long string that has begun, its end of line counted.</summary>
    private int _rest;

    private int _element;
    private bool _hasBegun;
    private bool _isFlattening;

    /// <summary>
    /// Writes on; true when the reply is through, false when about <paramref name="bytesMax"/> bytes were written.
    /// </summary>
    /// <param name="reply">A whole reply in RESP3; the same one each time.</param>
    /// <param name="version">2 or 3.</param>
    /// <param name="shape">Of the reply.</param>
    /// <param name="elements">Of a transaction's reply: the shape of each element; else empty.</param>
    public bool TryWrite(
        ReadOnlySpan<byte> reply,
        int version,
        Resp2Shape shape,
        ReadOnlySpan<Resp2Shape> elements,
        IBufferWriter<byte> output,
        int bytesMax)
    {
        if (version != 2 || reply[0] is (byte)'$' or (byte)'+' or (byte)':' or (byte)'-')
        {
            return TryCopy(reply, reply.Length, output, ref bytesMax);
        }

        while (_at < reply.Length)
        {
            if (bytesMax <= 0)
            {
                return false;
            }

            if (!TryWritePart(reply, shape, elements, output, ref bytesMax))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Copies up to a place, as much as may be.</summary>
    private bool TryCopy(ReadOnlySpan<byte> reply, int end, IBufferWriter<byte> output, ref int bytesMax)
    {
        int length = Math.Min(end - _at, bytesMax);
        output.Write(reply.Slice(_at, length));
        _at += length;
        bytesMax -= length;
        return _at == end;
    }

    private bool TryWritePart(
        ReadOnlySpan<byte> reply,
        Resp2Shape shape,
        ReadOnlySpan<Resp2Shape> elements,
        IBufferWriter<byte> output,
        ref int bytesMax)
    {
        if (_rest > 0)
        {
            return TryWriteRest(reply, output, ref bytesMax);
        }

        ReadOnlySpan<byte> rest = reply[_at..];
        int line = rest.IndexOf((byte)'\n') + 1;
        bool isTop = !_hasBegun || (!elements.IsEmpty && _left == 0);
        if (isTop && _hasBegun)
        {
            // A transaction's next element.
            shape = elements[Math.Min(_element++, elements.Length - 1)];
            _isFlattening = false;
            _left = 1;
        }
        else if (!elements.IsEmpty && _hasBegun)
        {
            shape = elements[Math.Min(_element - 1, elements.Length - 1)];
        }

        if (!_hasBegun)
        {
            _hasBegun = true;
            _left = elements.IsEmpty ? 1 : 0;
            if (!elements.IsEmpty && rest[0] == (byte)'*')
            {
                _at += line;
                output.Write(rest[..line]);
                return true;
            }
        }

        switch (rest[0])
        {
            case (byte)'*' or (byte)'~' or (byte)'%' or (byte)'>' or (byte)'|':
                WriteAggregate(rest, line, isTop, shape, output);
                break;
            case (byte)'$' or (byte)'=' or (byte)'!':
                return TryWriteLong(reply, line, output, ref bytesMax);
            default:
                Resp2Shape nullShape = isTop ? Resp2Shape.NullIsArray : Resp2Shape.NullElementsAreArrays;
                WriteLine(rest[..line], (shape & nullShape) != Resp2Shape.None, output);
                _at += line;
                _left--;
                break;
        }

        bytesMax -= line;
        return true;
    }

    private void WriteAggregate(
        ReadOnlySpan<byte> rest, int line, bool isTop, Resp2Shape shape, IBufferWriter<byte> output)
    {
        long count = NumberOf(rest[1..line]);
        long parts = rest[0] is (byte)'%' or (byte)'|' ? 2 * count : count;
        _at += line;
        _left += parts - 1;
        bool isPair = rest[0] == (byte)'*' && count == 2;
        bool mayFlatten = isTop && (shape & Resp2Shape.PairsAreFlat) != Resp2Shape.None;
        if (mayFlatten && count > 0 && rest[line..].StartsWith("*2\r\n"u8))
        {
            _isFlattening = true;
            WriteNumber((byte)'*', 2 * count, output);
        }
        else if (!_isFlattening || !isPair || isTop)
        {
            WriteNumber((byte)'*', parts, output);
        }
    }

    /// <summary>A string of a known length: it may be written in several pieces.</summary>
    private bool TryWriteLong(ReadOnlySpan<byte> reply, int line, IBufferWriter<byte> output, ref int bytesMax)
    {
        ReadOnlySpan<byte> rest = reply[_at..];
        int length = (int)NumberOf(rest[1..line]);

        // What RESP3 says of a text's kind, RESP2 does not.
        int kind = rest[0] == (byte)'=' ? 4 : 0;
        if (rest[0] == (byte)'!')
        {
            output.Write("-"u8);
        }
        else
        {
            WriteNumber((byte)'$', length - kind, output);
        }

        _at += line + kind;
        _rest = length - kind + 2;
        _left--;
        return TryWriteRest(reply, output, ref bytesMax);
    }

    private bool TryWriteRest(ReadOnlySpan<byte> reply, IBufferWriter<byte> output, ref int bytesMax)
    {
        int length = Math.Min(_rest, bytesMax);
        output.Write(reply.Slice(_at, length));
        _at += length;
        _rest -= length;
        bytesMax -= length;
        return _rest == 0;
    }

    private static void WriteLine(ReadOnlySpan<byte> line, bool nullIsArray, IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> text = line[1..^2];
        switch (line[0])
        {
            case (byte)'_':
                output.Write(nullIsArray ? "*-1\r\n"u8 : "$-1\r\n"u8);
                break;
            case (byte)'#':
                output.Write(text[0] == (byte)'t' ? ":1\r\n"u8 : ":0\r\n"u8);
                break;
            case (byte)',' or (byte)'(':
                WriteNumber((byte)'$', text.Length, output);
                output.Write(text);
                output.Write("\r\n"u8);
                break;
            default:
                output.Write(line);
                break;
        }
    }

    private static void WriteNumber(byte mark, long value, IBufferWriter<byte> output)
    {
        Span<byte> bytes = output.GetSpan(24);
        bytes[0] = mark;
        Utf8Formatter.TryFormat(value, bytes[1..], out int length);
        bytes[length + 1] = (byte)'\r';
        bytes[length + 2] = (byte)'\n';
        output.Advance(length + 3);
    }

    private static long NumberOf(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out long number, out _) ? number : 0;
}
