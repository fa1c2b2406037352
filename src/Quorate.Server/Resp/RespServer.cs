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
    private readonly ListenOptions? _clusterListen;

    /// <param name="clusterBind">Of the cluster endpoint; null for none.</param>
    public RespServer(
        RespEndpoint endpoint, IPEndPoint bind, ILoggerFactory logging, IPEndPoint? clusterBind = null)
    {
        Endpoint = endpoint;
        var options = new KestrelServerOptions();
        _listen = Listen(bind, isCluster: false);
        _clusterListen = clusterBind is null ? null : Listen(clusterBind, isCluster: true);
        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions
            {
                UnsafePreferInlineScheduling = true,
                Backlog = 4096,
                MaxReadBufferSize = endpoint.Shared.Settings.ReadAheadBytesMax,
            }),
            logging);
        _kestrel = new KestrelServer(Options.Create(options), transport, logging);

        ListenOptions Listen(IPEndPoint at, bool isCluster)
        {
            ListenOptions? listen = null;
            options.Listen(at, configure =>
            {
                listen = configure;
                configure.Protocols = HttpProtocols.None;
                ((IConnectionBuilder)configure).Use(_ => connection => endpoint.ServeAsync(connection, isCluster));
            });
            return listen!;
        }
    }

    public RespEndpoint Endpoint { get; }

    /// <summary>Where it listens; of port 0 the one that was given, once it has started.</summary>
    public IPEndPoint Address => (IPEndPoint)_listen.EndPoint;

    /// <summary>The same of the cluster endpoint; null when there is none.</summary>
    public IPEndPoint? ClusterAddress => (IPEndPoint?)_clusterListen?.EndPoint;

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
