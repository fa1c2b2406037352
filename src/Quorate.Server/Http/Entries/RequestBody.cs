using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Http.Entries;

/// <summary>Reads bodies, each within its bound, and all that are under way within theirs.</summary>
/// <param name="bodyBytesMax">Of one body; less than <see cref="EntryLimits.BodyBytesMax"/> with little memory.</param>
/// <param name="bodiesBytesMax">Of all; at least one fits.</param>
internal sealed class RequestBody(int bodyBytesMax, long bodiesBytesMax)
{
    /// <summary>What a body of unknown length is given at first, in bytes.</summary>
    private const int FirstBytes = 4096;

    private long _underWay;

    private static readonly JsonDocumentOptions Options = new()
    {
        MaxDepth = EntryLimits.DepthMax,
        AllowDuplicateProperties = false,
    };

    /// <summary>Bytes of bodies that are under way.</summary>
    public long UnderWay => Interlocked.Read(ref _underWay);

    /// <summary>Reads the body of a request and hands it on; it is gone when that has ended.</summary>
    /// <exception cref="ProblemException">It is too large, or no JSON.</exception>
    public async Task Use(HttpContext context, Func<JsonElement, Task> use)
    {
        string coding = context.Request.Headers.ContentEncoding.ToString();
        if (coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.AcceptEncoding = "identity";
            throw new ProblemException(new(
                StatusCodes.Status415UnsupportedMediaType, "encoding", "The body's coding is not read here.",
                "A body comes as it is, without Content-Encoding; nothing was done."));
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = bodyBytesMax;
        }

        if (context.Request.ContentLength > bodyBytesMax)
        {
            throw TooLarge();
        }

        // Not from a pool, which would keep the large ones; at once where the client says how long it will be.
        int taken = 0;
        int first = (int)Math.Max(FirstBytes, (context.Request.ContentLength ?? 0) + 1);
        byte[] bytes = [];
        try
        {
            int length = 0;
            while (true)
            {
                if (length == taken)
                {
                    int more = Math.Min(taken == 0 ? first : taken, bodyBytesMax + 1 - taken);
                    if (Interlocked.Add(ref _underWay, more) > Math.Max(bodiesBytesMax, bodyBytesMax + 1))
                    {
                        Interlocked.Add(ref _underWay, -more);
                        throw new ProblemException(new(
                            StatusCodes.Status503ServiceUnavailable, "busy", "Surely nothing was done.",
                            "The bodies of the requests that are under way take all the memory that they may; try "
                                + "again in a moment."));
                    }

                    taken += more;
                    Array.Resize(ref bytes, taken);
                }

                int read = await context.Request.Body.ReadAsync(
                    bytes.AsMemory(length), context.RequestAborted)
                    .ConfigureAwait(false);
                if (read == 0)
                {
                    break;
                }

                length += read;
                if (length > bodyBytesMax)
                {
                    throw TooLarge();
                }
            }

            using JsonDocument document = Parse(bytes.AsMemory(0, length));
            await use(document.RootElement).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref _underWay, -taken);
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            // First: a document that is parsed compares names, and finds half a pair of surrogates unexpected.
            return IsText(bytes.Span)
                ? JsonDocument.Parse(bytes, Options)
                : throw new ProblemException(Problem.Invalid(
                    "A string or a name in the body is no text of Unicode; bytes that are none are sent in base64 "
                        + "(keyBase64, valueBase64)."));
        }
        catch (JsonException e)
        {
            throw new ProblemException(Problem.Invalid(
                $"The body is not one JSON document whose values have {EvaluationLimits.DocumentDepthMax} levels at "
                    + $"most, in which no object has a name twice: {e.Message}"));
        }
    }

    /// <summary>
    /// Whether all strings and names of a document are text. Reading a document leaves that open: half a pair of
    /// surrogates shows only when the string is asked for.
    /// </summary>
    private static bool IsText(ReadOnlySpan<byte> document)
    {
        var reader = new Utf8JsonReader(document, new JsonReaderOptions { MaxDepth = EntryLimits.DepthMax });
        while (reader.Read())
        {
            if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
            {
                continue;
            }

            if (!reader.ValueIsEscaped && !Utf8.IsValid(reader.ValueSpan))
            {
                return false;
            }

            try
            {
                _ = reader.ValueIsEscaped ? reader.GetString() : null;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }

        return true;
    }

    private ProblemException TooLarge() => new(Problem.TooLarge(bodyBytesMax == EntryLimits.BodyBytesMax
        ? $"A body has {bodyBytesMax} bytes at most; larger values go over the Redis protocol."
        : $"With the memory of this node (--memory) a body has {bodyBytesMax} bytes at most."));
}
