using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Quorate.Server.Resp;

/// <summary>
/// Kestrel for the RESP endpoint alone: its sockets' continuations run where the bytes arrive, which would not do for
/// HTTP handlers.
/// </summary>
public sealed class RespServer : IAsyncDisposable
{
    private readonly KestrelServer _kestrel;
    private readonly ListenOptions _listen;

    public RespServer(RespEndpoint endpoint, IPEndPoint bind, ILoggerFactory logging)
    {
        Endpoint = endpoint;
        var options = new KestrelServerOptions();
        ListenOptions? listen = null;
        options.Listen(bind, configure =>
        {
            listen = configure;
            configure.Protocols = HttpProtocols.None;
            ((IConnectionBuilder)configure).Use(_ => endpoint.OnConnectedAsync);
        });
        _listen = listen!;
        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions
            {
                UnsafePreferInlineScheduling = true,
                Backlog = 4096,
                MaxReadBufferSize = endpoint.Shared.Settings.ReadAheadBytesMax,
            }),
            logging);
        _kestrel = new KestrelServer(Options.Create(options), transport, logging);
    }

    public RespEndpoint Endpoint { get; }

    /// <summary>Where it listens; of port 0 the one that was given, once it has started.</summary>
    public IPEndPoint Address => (IPEndPoint)_listen.EndPoint;

    public Task StartAsync(CancellationToken cancellation = default) =>
        _kestrel.StartAsync(new NoHttp(), cancellation);

    /// <summary>Executes no more, answers what was begun, and closes. Harmless a second time.</summary>
    public async Task StopAsync(CancellationToken cancellation = default)
    {
        // Kestrel would close each connection at once, and clients would have to guess what became of their commands.
        await Endpoint.DrainAsync().ConfigureAwait(false);
        await _kestrel.StopAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _kestrel.Dispose();
        Endpoint.Dispose();
    }

    /// <summary>Kestrel wants an application; no connection of this one speaks HTTP.</summary>
    private sealed class NoHttp : IHttpApplication<int>
    {
        public int CreateContext(IFeatureCollection contextFeatures) => 0;

        public Task ProcessRequestAsync(int context) => Task.CompletedTask;

        public void DisposeContext(int context, Exception? exception)
        {
        }
    }
}
