using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Quorate.Core.Model;

namespace Quorate.Server.Peers;

/// <summary>How nodes' sockets are made and read.</summary>
internal static class PeerSockets
{
    /// <summary>TCP_NOTSENT_LOWAT of Linux.</summary>
    private const int NotSentLowWater = 25;

    private const int TcpLevel = 6;

    public static Socket Create() => new(SocketType.Stream, ProtocolType.Tcp);

    /// <summary>
    /// Small messages leave at once, and few bytes wait in the system's queue, where nothing can pass them.
    /// </summary>
    public static void Tune(Socket socket, int unsentBytesMax)
    {
        socket.NoDelay = true;
        socket.SetRawSocketOption(TcpLevel, NotSentLowWater, BitConverter.GetBytes(unsentBytesMax));
    }

    /// <summary>Takes "host:port" apart; false when it is none.</summary>
    public static bool TryParse(string address, out string host, out int port)
    {
        int colon = address.LastIndexOf(':');
        host = colon > 0 ? address[..colon].Trim('[', ']') : "";
        port = 0;
        return colon > 0
            && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
            && port is > 0 and <= IPEndPoint.MaxPort;
    }

    public static async Task Connect(Socket socket, string address, CancellationToken cancel)
    {
        if (!TryParse(address, out string host, out int port))
        {
            throw new InvalidDataException($"'{address}' is no address of the form host:port.");
        }

        await socket.ConnectAsync(host, port, cancel).ConfigureAwait(false);
    }

    public static async Task ReadExactly(this Socket socket, Memory<byte> bytes, CancellationToken cancel)
    {
        while (bytes.Length > 0)
        {
            int count = await socket.ReceiveAsync(bytes, cancel).ConfigureAwait(false);
            if (count == 0)
            {
                throw new IOException("The connection ended.");
            }

            bytes = bytes[count..];
        }
    }

    public static async Task WriteAll(this Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, cancel).ConfigureAwait(false)..];
        }
    }

    public static TimeSpan AsTimeSpan(this Duration time) => TimeSpan.FromMicroseconds(time.Microseconds);

    /// <summary>Whether this is how a connection ends, rather than a defect.</summary>
    public static bool IsBroken(Exception e) =>
        e is SocketException or IOException or InvalidDataException or ObjectDisposedException
            or OperationCanceledException or UnauthorizedAccessException;
}
