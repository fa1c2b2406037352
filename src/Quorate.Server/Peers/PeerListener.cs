using System.Net;
using System.Net.Sockets;

namespace Quorate.Server.Peers;

/// <summary>Lets other nodes connect: one handshake each, within a time, and few at once.</summary>
internal sealed class PeerListener : IDisposable
{
    private const int HandshakesMax = 256;
    private const int Backlog = 512;

    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(50);

    private readonly PeerNetwork _network;
    private readonly Socket _socket;
    private int _handshakes;
    private string? _said;
    private bool _isDisposed;

    public PeerListener(PeerNetwork network, IPEndPoint at)
    {
        _network = network;
        _socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _socket.Bind(at);
            _socket.Listen(Backlog);
            EndPoint = (IPEndPoint)_socket.LocalEndPoint!;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    public IPEndPoint EndPoint { get; }

    public void Start() => _ = Accept();

    public void Dispose()
    {
        Volatile.Write(ref _isDisposed, true);
        _socket.Dispose();
    }

    private async Task Accept()
    {
        while (!Volatile.Read(ref _isDisposed))
        {
            try
            {
                Socket socket = await _socket.AcceptAsync().ConfigureAwait(false);
                _ = Serve(socket);
            }
            catch (Exception e) when (PeerSockets.IsBroken(e))
            {
                if (!Volatile.Read(ref _isDisposed))
                {
                    // No descriptors left, for instance: others may let go of some.
                    _network.Happened("peer", $"No other node can connect: {e.Message}.");
                    await Task.Delay(AfterFailure).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task Serve(Socket socket)
    {
        bool isKept = false;
        try
        {
            if (Interlocked.Increment(ref _handshakes) <= HandshakesMax)
            {
                using var cancel = new CancellationTokenSource(_network.Settings.HandshakeTime.AsTimeSpan());
                isKept = await ShakeHands(socket, cancel.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (PeerSockets.IsBroken(e))
        {
            // Whoever it was has gone, or is no node.
        }
        finally
        {
            Interlocked.Decrement(ref _handshakes);
            if (!isKept)
            {
                socket.Dispose();
            }
        }
    }

    /// <summary>The same sentence is said once in a row: whoever is refused comes again.</summary>
    private void Say(string? sentence)
    {
        if (sentence is not null
            && !string.Equals(Interlocked.Exchange(ref _said, sentence), sentence, StringComparison.Ordinal))
        {
            _network.Happened("peer", sentence);
        }
    }

    /// <summary>Without the port, which is another one each time.</summary>
    private static string AddressOf(Socket socket) =>
        (socket.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "an address that is not known";

    private async Task<bool> ShakeHands(Socket socket, CancellationToken cancel)
    {
        PeerSockets.Tune(socket, _network.Settings.UnsentBytesMax);
        Hello hello = await Handshake.ReadHello(socket, cancel).ConfigureAwait(false);
        PeerIdentity? self = _network.Identity;
        PeerRefusal refusal = Handshake.Judge(hello, self);
        if (refusal == PeerRefusal.None && _network.IncomingLinks >= _network.Settings.IncomingMax)
        {
            refusal = PeerRefusal.TooMany;
        }

        ushort version = Math.Min(Handshake.Version, hello.VersionMax);
        uint window = (uint)_network.Settings.WindowBytes(hello.Lane);
        byte[] welcome = Handshake.Encode(new Welcome(refusal, version, self ?? default, window));
        await socket.WriteAll(welcome, cancel).ConfigureAwait(false);
        if (refusal != PeerRefusal.None)
        {
            Say(Handshake.SentenceHere(refusal, AddressOf(socket), hello));
            return false;
        }

        if (hello.Lane == PeerLane.Question)
        {
            await PeerQuestion.Answer(socket, _network, cancel).ConfigureAwait(false);
            return false;
        }

        var link = new IncomingLink(_network, socket, hello.Lane, hello.From);
        _network.Opened(link);
        link.Start();
        return true;
    }
}
