using System.Net;
using System.Net.Sockets;
using Quorate.Core.Model;
using Quorate.Server.Peers;

namespace Quorate.Server.Tests.Peers;

/// <summary>Shakes hands and then says nothing any more, as a machine that lost its power.</summary>
internal sealed class MutePeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _sockets = [];

    public MutePeer(NodeId node)
    {
        _listener.Start();
        _ = Serve(node);
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public void Dispose()
    {
        _listener.Dispose();
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Dispose());
        }
    }

    private async Task Serve(NodeId node)
    {
        while (true)
        {
            Socket socket = await _listener.AcceptSocketAsync().ConfigureAwait(false);
            lock (_sockets)
            {
                _sockets.Add(socket);
            }

            try
            {
                await Handshake.ReadHello(socket, CancellationToken.None).ConfigureAwait(false);
                PeerIdentity self = new(TestPeer.Cluster, node, 1, 9);
                Welcome welcome = new(PeerRefusal.None, Handshake.Version, self, 0);
                await socket.WriteAll(Handshake.Encode(welcome), CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // On a busy machine the other end may give up the handshake, and comes again.
            }
        }
    }
}
