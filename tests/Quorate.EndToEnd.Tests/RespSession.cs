using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A connection of a Redis client that stays open. Replies are shown as text: a status as `+OK`, an error as `-ERR
/// ...`, a number as `:1`, a string as it is, what is absent as `(nil)`, an array as `[a, b]`.
/// </summary>
internal sealed class RespSession : IDisposable
{
    public const string Absent = "(nil)";

    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly Stream _stream;

    /// <param name="patience">
    /// How long one reply may take to come; what takes longer hangs, and throws an IOException.
    /// </param>
    public RespSession(IPEndPoint node, TimeSpan? patience = null)
    {
        int milliseconds = (int)(patience ?? Soon.Patience).TotalMilliseconds;
        (_client.ReceiveTimeout, _client.SendTimeout) = (milliseconds, milliseconds);
        _client.Connect(node);
        _stream = new BufferedStream(_client.GetStream(), 16 * 1024);
    }

    public string Call(params string[] words)
    {
        Send(words);
        return Receive();
    }

    /// <summary>Null when the connection breaks.</summary>
    public string? TryCall(params string[] words)
    {
        try
        {
            return Call(words);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return null;
        }
    }

    public void Send(params string[] words)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (string word in words)
        {
            text.Append(CultureInfo.InvariantCulture, $"${Encoding.Latin1.GetByteCount(word)}\r\n{word}\r\n");
        }

        SendRaw(Encoding.Latin1.GetBytes(text.ToString()));
    }

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        _stream.Flush();
    }

    public string Receive()
    {
        string line = ReadLine();
        int length = line[0] is '$' or '*' ? int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture) : 0;
        return line[0] switch
        {
            '$' or '*' when length < 0 => Absent,
            '$' => ReadText(length),
            '*' => $"[{string.Join(", ", Enumerable.Range(0, length).Select(_ => Receive()).ToArray())}]",
            '+' or '-' or ':' => line,
            _ => throw new InvalidDataException($"'{line}' is no reply."),
        };
    }

    public void Dispose()
    {
        // Not the buffer: what it holds could be sent no more.
        _client.Dispose();
    }

    private string ReadText(int length)
    {
        byte[] bytes = new byte[length + 2];
        _stream.ReadExactly(bytes);
        return Encoding.Latin1.GetString(bytes, 0, length);
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        while (true)
        {
            int read = _stream.ReadByte();
            if (read < 0)
            {
                throw new IOException("The node has closed the connection.");
            }

            if (read == '\n')
            {
                return line.Length > 1
                    ? line.ToString(0, line.Length - 1)
                    : throw new InvalidDataException("An empty line is no reply.");
            }

            line.Append((char)read);
        }
    }
}
