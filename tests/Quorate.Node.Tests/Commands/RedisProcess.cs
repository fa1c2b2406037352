using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quorate.Node.Tests.Commands;

/// <summary>A real redis-server for comparison, on a free port, with nothing on disk. RESP3 over a raw
/// socket.</summary>
internal sealed class RedisProcess : IDisposable
{
    private readonly Process _process;
    private readonly NetworkStream _stream;
    private readonly TcpClient _client = new();
    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly MemoryStream _reply = new();
    private int _length;
    private int _at;

    public RedisProcess(string path)
    {
        int port = TestPorts.TakeOne();
        _process = Process.Start(new ProcessStartInfo(
            path, $"--port {port} --bind 127.0.0.1 --save '' --appendonly no --daemonize no --loglevel warning")
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
        })!;
        Connect(port);
        _stream = _client.GetStream();
        Run("HELLO", "3");
    }

    /// <summary>Where redis-server is installed; null when it is not.</summary>
    public static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "redis-server"))
            .FirstOrDefault(File.Exists);

    public byte[] Run(params string[] words)
    {
        var request = new StringBuilder($"*{words.Length}\r\n");
        foreach (string word in words)
        {
            request.Append($"${word.Length}\r\n{word}\r\n");
        }

        _stream.Write(Encoding.Latin1.GetBytes(request.ToString()));
        _reply.SetLength(0);
        ReadReply();
        return _reply.ToArray();
    }

    public void Dispose()
    {
        _client.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Connect(int port) => Soon.IsHere(
        () =>
        {
            try
            {
                _client.Connect(IPAddress.Loopback, port);
            }
            catch (SocketException)
            {
                Assert.False(_process.HasExited, "redis-server has ended");
            }

            return _client.Connected;
        },
        "redis-server lets clients in");

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

        for (int i = 0; line[0] == '$' && i < int.Parse(line.AsSpan(1)) + 2; i++)
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
            Assert.True(_length > 0, "redis-server has closed the connection");
        }

        return _buffer[_at++];
    }
}
