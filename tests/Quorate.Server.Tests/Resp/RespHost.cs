using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Quorate.Server.Resp;

namespace Quorate.Server.Tests.Resp;

/// <summary>The RESP endpoint on a real socket, over a node in memory.</summary>
internal sealed class RespHost : IAsyncDisposable
{
    private readonly RespServer _server;

    private RespHost(FakeGateway gateway, RespSettings settings)
    {
        Gateway = gateway;
        Endpoint = new RespEndpoint(settings, gateway, new RespNode());
        _server = new RespServer(Endpoint, new IPEndPoint(IPAddress.Loopback, 0), NullLoggerFactory.Instance);
    }

    public FakeGateway Gateway { get; }

    public RespEndpoint Endpoint { get; }

    public int Port => _server.Address.Port;

    public static async Task<RespHost> StartAsync(FakeGateway? gateway = null, RespSettings? settings = null)
    {
        var host = new RespHost(gateway ?? new FakeGateway(), settings ?? new RespSettings());
        await host._server.StartAsync();
        return host;
    }

    public Task StopAsync() => _server.StopAsync();

    public RawClient Connect() => new(Port);

    public async ValueTask DisposeAsync()
    {
        Gateway.IsHeld = false;
        await _server.DisposeAsync();
        Gateway.Dispose();
    }
}
