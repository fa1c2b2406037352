using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Protocol;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>Why a request was not done, as RFC 9457 has it: a kind that programs know, and a sentence for
/// people.</summary>
/// <param name="Kind">The last part of the type, which is a URN.</param>
/// <param name="ValueVersion">The version that stands, where the one that was named does not.</param>
internal sealed record Problem(int Status, string Kind, string Title, string Detail, string? ValueVersion = null)
{
    private const string ContentType = "application/problem+json";

    private const string ClusterDownKind = "cluster-down";

    public static Problem Invalid(string detail) =>
        new(StatusCodes.Status400BadRequest, "invalid", "The request makes no sense.", detail);

    public static Problem TooLarge(string detail) =>
        new(StatusCodes.Status413PayloadTooLarge, "too-large", "The request is too large.", detail);

    public static Problem NotFound(string detail) =>
        new(StatusCodes.Status404NotFound, "not-found", "There is no such thing.", detail);

    /// <summary>The node was not told yet which cluster to join: to wait a moment does not help.</summary>
    public static Problem Unjoined => new(
        StatusCodes.Status503ServiceUnavailable, ClusterDownKind, "CLUSTERDOWN: surely nothing was done.",
        "This node belongs to no cluster yet; JOIN host:port over the Redis protocol says which one to follow.");

    /// <summary>The node does not know its cluster's keyspaces yet.</summary>
    public static Problem Loading => new(
        StatusCodes.Status503ServiceUnavailable, "loading", "Surely nothing was done.",
        "This node does not know the cluster's keyspaces yet; try again in a moment.");

    /// <summary>What nobody expected has happened in the node.</summary>
    public static Problem Fault => new(
        StatusCodes.Status500InternalServerError, "fault", "The node has met a fault of its own.",
        "What was asked may have been done or not: read it back. GET /events names the fault; please report it.");

    /// <summary>An Idempotency-Key names another request already.</summary>
    public static Problem Reused => new(
        StatusCodes.Status422UnprocessableEntity, "reused", "The Idempotency-Key belongs to another request.",
        "This Idempotency-Key came with another request for the same key before, nothing was done; a new request needs "
            + "a new one.");

    /// <summary>The version that a request names does not stand.</summary>
    public static Problem Stale(string version, bool byHeader) => new(
        byHeader ? StatusCodes.Status412PreconditionFailed : StatusCodes.Status409Conflict,
        "version",
        "The key has another version.",
        version == "0"
            ? "There is no such key (version 0), nothing was done."
            : $"The key has version {version}, nothing was done. Read it again and decide anew.",
        version);

    /// <summary>What a partition said with an error: its code, then what a person should know.</summary>
    public static Problem OfError(string error, bool byHeader)
    {
        (string code, string sentence) = error.IndexOf(' ', StringComparison.Ordinal) is var at and > 0
            ? (error[..at], error[(at + 1)..])
            : (error, error);
        return code switch
        {
            "VERSION" => Stale(sentence, byHeader),

            // The heap had no room at that moment: the request is as good as any, and may be sent again.
            ErrorCodes.OutOfMemory =>
                new(StatusCodes.Status503ServiceUnavailable, "refused", "Surely nothing was done.", sentence),
            _ => Invalid(sentence),
        };
    }

    /// <summary>A call that was not done, or of which nobody knows.</summary>
    public static Problem Of(in CallResult result)
    {
        string sentence = Outcomes.ErrorOf(result.Outcome, result.Reason);
        string detail = sentence[(sentence.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        if (result.Outcome == Outcome.Unknown)
        {
            return new(
                StatusCodes.Status504GatewayTimeout, "unknown", "Nobody knows whether it was done.",
                "It may have been done, or may still be. Read it back, or send it again with the Idempotency-Key or "
                    + "the version that it had.");
        }

        return result.Reason switch
        {
            DropReason.TooLarge => TooLarge(detail),
            DropReason.LevelImpossible => Invalid(detail),
            DropReason.KeyspaceDropped => NotFound(detail),
            DropReason.SpaceIsLow or DropReason.MemoryIsFull =>
                new(StatusCodes.Status507InsufficientStorage, "full", "A node is full.", detail),
            DropReason.SessionLost or DropReason.SessionTooOld =>
                new(StatusCodes.Status409Conflict, "session-lost", "What was seen is lost.", detail),
            DropReason.SessionExpired or DropReason.RequestForgotten => new(
                StatusCodes.Status409Conflict, "forgotten", "It is not known any more whether this was done.",
                "This Idempotency-Key may have been used before, and what came of it is not remembered; nothing was "
                    + "done now. Read back what it was to write, then use a new one."),
            _ => new(StatusCodes.Status503ServiceUnavailable, "refused", "Surely nothing was done.", detail),
        };
    }

    /// <summary>Writes its members into an object that is open.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "urn:quorate:" + Kind);
        writer.WriteString("title", Title);
        writer.WriteNumber("status", Status);
        writer.WriteString("detail", Detail);
        if (ValueVersion is not null)
        {
            writer.WriteStartObject("metadata");
            writer.WriteString("valueVersion", ValueVersion);
            writer.WriteEndObject();
        }
    }

    /// <summary>Answers a request with it.</summary>
    public async Task Answer(HttpContext context)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, EntryText.WriterOptions))
        {
            writer.WriteStartObject();
            Write(writer);
            writer.WriteEndObject();
        }

        HttpResponse response = context.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        if (Status == StatusCodes.Status503ServiceUnavailable && Kind != ClusterDownKind)
        {
            response.Headers.RetryAfter = "1";
        }

        if (ValueVersion is not null and not "0")
        {
            response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{ValueVersion}\"");
        }

        await response.Body.WriteAsync(bytes.GetBuffer().AsMemory(0, (int)bytes.Length)).ConfigureAwait(false);
    }
}

/// <summary>Ends a request with a <see cref="Entries.Problem"/>.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    public Problem Problem { get; } = problem;
}
