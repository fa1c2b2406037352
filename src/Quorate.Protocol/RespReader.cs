namespace Quorate.Protocol;

/// <summary>What <see cref="RespReader.Read"/> has come to.</summary>
public enum RespRead : byte
{
    /// <summary>All bytes are taken, and no command is whole yet.</summary>
    NeedsMore,

    /// <summary>A command is whole; bytes behind it may be left.</summary>
    Command,

    /// <summary>
    /// The node has no room for more of this command at the moment; bytes are left. To be asked again when
    /// <see cref="RespCommand.HasRoom"/>, or after <see cref="RespCommand.RefuseForRoom"/>.
    /// </summary>
    NeedsRoom,

    /// <summary>These bytes are no command, and no later one can be found: the connection ends.</summary>
    Malformed,
}

/// <summary>
/// Reads commands as clients send them, in the Redis serialization protocol (arrays of bulk strings) or typed as lines.
/// It takes bytes as they come, cut anywhere.
/// <para>Invariants: the commands are the same however the bytes are cut; a length is a promise of the client's and
/// reserves nothing (pitfall S6).</para>
/// </summary>
public sealed class RespReader(RespLimits limits)
{
    /// <summary>Digits of a length, its sign included; a longer one is none.</summary>
    private const int NumberBytesMax = 20;

    private State _state;
    private long _number;
    private int _numberBytes;
    private bool _isNegative;
    private long _wordsLeft;
    private long _bytesLeft;
    private InlineLine? _line;

    private enum State : byte
    {
        Start,
        WordCount,
        WordMark,
        WordLength,
        Bytes,
        BytesEnd,
        Line,
    }

    /// <summary>What to tell a client whose bytes were malformed: the text of an error.</summary>
    public string Error { get; private set; } = "";

    private string TooLarge =>
        $"ERR the command has more than the {limits.CommandBytesMax} bytes allowed; nothing was done";

    /// <summary>A command has begun and is not whole.</summary>
    public bool IsInside => _state != State.Start;

    /// <summary>Takes bytes from the front of <paramref name="input"/> until a command is whole.</summary>
    /// <param name="command">Empty at a command's first byte; the same one until that command is whole.</param>
    public RespRead Read(ref ReadOnlySpan<byte> input, RespCommand command)
    {
        while (!input.IsEmpty)
        {
            RespRead? end = _state switch
            {
                State.Start => Begin(ref input),
                State.WordCount => ReadWordCount(ref input),
                State.WordMark => ReadWordMark(ref input),
                State.WordLength => ReadWordLength(ref input, command),
                State.Bytes => ReadBytes(ref input, command),
                State.BytesEnd => ReadBytesEnd(ref input, command),
                _ => ReadLine(ref input, command),
            };
            if (end is { } result)
            {
                return result;
            }
        }

        return RespRead.NeedsMore;
    }

    private RespRead? Begin(ref ReadOnlySpan<byte> input)
    {
        if (input[0] == (byte)'*')
        {
            input = input[1..];
            BeginNumber(State.WordCount);
        }
        else
        {
            _line ??= new InlineLine(limits.InlineBytesMax);
            _state = State.Line;
        }

        return null;
    }

    private void BeginNumber(State state)
    {
        _state = state;
        _number = 0;
        _numberBytes = 0;
        _isNegative = false;
    }

    /// <summary>
    /// Takes digits up to the end of the line. True when the number is whole; false when more must come, or, with an
    /// error, when it is none.
    /// </summary>
    private bool TryReadNumber(ref ReadOnlySpan<byte> input, string invalid)
    {
        for (int i = 0; i < input.Length; i++)
        {
            byte next = input[i];
            if (next is >= (byte)'0' and <= (byte)'9' && _numberBytes < NumberBytesMax - 2 && _number >= 0)
            {
                _number = (_number * 10) + (next - '0');
                _numberBytes++;
            }
            else if (next == (byte)'-' && _numberBytes == 0 && !_isNegative)
            {
                _isNegative = true;
            }
            else if (next == (byte)'\r' && _numberBytes > 0)
            {
                // Its line feed must be next; until that has come the number stands with this mark.
                _numberBytes = NumberBytesMax;
            }
            else if (next == (byte)'\n' && _numberBytes == NumberBytesMax)
            {
                input = input[(i + 1)..];
                _number = _isNegative ? -_number : _number;
                return true;
            }
            else
            {
                Error = invalid;
                return false;
            }
        }

        input = [];
        return false;
    }

    private RespRead? ReadWordCount(ref ReadOnlySpan<byte> input)
    {
        const string invalid = "ERR Protocol error: invalid multibulk length";
        if (!TryReadNumber(ref input, invalid))
        {
            return Error.Length > 0 ? RespRead.Malformed : null;
        }

        if (_number > limits.WordsMax && ProtocolGuards.LengthsAreJudgedFirst)
        {
            Error = invalid;
            return RespRead.Malformed;
        }

        // No words, or fewer than none: no command, as Redis has it.
        _wordsLeft = _number;
        _state = _number <= 0 ? State.Start : State.WordMark;
        return null;
    }

    private RespRead? ReadWordMark(ref ReadOnlySpan<byte> input)
    {
        if (input[0] != (byte)'$')
        {
            Error = $"ERR Protocol error: expected '$', got '{Shown(input[0])}'";
            return RespRead.Malformed;
        }

        input = input[1..];
        BeginNumber(State.WordLength);
        return null;
    }

    private RespRead? ReadWordLength(ref ReadOnlySpan<byte> input, RespCommand command)
    {
        const string invalid = "ERR Protocol error: invalid bulk length";
        if (!TryReadNumber(ref input, invalid))
        {
            return Error.Length > 0 ? RespRead.Malformed : null;
        }

        bool isTooLong = _number > limits.SkippedBytesMax && ProtocolGuards.LengthsAreJudgedFirst;
        if (_number < 0 || _isNegative || isTooLong)
        {
            Error = invalid;
            return RespRead.Malformed;
        }

        _bytesLeft = _number;
        if (command.Problem is null)
        {
            Judge(command);
        }

        _state = State.Bytes;
        return _bytesLeft == 0 ? ReadBytes(ref input, command) : null;
    }

    /// <summary>Refuses a command whose words are too long; its bytes are read and forgotten.</summary>
    private void Judge(RespCommand command)
    {
        if (_bytesLeft > limits.WordBytesMax)
        {
            command.Refuse(
                $"ERR argument {command.Count} of the command has {_bytesLeft} bytes, more than the "
                + $"{limits.WordBytesMax} allowed; nothing was done");
        }
        else if (command.Bytes + _bytesLeft > limits.CommandBytesMax)
        {
            command.Refuse(TooLarge);
        }
    }

    private RespRead? ReadBytes(ref ReadOnlySpan<byte> input, RespCommand command)
    {
        int length = (int)Math.Min(_bytesLeft, input.Length);
        if (!command.TryAppend(input[..length], _bytesLeft - length))
        {
            return RespRead.NeedsRoom;
        }

        _bytesLeft -= length;
        input = input[length..];
        if (_bytesLeft == 0)
        {
            command.EndWord();
            _numberBytes = 0;
            _state = State.BytesEnd;
        }

        return null;
    }

    private RespRead? ReadBytesEnd(ref ReadOnlySpan<byte> input, RespCommand command)
    {
        while (!input.IsEmpty && _numberBytes < 2)
        {
            if (input[0] != (_numberBytes == 0 ? (byte)'\r' : (byte)'\n'))
            {
                Error = "ERR Protocol error: expected CRLF behind an argument";
                return RespRead.Malformed;
            }

            _numberBytes++;
            input = input[1..];
        }

        if (_numberBytes < 2)
        {
            return null;
        }

        _wordsLeft--;
        _state = _wordsLeft == 0 ? State.Start : State.WordMark;
        if (_wordsLeft > 0 && command.Problem is null && command.Bytes > limits.CommandBytesMax)
        {
            command.Refuse(TooLarge);
        }

        return _wordsLeft == 0 ? RespRead.Command : null;
    }

    private RespRead? ReadLine(ref ReadOnlySpan<byte> input, RespCommand command)
    {
        switch (_line!.Take(ref input, command))
        {
            case InlineEnd.NeedsMore:
                return null;
            case InlineEnd.NeedsRoom:
                return RespRead.NeedsRoom;
            case InlineEnd.Empty:
                _state = State.Start;
                return null;
            case InlineEnd.Words:
                _state = State.Start;
                return RespRead.Command;
            default:
                Error = _line.Error;
                return RespRead.Malformed;
        }
    }

    private static string Shown(byte value) =>
        value is > 0x20 and < 0x7F ? ((char)value).ToString() : $"\\x{value:x2}";
}
