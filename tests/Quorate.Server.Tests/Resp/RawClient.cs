using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Server.Tests.Resp;

/// <summary>A client that shows replies as the bytes that they are, in text: a character is a byte.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly NetworkStream _stream;
    private readonly byte[] _buffer = new byte[1 << 16];
    private int _length;
    private int _at;

    public RawClient(int port)
    {
        _client.ReceiveTimeout = _client.SendTimeout = (int)Soon.Patience.TotalMilliseconds;
        _client.Connect(IPAddress.Loopback, port);
        _stream = _client.GetStream();
    }

    public Socket Socket => _client.Client;

    /// <summary>One command of words between blanks, and its reply; `''` is the empty word.</summary>
    public string Run(string line) => Run(WordsOf(line));

    public string Run(string[] words)
    {
        Send(Encode(words));
        return ReadReply();
    }

    /// <summary>Several lines in one packet, and their replies.</summary>
    public string[] RunAll(params string[] lines)
    {
        Send(string.Concat(lines.Select(line => Encode(WordsOf(line)))));
        return [.. lines.Select(_ => ReadReply())];
    }

    public void Send(string bytes) => _stream.Write(Encoding.Latin1.GetBytes(bytes));

    public static string[] WordsOf(string line) =>
        [.. line.Split(' ').Select(word => string.Equals(word, "''", StringComparison.Ordinal) ? "" : word)];

    public static string Encode(params string[] words) =>
        $"*{words.Length}\r\n{string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"))}";

    public string ReadReply()
    {
        var reply = new StringBuilder();
        Read(reply);
        return reply.ToString();
    }

    /// <summary>Whether the server has closed the connection; waits for it.</summary>
    public bool IsClosed()
    {
        try
        {
            return _at == _length && _stream.Read(_buffer) == 0;
        }
        catch (IOException e)
            when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return true;
        }
    }

    public void Dispose() => _client.Dispose();

    private void Read(StringBuilder reply)
    {
        string line = ReadLine();
        reply.Append(line);
        long number = line[0] is '*' or '~' or '>' or '%' or '$' or '='
            ? long.Parse(line.AsSpan(1, line.Length - 3), System.Globalization.CultureInfo.InvariantCulture)
            : 0;
        if (line[0] is '$' or '=')
        {
            for (long i = 0; number >= 0 && i < number + 2; i++)
            {
                reply.Append((char)ReadByte());
            }

            return;
        }

        for (long i = 0; i < (line[0] == '%' ? 2 * number : number); i++)
        {
            Read(reply);
        }
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        do
        {
            line.Append((char)ReadByte());
        }
        while (line.Length < 2 || line[^1] != '\n');
        return line.ToString();
    }

    private byte ReadByte()
    {
        if (_at == _length)
        {
            _length = _stream.Read(_buffer);
            _at = 0;
            if (_length == 0)
            {
                throw new IOException("the server has closed the connection");
            }
        }

        return _buffer[_at++];
    }
}
