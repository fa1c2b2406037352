using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Quorate.TestHelp;

/// <summary>
/// Ports of this machine for what a test starts. The system gives one port to whoever asks next, so a port that was
/// asked for and let go of can be somebody's connection before the test has used it. These lie below the range that the
/// system chooses from on Linux, and each process of tests has a block of them, locked for as long as it lives.
/// </summary>
internal static class TestPorts
{
    /// <summary>The first port of the first block.</summary>
    private const int First = 12_000;

    /// <summary>Ports in a block: none comes again before all others of its block were given out.</summary>
    private const int BlockPorts = 400;

    /// <summary>Blocks; the last ends below 32768, where the system's own range begins.</summary>
    private const int Blocks = 50;

    private static readonly Lock Gate = new();
    private static FileStream? _claim;
    private static int _block;
    private static int _next;

    /// <summary>So many ports in a row that nobody has at the moment and no other test will be given.</summary>
    public static int[] Take(int count)
    {
        lock (Gate)
        {
            _claim ??= Claim();
            int tried = 0;
            while (true)
            {
                _next = _next + count > BlockPorts ? 0 : _next;
                int[] ports = [.. Enumerable.Range(First + (_block * BlockPorts) + _next, count)];
                int taken = Array.FindLastIndex(ports, port => !IsFree(port));
                _next += taken < 0 ? count : taken + 1;
                if (taken < 0)
                {
                    return ports;
                }

                tried += taken + 1;
                Assert.True(tried < BlockPorts, $"of {BlockPorts} ports from {ports[0]} on none is free");
            }
        }
    }

    public static int TakeOne() => Take(1)[0];

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.Listen(1);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The file of a block stays open, and so locked, until the process ends, however it does.</summary>
    private static FileStream Claim()
    {
        string folder = Path.Combine(Path.GetTempPath(), "quorate-test-ports");
        Directory.CreateDirectory(folder);

        // Not all from the same end, so that those who lock nothing are met seldom.
        for (int i = 0; i < Blocks; i++)
        {
            _block = (Environment.ProcessId + i) % Blocks;
            string name = string.Create(CultureInfo.InvariantCulture, $"block-{_block}");
            try
            {
                return new FileStream(
                    Path.Combine(folder, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another process has this one.
            }
        }

        throw new InvalidOperationException($"All {Blocks} blocks of ports in {folder} are taken: who tests here?");
    }
}
