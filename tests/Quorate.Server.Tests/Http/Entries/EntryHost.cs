using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Quorate.Server.Http;
using Quorate.Server.Http.Entries;
using Quorate.Server.Tests.Resp;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>What a node answers over HTTP, before a node in memory.</summary>
internal sealed class EntryHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    /// <summary>
    /// A client that sends its body unasked after a while is cut in the middle of it when it is refused.
    /// </summary>
    private readonly HttpClient _http = new(new SocketsHttpHandler { Expect100ContinueTimeout = Soon.Patience })
    {
        Timeout = Soon.Patience,
    };

    private EntryHost(WebApplication application) => _application = application;

    public FakeGateway Gateway { get; } = new();

    public Uri Address { get; private set; } = null!;

    /// <summary>The node waits to be told which cluster to join.</summary>
    public bool IsUnjoined { get; set; }

    /// <summary>What the node would tell of its own faults.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    public static async Task<EntryHost> Start(TimeProvider? clock = null)
    {
        WebApplication application = HttpEndpoint.Build(new IPEndPoint(IPAddress.Loopback, 0), 100);
        var host = new EntryHost(application);
        const int bytes = 64 * 1024 * 1024;
        (int, long) body = (EntryLimits.BodyBytesMax, EntryLimits.BodiesBytesMax);
        var endpoints = new EntryEndpoints(host.Gateway, null, 5000, bytes, body, clock ?? TimeProvider.System)
        {
            IsUnjoined = () => host.IsUnjoined,
            Faulty = host.Faults.Enqueue,
        };
        endpoints.Map(application);
        application.Map("/watched", endpoints.Watched(context => context.Request.QueryString.HasValue
            ? throw new InvalidOperationException("spoilt on purpose")
            : context.Response.WriteAsync("seen")));
        await application.StartAsync();
        host.Address = new(application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _application.DisposeAsync();
        Gateway.Dispose();
    }

    /// <summary>Asks; headers as `Name: value`.</summary>
    public async Task<EntryReply> Ask(string method, string path, string? body = null, params string[] headers)
    {
        // The path goes as it is written, so that dots and percents are the server's matter.
        using var request = new HttpRequestMessage(
            new HttpMethod(method),
            new Uri(Address.ToString().TrimEnd('/') + path, new UriCreationOptions
            {
                DangerousDisablePathAndQueryCanonicalization = true,
            }));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(body));

            // Who is refused for a length stops sending only if it was asked to wait.
            request.Headers.ExpectContinue = body.Length > 1024 * 1024;
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        foreach (string header in headers)
        {
            int at = header.IndexOf(": ", StringComparison.Ordinal);
            Assert.True(request.Headers.TryAddWithoutValidation(header[..at], header[(at + 2)..])
                || request.Content!.Headers.TryAddWithoutValidation(header[..at], header[(at + 2)..]));
        }

        using HttpResponseMessage answer = await _http.SendAsync(request);
        return new(
            (int)answer.StatusCode,
            answer.Content.Headers.ContentType?.MediaType ?? "",
            answer.Headers.ETag?.ToString() ?? "",
            answer.Headers.RetryAfter?.ToString() ?? "",
            await answer.Content.ReadAsByteArrayAsync());
    }

    public async Task<JsonElement> Value(string path)
    {
        EntryReply reply = await Ask("GET", path);
        Assert.Equal(200, reply.Status);
        return reply.Json;
    }
}

/// <summary>An answer.</summary>
internal sealed record EntryReply(int Status, string Type, string Tag, string RetryAfter, byte[] Bytes)
{
    public string Text => Encoding.UTF8.GetString(Bytes);

    public JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

    public string Version => Json.GetProperty("metadata").GetProperty("valueVersion").GetString()!;
}
