using System.Buffers.Text;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Cli.Resp;

/// <summary>
/// A connection of an operator's command to a node, by the Redis protocol 3: one request after the other, each waited
/// for.
/// </summary>
internal sealed class RespLink : IDisposable
{
    /// <summary>Members within members.</summary>
    private const int DepthMax = 64;

    /// <summary>A reply that is larger is not taken, in bytes.</summary>
    private const long ReplyBytesMax = 1L << 30;

    /// <summary>How long a connection, or one reply, may take to come: longer than requests' deadlines do.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(5);

    private readonly TcpClient _client;
    private readonly NetworkStream _socket;
    private readonly BufferedStream _replies;
    private readonly List<byte> _line = [];
    private long _replyBytes;

    private RespLink(TcpClient client, string address)
    {
        _client = client;
        _socket = client.GetStream();
        _replies = new BufferedStream(_socket, 64 * 1024);
        Address = address;
        int milliseconds = (int)Patience.TotalMilliseconds;
        (client.ReceiveTimeout, client.SendTimeout) = (milliseconds, milliseconds);
        client.NoDelay = true;
    }

    /// <summary>As it was named.</summary>
    public string Address { get; }

    /// <summary>What the server has said of itself; a map, or nothing when it knows no version 3.</summary>
    public RespValue Greeting { get; private set; } = RespValue.Null;

    /// <summary>Is given what nobody has asked for.</summary>
    public Action<RespValue>? Pushed { get; set; }

    /// <summary>Connects; null, with a sentence, when nobody answers there.</summary>
    public static RespLink? Open(string address, out string problem)
    {
        problem = "";
        if (!TrySplit(address, out string host, out int port))
        {
            problem = $"'{address}' is no address of the form host:port.";
            return null;
        }

        var client = new TcpClient();
        try
        {
            using var limit = new CancellationTokenSource(ConnectTime);
            client.ConnectAsync(host, port, limit.Token).AsTask().GetAwaiter().GetResult();
            var link = new RespLink(client, address);
            RespValue greeting = link.Call("HELLO", "3");
            link.Greeting = greeting.IsError ? RespValue.Null : greeting;
            return link;
        }
        catch (Exception e) when (IsOver(e) || e is OperationCanceledException)
        {
            client.Dispose();
            string why = e is OperationCanceledException ? "it does not answer in time" : e.Message.TrimEnd('.');
            problem = $"No node can be reached at {address} ({why}): does one run there?";
            return null;
        }
    }

    /// <summary>An exception by which a connection tells that it is over.</summary>
    public static bool IsOver(Exception e) => e is IOException or SocketException or ObjectDisposedException;

    /// <summary>host:port, [host]:port, or a port alone.</summary>
    public static bool TrySplit(string address, out string host, out int port)
    {
        int colon = address.LastIndexOf(':');
        host = colon < 0 ? "127.0.0.1" : address[..colon].Trim('[', ']');
        return int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
            && port is > 0 and < 65536 && host.Length > 0;
    }

    /// <summary>Sends a request and waits for its reply.</summary>
    /// <exception cref="IOException">The connection is over; what was asked may have been done.</exception>
    public RespValue Call(params IReadOnlyList<string> words) =>
        Call([.. words.Select(Encoding.UTF8.GetBytes)]);

    /// <inheritdoc cref="Call(IReadOnlyList{string})"/>
    public RespValue Call(IReadOnlyList<byte[]> words)
    {
        using var request = new MemoryStream();
        Write(request, $"*{words.Count}\r\n");
        foreach (byte[] word in words)
        {
            Write(request, $"${word.Length}\r\n");
            request.Write(word);
            request.Write("\r\n"u8);
        }

        _socket.Write(request.GetBuffer().AsSpan(0, (int)request.Length));
        while (true)
        {
            _replyBytes = 0;
            RespValue reply = Read(0);

            // SUBSCRIBE and its like are answered by what is else not asked for.
            if (reply.Kind != RespKind.Push || IsAnswerTo(reply, words))
            {
                return reply;
            }

            Pushed?.Invoke(reply);
        }
    }

    public void Dispose()
    {
        _replies.Dispose();
        _client.Dispose();
    }

    private static bool IsAnswerTo(RespValue push, IReadOnlyList<byte[]> words) =>
        push.Items.Length > 0
        && string.Equals(push.Items[0].Text, Encoding.UTF8.GetString(words[0]), StringComparison.OrdinalIgnoreCase);

    private static void Write(MemoryStream request, FormattableString text) =>
        request.Write(Encoding.ASCII.GetBytes(text.ToString(CultureInfo.InvariantCulture)));

    private RespValue Read(int depth)
    {
        byte[] line = ReadLine();
        if (line.Length == 0 || depth > DepthMax)
        {
            throw new IOException("the reply is none of the Redis protocol");
        }

        byte[] rest = line[1..];
        switch (line[0])
        {
            case (byte)'+':
                return new(RespKind.Simple, rest, []);
            case (byte)'-':
                return new(RespKind.Error, rest, []);
            case (byte)':':
            case (byte)',':
            case (byte)'(':
                return new(RespKind.Number, rest, []);
            case (byte)'#':
                return new(RespKind.Simple, rest is [(byte)'t'] ? "true"u8.ToArray() : "false"u8.ToArray(), []);
            case (byte)'_':
                return RespValue.Null;
            case (byte)'$':
            case (byte)'!':
            case (byte)'=':
                return ReadBytes((char)line[0], LengthOf(rest));
            case (byte)'*':
            case (byte)'~':
                return ReadItems(RespKind.Array, LengthOf(rest), depth);
            case (byte)'>':
                return ReadItems(RespKind.Push, LengthOf(rest), depth);
            case (byte)'%':
                return ReadItems(RespKind.Map, 2 * LengthOf(rest), depth);
            default:
                throw new IOException("the reply is none of the Redis protocol");
        }
    }

    private RespValue ReadBytes(char type, long length)
    {
        if (length < 0)
        {
            return RespValue.Null;
        }

        Count(length);
        byte[] bytes = new byte[length];
        _replies.ReadExactly(bytes);
        ReadLine();

        // A verbatim text says its form first (txt:).
        return type switch
        {
            '!' => new(RespKind.Error, bytes, []),
            '=' when bytes.Length >= 4 => new(RespKind.Text, bytes[4..], []),
            _ => new(RespKind.Text, bytes, []),
        };
    }

    private RespValue ReadItems(RespKind kind, long count, int depth)
    {
        if (count < 0)
        {
            return RespValue.Null;
        }

        Count(count);
        var items = new List<RespValue>();
        for (long i = 0; i < count; i++)
        {
            items.Add(Read(depth + 1));
        }

        return new(kind, [], [.. items]);
    }

    private void Count(long bytes)
    {
        _replyBytes += bytes;
        if (_replyBytes > ReplyBytesMax)
        {
            throw new IOException("the reply is too large to be shown: ask for less at a time");
        }
    }

    private static long LengthOf(byte[] text) =>
        Utf8Parser.TryParse(text, out long length, out int read) && read == text.Length
            ? length
            : throw new IOException("the reply is none of the Redis protocol");

    private byte[] ReadLine()
    {
        _line.Clear();
        while (true)
        {
            int next = _replies.ReadByte();
            if (next < 0)
            {
                throw new IOException("the connection is over");
            }

            if (next == '\n')
            {
                return [.. _line.Take(_line.Count - 1)];
            }

            Count(1);
            _line.Add((byte)next);
        }
    }
}
