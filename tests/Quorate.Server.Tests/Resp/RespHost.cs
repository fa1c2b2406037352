using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Quorate.Server.Resp;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Tests.Resp;

/// <summary>The RESP endpoint on a real socket, over a node in memory.</summary>
internal sealed class RespHost : IAsyncDisposable
{
    private readonly RespServer _server;

    private RespHost(FakeGateway gateway, RespSettings settings, ClusterEndpoint? cluster)
    {
        Gateway = gateway;
        Endpoint = new RespEndpoint(settings, gateway, new RespNode { Cluster = cluster });
        var any = new IPEndPoint(IPAddress.Loopback, 0);
        _server = new RespServer(Endpoint, any, NullLoggerFactory.Instance, cluster is null ? null : any);
    }

    public FakeGateway Gateway { get; }

    public RespEndpoint Endpoint { get; }

    public int Port => _server.Address.Port;

    public static async Task<RespHost> StartAsync(
        FakeGateway? gateway = null, RespSettings? settings = null, ClusterEndpoint? cluster = null)
    {
        var host = new RespHost(gateway ?? new FakeGateway(), settings ?? new RespSettings(), cluster);
        await host._server.StartAsync();
        return host;
    }

    public Task StopAsync() => _server.StopAsync();

    public RawClient Connect() => new(Port);

    /// <summary>A connection to its cluster endpoint.</summary>
    public RawClient ConnectToCluster() => new(_server.ClusterAddress!.Port);

    public async ValueTask DisposeAsync()
    {
        Gateway.IsHeld = false;
        await _server.DisposeAsync();
        Gateway.Dispose();
    }
}
