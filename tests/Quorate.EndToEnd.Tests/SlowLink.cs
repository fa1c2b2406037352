using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Quorate.Core.Model;

namespace Quorate.EndToEnd.Tests;

/// <summary>
/// A slow link to one port: what comes in is handed on later, each connection by itself, so that what came on one
/// overtakes what came before it on another. Within a connection nothing is lost, and the order stays.
/// </summary>
internal sealed class SlowLink : IDisposable
{
    /// <summary>Pieces of a connection on their way; beyond, the sender waits.</summary>
    private const int PiecesMax = 4096;

    private readonly CancellationTokenSource _over = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly SeededRandom _random;
    private int _delayMaxMilliseconds;

    public SlowLink(int target, ulong seed)
    {
        _target = target;
        _random = new(seed);
        _listener.Start();
        _ = Task.Run(AcceptAll);
    }

    /// <summary>Where to connect to instead of the target.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Each piece takes between nothing and this. Zero: at once.</summary>
    public int DelayMaxMilliseconds
    {
        get => Volatile.Read(ref _delayMaxMilliseconds);
        set => Volatile.Write(ref _delayMaxMilliseconds, value);
    }

    public void Dispose()
    {
        _over.Cancel();
        _listener.Stop();
    }

    private async Task AcceptAll()
    {
        try
        {
            while (true)
            {
                Socket from = await _listener.AcceptSocketAsync(_over.Token);
                _ = Task.Run(() => Serve(from));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task Serve(Socket from)
    {
        using var to = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (from)
        {
            try
            {
                from.NoDelay = true;
                await to.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _target), _over.Token);

                // Once one side is gone the other is told so by the end of its own socket.
                await Task.WhenAny(Carry(from, to), Carry(to, from));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
            }
        }
    }

    private async Task Carry(Socket from, Socket to)
    {
        var way = Channel.CreateBounded<(byte[] Piece, long Due)>(PiecesMax);
        Task delivery = Deliver(way.Reader, to);
        try
        {
            byte[] buffer = new byte[64 * 1024];
            int read;
            while ((read = await from.ReceiveAsync(buffer, _over.Token)) > 0)
            {
                await way.Writer.WriteAsync((buffer[..read], Environment.TickCount64 + DrawDelay()), _over.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        way.Writer.Complete();
        await delivery;
    }

    private async Task Deliver(ChannelReader<(byte[] Piece, long Due)> way, Socket to)
    {
        try
        {
            await foreach ((byte[] piece, long due) in way.ReadAllAsync(_over.Token))
            {
                long left = due - Environment.TickCount64;
                if (left > 0)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(left), _over.Token);
                }

                for (int sent = 0; sent < piece.Length;)
                {
                    sent += await to.SendAsync(piece.AsMemory(sent), _over.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private long DrawDelay()
    {
        lock (_random)
        {
            return _random.Next(DelayMaxMilliseconds + 1);
        }
    }
}
