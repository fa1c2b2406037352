using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Server.Reading;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// Entries over HTTP: one, a batch, a page of a scan. They go the way of all commands, through the leader's evaluation;
/// docs/http.md tells clients what to expect.
/// </summary>
internal sealed class EntryEndpoints
{
    private const string EntryPath = "/entry/";

    private readonly INodeGateway _gateway;
    private readonly LocalReads? _reads;
    private readonly int _deadlineMilliseconds;
    private readonly RequestBody _bodies;
    private readonly ReplyRoom _answers;
    private readonly OriginCheck _origin;
    private readonly TimeProvider _clock;

    /// <param name="reads">Serves reads on the requests' own threads; null where all go to the node.</param>
    /// <param name="answersBytesMax">What answers may take that wait to be read.</param>
    /// <param name="bodyBytesMax">Of one body, and of all that are under way.</param>
    public EntryEndpoints(
        INodeGateway gateway, LocalReads? reads, int deadlineMilliseconds, long answersBytesMax,
        (int One, long All) bodyBytesMax, TimeProvider clock)
    {
        _gateway = gateway;
        _reads = reads;
        _deadlineMilliseconds = deadlineMilliseconds;
        _clock = clock;
        _bodies = new(bodyBytesMax.One, bodyBytesMax.All);
        _answers = new(answersBytesMax);
        _origin = new(() => gateway.View);
    }

    /// <summary>Bodies and replies of requests that are under way, in bytes.</summary>
    public long WaitingBytes => _bodies.UnderWay + _answers.Held;

    public EntryCounters Counters { get; } = new();

    /// <summary>Whether the node waits to be told which cluster to follow; null for one that never does.</summary>
    public Func<bool>? IsUnjoined { get; init; }

    /// <summary>Is told of faults of the node's own, which were answered 500.</summary>
    public Action<string>? Faulty { get; init; }

    public void Map(WebApplication application)
    {
        application.Map("/entry/{**key}", Guarded(One));
        application.Map("/entry", Guarded(One));
        application.Map("/entries", Guarded(Many));
        var keyspaces = new KeyspaceEndpoints(_gateway, _bodies, _deadlineMilliseconds, _clock)
        {
            IsUnjoined = () => IsUnjoined?.Invoke() == true,
        };
        keyspaces.Map(application, Guarded);
        ApiPage.Map(application, Guarded);
        application.Map("/{**rest}", Guarded(Nothing));
    }

    /// <summary>Answers where nothing else does.</summary>
    private static Task Nothing(HttpContext context)
    {
        string raw = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (raw == "*" && HttpMethods.IsOptions(context.Request.Method))
        {
            // What the server as a whole can do.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            context.Response.Headers.Allow = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";
            return Task.CompletedTask;
        }

        // A key of dots, which the server took for a way upwards.
        _ = raw.StartsWith(EntryPath, StringComparison.Ordinal) ? new EntryTarget(context).KeyBehind(EntryPath) : null;
        throw new ProblemException(Problem.NotFound(
            "Nothing is answered at this address; GET /openapi.json describes what there is."));
    }

    /// <summary>Checks where a request comes from, turns problems into answers, and counts them.</summary>
    public RequestDelegate Guarded(Func<HttpContext, Task> handler) => async context =>
    {
        long begun = Stopwatch.GetTimestamp();
        if (_origin.ProblemOf(context.Request) is { } problem)
        {
            await problem.Answer(context).ConfigureAwait(false);
        }
        else
        {
            await Answer(context, handler).ConfigureAwait(false);
        }

        Counters.Count(
            context.Response.StatusCode, (long)Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
    };

    /// <summary>What whoever watches the node may read, by whatever name he calls it.</summary>
    public RequestDelegate Watched(Func<HttpContext, Task> handler) => context => Answer(
        context,
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            ? handler
            : static other => throw WrongMethod(other, "GET, HEAD"));

    private async Task Answer(HttpContext context, Func<HttpContext, Task> handler)
    {
        Problem? problem = null;
        try
        {
            await handler(context).ConfigureAwait(false);
        }
        catch (ProblemException e)
        {
            problem = e.Problem;
        }
        catch (BadHttpRequestException e)
        {
            problem = new(e.StatusCode, "invalid", "The request makes no sense.", e.Message);
        }
        catch (Exception e) when (IsFault(e) && !context.Response.HasStarted)
        {
            // What the handler has set already belongs to another answer.
            context.Response.Clear();
            problem = Problem.Fault;
            Faulty?.Invoke(SentenceOf(context.Request, e));
        }

        if (problem is not null && !context.Response.HasStarted)
        {
            await problem.Answer(context).ConfigureAwait(false);
        }
    }

    /// <summary>A client that goes away is none.</summary>
    private static bool IsFault(Exception e) => e is not (OperationCanceledException or IOException);

    private static string SentenceOf(HttpRequest request, Exception e)
    {
        string path = request.Path.Value ?? "";
        path = path.Length <= EntryLimits.ShownMax ? path : path[..EntryLimits.ShownMax] + "...";
        string where = e.StackTrace?.Split('\n')[0].Trim() ?? "";
        return $"{request.Method} {path} over HTTP met a fault of this node and was answered 500: {e.GetType().Name}: "
            + $"{e.Message} {where}. Please report it.";
    }

    /// <summary>Answers with a document that is written at once.</summary>
    /// <param name="bytesAbout">How long it will be, about: one that is large must not be copied as it grows.</param>
    public static async Task Say(HttpContext context, Action<Utf8JsonWriter> write, int bytesAbout = 0)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>(bytesAbout + 1024);
        using (var writer = new Utf8JsonWriter(bytes, EntryText.WriterOptions))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.WrittenCount;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(bytes.WrittenMemory).ConfigureAwait(false);
    }

    /// <summary>The method is none of those that are answered here.</summary>
    public static ProblemException WrongMethod(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return new(new(
            StatusCodes.Status405MethodNotAllowed, "method", "This method is not answered here.", $"Use {allowed}."));
    }

    private Task One(HttpContext context)
    {
        string method = context.Request.Method;
        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Get(context)
            : HttpMethods.IsPost(method) ? Put(context)
            : HttpMethods.IsDelete(method) ? Delete(context)
            : throw WrongMethod(context, "GET, HEAD, POST, DELETE");
    }

    private Task Many(HttpContext context)
    {
        string method = context.Request.Method;
        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? Page(context)
            : HttpMethods.IsPost(method) ? Batch(context)
            : throw WrongMethod(context, "GET, HEAD, POST");
    }

    private async Task Batch(HttpContext context)
    {
        var target = new EntryTarget(context, "keyspace", "write", "ttl");
        using EntryPlace place = PlaceOf(context, target);
        string? ttl = target.TextOf("ttl") is { } text ? EntryRequest.Expiry(text) : null;
        string? repeat = EntryRequest.IdempotencyKey(context.Request);
        await _bodies.Use(context, async body =>
        {
            var batch = EntryBatch.Of(body, ttl);
            await batch.Ask(place, repeat, _clock.GetUtcNow().ToUnixTimeMilliseconds()).ConfigureAwait(false);
            place.Seen.Tell(context.Response);
            await Say(context, batch.Write).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task Page(HttpContext context)
    {
        var target = new EntryTarget(context, "match", "cursor", "count", "values", "keyspace", "read");
        using EntryPlace place = PlaceOf(context, target);
        var page = new EntryPage(place, target);
        await page.Fill().ConfigureAwait(false);
        place.Seen.Tell(context.Response);
        await Say(context, page.Write).ConfigureAwait(false);
    }

    private async Task Get(HttpContext context)
    {
        var target = new EntryTarget(context, "key", "keyBase64", "keyspace", "read");
        byte[] key = target.Key(EntryPath);
        using EntryPlace place = PlaceOf(context, target);
        CallResult result = await place.Ask(key, EntryCall.Line("ENTRY.GET", key), writes: false).ConfigureAwait(false);
        place.Seen.Tell(context.Response);
        EntryAnswer entry = Checked(result, byHeader: false) ?? throw NoSuchKey();
        if (!EntryRequest.Wants(context.Request, entry.Version))
        {
            throw new ProblemException(Problem.Stale(entry.Version, byHeader: true));
        }

        context.Response.Headers.ETag = $"\"{entry.Version}\"";
        if (EntryRequest.HasAlready(context.Request, entry.Version))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await Say(context, writer => entry.Write(writer, key), result.Reply.Length).ConfigureAwait(false);
    }

    private async Task Put(HttpContext context)
    {
        var target = new EntryTarget(context, "keyspace", "write", "ttl");
        using EntryPlace place = PlaceOf(context, target);
        string? ttl = target.TextOf("ttl") is { } text ? EntryRequest.Expiry(text) : null;
        byte[]? inPath = target.KeyBehind(EntryPath);
        string? repeat = EntryRequest.IdempotencyKey(context.Request);
        await _bodies.Use(context, async body =>
        {
            var entry = EntryBody.Of(body);
            if (inPath is not null && !inPath.AsSpan().SequenceEqual(entry.Key))
            {
                throw new ProblemException(Problem.Invalid(
                    "The key in the address and the one in the body differ; POST /entry takes it from the body."));
            }

            (string version, bool byHeader) = EntryRequest.Condition(context.Request, entry.Version);
            CallResult result = await Ask(place, repeat, entry.Key, PutLine(entry, version, ttl))
                .ConfigureAwait(false);
            place.Seen.Tell(context.Response);
            ReadOnlyMemory<byte>[] answer = ReplyParts.ElementsOf(Checked(result.Reply, result, byHeader));
            string written = EntryAnswer.TextOf(answer[0]);
            context.Response.Headers.ETag = $"\"{written}\"";
            await Say(context, writer =>
            {
                EntryAnswer.WriteKey(writer, entry.Key);
                entry.WriteValue(writer);
                writer.WriteString("type", entry.Kind);
                EntryAnswer.WriteMetadata(
                    writer, written, EntryAnswer.TextOf(answer[2]), EntryAnswer.LeftOf(answer));
            }, JsonMarshal.GetRawUtf8Value(entry.Value).Length).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private async Task Delete(HttpContext context)
    {
        var target = new EntryTarget(context, "key", "keyBase64", "keyspace", "write", "valueVersion");
        byte[] key = target.Key(EntryPath);
        EntryRequest.RefuseBody(context);
        using EntryPlace place = PlaceOf(context, target);
        string? inQuery = target.TextOf("valueVersion") is { } text ? EntryBody.CheckedVersion(text) : null;
        (string version, bool byHeader) = EntryRequest.Condition(context.Request, inQuery);
        CommandLine line = EntryCall.Line("ENTRY.DEL", key, Encoding.ASCII.GetBytes(version));
        CallResult result = await Ask(place, EntryRequest.IdempotencyKey(context.Request), key, line)
            .ConfigureAwait(false);
        place.Seen.Tell(context.Response);
        EntryAnswer entry = Checked(result, byHeader) ?? throw NoSuchKey();
        await Say(context, writer => entry.Write(writer, key), result.Reply.Length).ConfigureAwait(false);
    }

    private EntryPlace PlaceOf(HttpContext context, EntryTarget target) =>
        EntryRequest.Place(
            target, context.Request, _gateway, _reads, _answers, _deadlineMilliseconds, IsUnjoined?.Invoke() == true);

    private Task<CallResult> Ask(EntryPlace place, string? repeat, byte[] key, CommandLine line) => repeat is null
        ? place.Ask(key, line, writes: true)
        : EntryRepeat.Ask(place, repeat, _clock.GetUtcNow().ToUnixTimeMilliseconds(), key, [line], isBatch: false);

    /// <summary>The command that puts an entry.</summary>
    /// <param name="ttl">What the address says, which counts before what the entry says.</param>
    public static CommandLine PutLine(EntryBody entry, string version, string? ttl)
    {
        byte[] expiry = Encoding.ASCII.GetBytes(ttl ?? entry.Ttl ?? "-");
        ReadOnlyMemory<byte>[] words = [entry.Key, Encoding.ASCII.GetBytes(version), expiry, .. entry.Words];
        return EntryCall.Line("ENTRY.PUT", words);
    }

    private static EntryAnswer? Checked(in CallResult result, bool byHeader) =>
        EntryAnswer.Of(Checked(result.Reply, result, byHeader));

    /// <summary>The reply of a call that was done and is no error.</summary>
    public static ReadOnlyMemory<byte> Checked(ReadOnlyMemory<byte> reply, in CallResult result, bool byHeader)
    {
        if (result.Outcome != Outcome.Done)
        {
            throw new ProblemException(Problem.Of(result));
        }

        return EntryAnswer.ErrorOf(reply) is { } error
            ? throw new ProblemException(Problem.OfError(error, byHeader))
            : reply;
    }

    private static ProblemException NoSuchKey() => new(Problem.NotFound("There is no such key.") with
    {
        ValueVersion = "0",
    });
}
