using System.Diagnostics;
using System.Net;

namespace Quorate.Node.Tests.Commands;

/// <summary>A real redis-server for comparison, on a free port, with nothing on disk.</summary>
internal sealed class RedisProcess : IDisposable
{
    private readonly Process _process;

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
        Connection = new RawReplies(
            new IPEndPoint(IPAddress.Loopback, port),
            stillComes: () => Assert.False(_process.HasExited, "redis-server has ended"));
        Connection.Run("HELLO", "3");
    }

    /// <summary>The connection to it, which speaks RESP3.</summary>
    public RawReplies Connection { get; }

    /// <summary>Where redis-server is installed; null when it is not.</summary>
    public static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "redis-server"))
            .FirstOrDefault(File.Exists);

    public byte[] Run(params string[] words) => Connection.Run(words);

    public void Dispose()
    {
        Connection.Dispose();
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
