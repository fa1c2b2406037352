using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Node.Tests.Commands;

/// <summary>A connection that hands out replies as the bytes that came. Words are sent in Latin-1: a character is a
/// byte.</summary>
internal sealed class RawReplies : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true, ReceiveTimeout = 60_000, SendTimeout = 60_000 };
    private readonly NetworkStream _stream;
    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly MemoryStream _reply = new();
    private int _length;
    private int _at;

    /// <summary>Connects, and waits while nobody listens there yet.</summary>
    /// <param name="stillComes">Asserts that there is somebody who will listen.</param>
    public RawReplies(IPEndPoint server, Action? stillComes = null)
    {
        Soon.IsHere(
            () =>
            {
                try
                {
                    _client.Connect(server);
                }
                catch (SocketException)
                {
                    stillComes?.Invoke();
                }

                return _client.Connected;
            },
            $"{server} lets clients in");
        _stream = _client.GetStream();
    }

    public byte[] Run(params string[] words) => RunAll([words])[0];

    /// <summary>Lines in one packet, and their replies.</summary>
    public byte[][] RunAll(IReadOnlyCollection<string[]> lines)
    {
        var request = new StringBuilder();
        foreach (string[] words in lines)
        {
            request.Append($"*{words.Length}\r\n");
            foreach (string word in words)
            {
                request.Append($"${word.Length}\r\n{word}\r\n");
            }
        }

        _stream.Write(Encoding.Latin1.GetBytes(request.ToString()));
        byte[][] replies = new byte[lines.Count][];
        for (int i = 0; i < replies.Length; i++)
        {
            _reply.SetLength(0);
            ReadReply();
            replies[i] = _reply.ToArray();
        }

        return replies;
    }

    public void Dispose() => _client.Dispose();

    private void ReadReply()
    {
        string line = ReadLine();
        int count = line[0] switch
        {
            '*' or '~' or '>' => int.Parse(line.AsSpan(1)),
            '%' => 2 * int.Parse(line.AsSpan(1)),
            _ => 0,
        };
        for (int i = 0; i < count; i++)
        {
            ReadReply();
        }

        int length = line[0] == '$' ? int.Parse(line.AsSpan(1)) : -1;
        for (int i = 0; length >= 0 && i < length + 2; i++)
        {
            _reply.WriteByte(ReadByte());
        }
    }

    private string ReadLine()
    {
        var line = new StringBuilder();
        while (line.Length < 2 || line[^2] != '\r' || line[^1] != '\n')
        {
            byte next = ReadByte();
            line.Append((char)next);
            _reply.WriteByte(next);
        }

        return line.ToString(0, line.Length - 2);
    }

    private byte ReadByte()
    {
        if (_at == _length)
        {
            _length = _stream.Read(_buffer);
            _at = 0;
            Assert.True(_length > 0, "the server has closed the connection");
        }

        return _buffer[_at++];
    }
}
