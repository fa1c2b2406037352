using System.Buffers;
using System.Buffers.Text;
using Quorate.Core.Model;

namespace Quorate.Cli.Load;

/// <summary>Commands of the Redis protocol, written one behind the other to be sent together.</summary>
internal sealed class CommandBuffer
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);
    private readonly byte[] _padding;

    /// <param name="valueBytes">How long the values of <see cref="AddSet"/> are.</param>
    public CommandBuffer(int valueBytes, SeededRandom random)
    {
        _padding = new byte[valueBytes];
        for (int i = 0; i < _padding.Length; i++)
        {
            // Half of it compresses well, half of it does not.
            _padding[i] = (byte)(i % 2 == 0 ? 'a' : 'a' + (int)random.Next(26));
        }
    }

    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    public void Clear() => _bytes.ResetWrittenCount();

    public void Add(byte[][] words)
    {
        WriteHeader(words.Length);
        foreach (byte[] word in words)
        {
            WriteWord(word);
        }
    }

    /// <summary>A command with one argument.</summary>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> key)
    {
        WriteHeader(2);
        WriteWord(name);
        WriteWord(key);
    }

    /// <summary>A SET whose value begins with a number, by which a read recognises it.</summary>
    public void AddSet(ReadOnlySpan<byte> key, long value)
    {
        WriteHeader(3);
        WriteWord("SET"u8);
        WriteWord(key);
        Span<byte> number = stackalloc byte[21];
        Utf8Formatter.TryFormat(value, number, out int digits);
        number[digits++] = (byte)' ';
        int padding = Math.Max(0, _padding.Length - digits);
        digits = padding == 0 ? digits - 1 : digits;
        WriteNumber((byte)'$', digits + padding);
        _bytes.Write(number[..digits]);
        _bytes.Write(_padding.AsSpan(0, padding));
        _bytes.Write("\r\n"u8);
    }

    private void WriteHeader(int words) => WriteNumber((byte)'*', words);

    private void WriteWord(ReadOnlySpan<byte> word)
    {
        WriteNumber((byte)'$', word.Length);
        _bytes.Write(word);
        _bytes.Write("\r\n"u8);
    }

    private void WriteNumber(byte mark, int number)
    {
        Span<byte> bytes = _bytes.GetSpan(16);
        bytes[0] = mark;
        Utf8Formatter.TryFormat(number, bytes[1..], out int length);
        "\r\n"u8.CopyTo(bytes[(1 + length)..]);
        _bytes.Advance(length + 3);
    }
}
