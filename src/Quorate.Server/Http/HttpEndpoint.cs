using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quorate.Node.Cluster;
using Quorate.Server.Disk;
using Quorate.Server.Http.Entries;
using Quorate.Server.Reading;
using Quorate.Server.Resp;
using Quorate.Server.Runtime;

namespace Quorate.Server.Http;

/// <summary>
/// A node's HTTP port: whether it lives, whether clients may be sent to it, metrics, status and the last events.
/// </summary>
public sealed class HttpEndpoint : IAsyncDisposable
{
    private const string PrometheusText = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(), new IdConverterFactory() },
        WriteIndented = true,
    };

    private static readonly JsonSerializerOptions LineOptions = new(JsonSerializerDefaults.Web);

    private readonly WebApplication _application;
    private readonly NodeFacts _facts;
    private EntryEndpoints? _entries;

    private HttpEndpoint(WebApplication application, NodeFacts facts)
    {
        _application = application;
        _facts = facts;
    }

    /// <summary>Listens and serves.</summary>
    /// <exception cref="IOException">The port is taken, or the address is not here.</exception>
    public static async Task<HttpEndpoint> Start(
        IPEndPoint at, NodeFacts facts, LocalReads? reads, int requestDeadlineMilliseconds)
    {
        WebApplication application = Build(at, facts.Memory.Limits.HttpConnectionsMax);
        var endpoint = new HttpEndpoint(application, facts);
        endpoint._entries = new EntryEndpoints(
            facts.Loop,
            reads,
            requestDeadlineMilliseconds,
            facts.Memory.Limits.Of(new RespSettings()).RepliesBytesMax,
            facts.Memory.Limits.HttpBodyBytesMax,
            TimeProvider.System)
        {
            IsUnjoined = () => facts.Host.IsUnjoined,
            Faulty = sentence => facts.Events.Add(new("fault", sentence)),
        };
        endpoint._entries.Map(application);
        application.Map("/health/live", endpoint._entries.Watched(endpoint.Live));
        application.Map("/health/ready", endpoint._entries.Watched(endpoint.Ready));
        application.Map("/metrics", endpoint._entries.Watched(endpoint.Metrics));
        application.Map("/status", endpoint._entries.Watched(endpoint.Status));
        application.Map("/events", endpoint._entries.Watched(endpoint.Events));
        facts.More.Add(endpoint.AddMetrics);
        await application.StartAsync().ConfigureAwait(false);
        return endpoint;
    }

    /// <summary>A server on an address that answers nothing yet.</summary>
    internal static WebApplication Build(IPEndPoint at, int connectionsMax)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { Args = [], ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Listen(at, HttpVersions.Choose);
            options.AllowAlternateSchemes = true;
            options.Limits.Http2.MaxStreamsPerConnection = EntryLimits.StreamsMax;
            options.AddServerHeader = false;
            options.Limits.MaxConcurrentConnections = connectionsMax;
            options.Limits.MaxRequestLineSize = EntryLimits.RequestLineBytesMax;
            options.Limits.MaxRequestBufferSize = EntryLimits.ReadAheadBytes;
            options.Limits.MaxResponseBufferSize = EntryLimits.ConnectionBufferBytes;
            options.Limits.Http2.InitialConnectionWindowSize = 2 * EntryLimits.ConnectionBufferBytes;
            options.Limits.Http2.InitialStreamWindowSize = 2 * EntryLimits.ConnectionBufferBytes;
            options.Limits.MaxRequestBodySize = 64 * 1024;
        });

        // The process ends by its own signals, in its own order.
        builder.Services.Add(new(typeof(IHostLifetime), typeof(NoLifetime), default));
        WebApplication application = builder.Build();

        // Sockets' continuations run where bytes arrive, in the whole process: a handler leaves that thread at once.
        application.Use(static async (HttpContext context, RequestDelegate next) =>
        {
            await Task.Yield();
            await next(context).ConfigureAwait(false);
        });
        return application;
    }

    /// <summary>Bodies and replies of requests that are under way, in bytes.</summary>
    public long WaitingBytes => _entries?.WaitingBytes ?? 0;

    public async ValueTask DisposeAsync() => await _application.DisposeAsync().ConfigureAwait(false);

    private void AddMetrics(MetricsText text)
    {
        EntryEndpoints entries = _entries!;
        text.Counter("quorate_http_answers_total", "Answers over HTTP about entries and keyspaces, by their status.");
        foreach ((string name, long count) in entries.Counters.Answers)
        {
            text.Add(count, "status", name);
        }

        text.Gauge("quorate_http_waiting_bytes", "Bodies and replies of requests over HTTP that are under way.")
            .Add(entries.WaitingBytes);
        text.Histogram("quorate_http_seconds", "How long answers over HTTP took.", entries.Counters.Times);
    }

    private Task Live(HttpContext context) => Say(context, StatusCodes.Status200OK, "alive\n", "text/plain");

    private async Task Ready(HttpContext context)
    {
        string? problem = _facts.NotReady(await _facts.Report().ConfigureAwait(false));
        int status = problem is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await Say(context, status, (problem ?? "ready") + "\n", "text/plain").ConfigureAwait(false);
    }

    private async Task Metrics(HttpContext context)
    {
        ClusterReport? report = await _facts.Report().ConfigureAwait(false);
        string text = NodeMetrics.Of(_facts, report);
        await Say(context, StatusCodes.Status200OK, text, PrometheusText).ConfigureAwait(false);
    }

    private async Task Status(HttpContext context)
    {
        ClusterReport? report = await _facts.Report().ConfigureAwait(false);
        string? problem = _facts.NotReady(report);
        string json = JsonSerializer.Serialize(
            new NodeStatus(
                problem is null, problem, Environment.ProcessId, DiskSpace.Of(_facts.Folder), report), JsonOptions);
        await Say(context, StatusCodes.Status200OK, json + "\n", "application/json").ConfigureAwait(false);
    }

    private Task Events(HttpContext context)
    {
        var lines = new StringBuilder();
        foreach (TimedEvent timed in _facts.Events.All())
        {
            string time = timed.Time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            var line = new EventLine(timed.Number, time, timed.Event.Kind, timed.Event.Sentence);
            lines.Append(JsonSerializer.Serialize(line, LineOptions)).Append('\n');
        }

        return Say(context, StatusCodes.Status200OK, lines.ToString(), "application/x-ndjson");
    }

    private static async Task Say(HttpContext context, int status, string text, string type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(text).ConfigureAwait(false);
    }

    /// <summary>A node as /status shows it.</summary>
    /// <param name="NotReady">Why clients should not be sent here.</param>
    private sealed record NodeStatus(
        bool Ready, string? NotReady, int Process, DiskSpace Disk, ClusterReport? Report);

    private sealed record EventLine(long Number, string Time, string Kind, string Sentence);

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
