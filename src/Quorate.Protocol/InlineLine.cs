using System.Text;

namespace Quorate.Protocol;

/// <summary>What <see cref="InlineLine.Take"/> has come to.</summary>
internal enum InlineEnd : byte
{
    NeedsMore,

    /// <summary>There is no room for more of the line at the moment; nothing was taken.</summary>
    NeedsRoom,

    /// <summary>A line without words.</summary>
    Empty,

    Words,

    Malformed,
}

/// <summary>
/// A command typed as a line, as one does with telnet: words between blanks, quoted with ' or " where they hold blanks
/// themselves. A browser's request is recognised and refused (pitfall S14).
/// </summary>
internal sealed class InlineLine(int bytesMax)
{
    private byte[] _bytes = [];
    private int _length;

    public string Error { get; private set; } = "";

    public InlineEnd Take(ref ReadOnlySpan<byte> input, RespCommand command)
    {
        int end = input.IndexOf((byte)'\n');
        if (command.Problem is not null)
        {
            // It is refused already: what comes of it is not kept.
            (_bytes, _length) = ([], 0);
            input = end < 0 ? [] : input[(end + 1)..];
            return end < 0 ? InlineEnd.NeedsMore : InlineEnd.Words;
        }

        ReadOnlySpan<byte> part = end < 0 ? input : input[..end];
        if (_length + part.Length > bytesMax)
        {
            Error = "ERR Protocol error: too big inline request";
            return InlineEnd.Malformed;
        }

        bool isWhole = end >= 0 && _length == 0;
        if (!isWhole && !TryKeep(part, command))
        {
            return InlineEnd.NeedsRoom;
        }

        input = end < 0 ? [] : input[(end + 1)..];
        if (isWhole)
        {
            return Split(part, command);
        }

        if (end < 0)
        {
            return InlineEnd.NeedsMore;
        }

        InlineEnd result = Split(_bytes.AsSpan(0, _length), command);
        _bytes = [];
        _length = 0;
        return result;
    }

    private bool TryKeep(ReadOnlySpan<byte> part, RespCommand command)
    {
        if (_length + part.Length > _bytes.Length)
        {
            int size = Math.Max(64, (_length + part.Length) * 2);
            if (!command.TryHoldLine(size, size - _bytes.Length))
            {
                return false;
            }

            Array.Resize(ref _bytes, size);
        }

        part.CopyTo(_bytes.AsSpan(_length));
        _length += part.Length;
        return true;
    }

    private InlineEnd Split(ReadOnlySpan<byte> line, RespCommand command)
    {
        if (line.Length > 0 && line[^1] == (byte)'\r')
        {
            line = line[..^1];
        }

        while (true)
        {
            while (line.Length > 0 && IsBlank(line[0]))
            {
                line = line[1..];
            }

            if (line.IsEmpty)
            {
                break;
            }

            if (!TryTakeWord(ref line, command))
            {
                Error = "ERR Protocol error: unbalanced quotes in request";
                return InlineEnd.Malformed;
            }
        }

        if (command.Count == 0)
        {
            return command.Problem is null ? InlineEnd.Empty : InlineEnd.Words;
        }

        bool isHttp = Ascii.EqualsIgnoreCase(command[0], "POST"u8) || Ascii.EqualsIgnoreCase(command[0], "HOST:"u8);
        if (isHttp && ProtocolGuards.HttpIsTurnedAway)
        {
            Error = "ERR Protocol error: this is not an HTTP server, the connection is closed";
            return InlineEnd.Malformed;
        }

        return InlineEnd.Words;
    }

    private static bool TryTakeWord(ref ReadOnlySpan<byte> line, RespCommand command)
    {
        while (line.Length > 0 && !IsBlank(line[0]))
        {
            byte next = line[0];
            line = line[1..];
            if (next is not ((byte)'"' or (byte)'\''))
            {
                command.Append([next]);
            }
            else if (!TryTakeQuoted(ref line, command, next) || (line.Length > 0 && !IsBlank(line[0])))
            {
                return false;
            }
        }

        command.EndWord();
        return true;
    }

    /// <summary>Up to the closing quote. Between " the escapes are those of C, between ' only \'.</summary>
    private static bool TryTakeQuoted(ref ReadOnlySpan<byte> line, RespCommand command, byte quote)
    {
        while (line.Length > 0)
        {
            byte next = line[0];
            line = line[1..];
            if (next == quote)
            {
                return true;
            }

            if (next == (byte)'\\' && line.Length > 0 && (quote == (byte)'"' || line[0] == quote))
            {
                next = Unescape(ref line);
            }

            command.Append([next]);
        }

        return false;
    }

    private static byte Unescape(ref ReadOnlySpan<byte> line)
    {
        if (line.Length >= 3 && line[0] == (byte)'x'
            && char.IsAsciiHexDigit((char)line[1]) && char.IsAsciiHexDigit((char)line[2]))
        {
            int value = (HexOf(line[1]) << 4) | HexOf(line[2]);
            line = line[3..];
            return (byte)value;
        }

        byte mark = line[0];
        line = line[1..];
        return mark switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'a' => (byte)'\a',
            _ => mark,
        };
    }

    private static int HexOf(byte digit) => digit <= (byte)'9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static bool IsBlank(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\r' or 0x0B or 0x0C or 0;
}
