using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Server.Reading;
using Quorate.Server.Resp;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Http.Entries;

/// <summary>What the headers and the query of a request say besides the entry: keyspace, levels, expiry,
/// conditions.</summary>
internal static class EntryRequest
{
    private static readonly (string Unit, long Milliseconds)[] Units =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    /// <exception cref="ProblemException">There is no such keyspace, or it cannot give a level.</exception>
    public static EntryPlace Place(
        EntryTarget target, HttpRequest request, INodeGateway gateway, LocalReads? reads, ReplyRoom room,
        int deadlineMilliseconds, bool isUnjoined)
    {
        ClusterView view = gateway.View;
        string name = target.TextOf("keyspace") ?? RespClient.DefaultKeyspace;
        if (!view.TryFind(name, out KeyspaceView? keyspace))
        {
            throw new ProblemException(isUnjoined ? Problem.Unjoined
                : view.HasKeyspaces ? Problem.NotFound($"There is no keyspace '{name}'; GET /keyspaces lists them.")
                : Problem.Loading);
        }

        WriteLevel write = target.BytesOf("write") is { } writeWord
            ? ConsistencyCommands.WriteLevelOf(writeWord)
                ?? throw Invalid("A write level is majority, leader, all or a number of replicas.")
            : ConnectionCalls.LevelOf(keyspace.Record);
        ReadLevel read = target.BytesOf("read") is { } readWord
            ? ConsistencyCommands.ReadLevelOf(readWord)
                ?? throw Invalid("A read level is linearizable, session or eventual.")
            : (ReadLevel)keyspace.Record.ReadLevel;
        if (KeyspaceChoice.LevelProblem(keyspace.Record, write) is { } problem)
        {
            throw Invalid(problem[(problem.IndexOf(' ', StringComparison.Ordinal) + 1)..] + ".");
        }

        Instant deadline = gateway.Now + Duration.FromMilliseconds(deadlineMilliseconds);
        return new(gateway, reads, room, keyspace, write, read, deadline, SeenTokens.Of(request));
    }

    /// <summary>The word for ENTRY.PUT: milliseconds, `=` to keep what stands.</summary>
    public static string Expiry(string ttl)
    {
        if (ttl == "keep")
        {
            return "=";
        }

        string digits = ttl.TrimEnd('m', 's', 'h', 'd');
        string unit = ttl[digits.Length..];
        long factor = unit.Length == 0 ? 1 : Array.Find(Units, each => each.Unit == unit).Milliseconds;
        return factor > 0
            && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number > 0 && number <= long.MaxValue / factor
            ? (number * factor).ToString(CultureInfo.InvariantCulture)
            : throw Invalid("A ttl is a number of milliseconds above zero, or one with its unit (500ms, 30s, 5m, 2h, "
                + "7d), or keep.");
    }

    /// <summary>
    /// The version that must stand, as ENTRY.PUT takes it, and whether a header says so: If-Match, or If-None-Match
    /// with a star for none.
    /// </summary>
    public static (string Version, bool ByHeader) Condition(HttpRequest request, string? inBody)
    {
        string? match = One(request, "If-Match");
        string? none = One(request, "If-None-Match");
        if (match is not null && none is not null)
        {
            throw Invalid("A request has either an If-Match or an If-None-Match.");
        }

        string? byHeader = match switch
        {
            null when none is null => null,
            null => none == "*" ? "0" : throw Invalid("A write knows If-None-Match: * alone: only if there is none."),
            "*" => "+",
            _ => VersionOf(match),
        };
        if (byHeader is not null && inBody is not null && byHeader != inBody)
        {
            throw Invalid("The valueVersion in the body and the one in the header differ.");
        }

        return (byHeader ?? inBody ?? "*", byHeader is not null);
    }

    /// <summary>Whether a request that reads is content with this version.</summary>
    public static bool Wants(HttpRequest request, string version)
    {
        string match = request.Headers.IfMatch.ToString();
        return match.Length == 0 || match == "*" || match.Split(',').Any(each => each.Trim() == $"\"{version}\"");
    }

    /// <summary>Whether the client has this version already, of a request that reads.</summary>
    public static bool HasAlready(HttpRequest request, string version)
    {
        string? none = request.Headers.IfNoneMatch;
        return none is not null
            && (none == "*" || none.Split(',').Any(each => each.Trim().TrimStart('W', '/') == $"\"{version}\""));
    }

    /// <summary>Null for a request that may be done as often as it comes.</summary>
    public static string? IdempotencyKey(HttpRequest request)
    {
        string? key = One(request, "Idempotency-Key");
        return key is null || (key.Length is > 0 and <= EntryLimits.IdempotencyKeyMax)
            ? key
            : throw Invalid($"An Idempotency-Key has 1 to {EntryLimits.IdempotencyKeyMax} characters.");
    }

    /// <exception cref="ProblemException">A body comes where none has a meaning: it would be passed over.</exception>
    public static void RefuseBody(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            throw Invalid("A DELETE has no body; the version that must stand goes into If-Match or ?valueVersion=.");
        }
    }

    private static string VersionOf(string tag)
    {
        bool isStrong = tag.Length > 2 && tag[0] == '"' && tag[^1] == '"'
            && !tag.AsSpan(1, tag.Length - 2).Contains('"');
        return isStrong
            ? EntryBody.CheckedVersion(tag[1..^1])
            : throw Invalid("An If-Match is one ETag as it was answered, in quotes, or a star.");
    }

    private static string? One(HttpRequest request, string name) => request.Headers[name] switch
    {
        { Count: 0 } => null,
        { Count: 1 } one => one.ToString(),
        _ => throw Invalid($"The header {name} comes more than once."),
    };

    private static ProblemException Invalid(string detail) => new(Problem.Invalid(detail));
}
