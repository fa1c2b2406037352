using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Server.Resp;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// Keyspaces over HTTP: what KEYSPACE LIST, INFO, CREATE, ALTER and DROP do, with the same options under the same
/// names.
/// </summary>
internal sealed class KeyspaceEndpoints(
    INodeGateway gateway, RequestBody bodies, int deadlineMilliseconds, TimeProvider clock)
{
    private const string Path = "/keyspaces/";

    /// <summary>Whether the node waits to be told which cluster to follow.</summary>
    public required Func<bool> IsUnjoined { get; init; }

    public void Map(WebApplication application, Func<Func<HttpContext, Task>, RequestDelegate> guarded)
    {
        application.Map("/keyspaces", guarded(All));
        application.Map("/keyspaces/{name}", guarded(One));
    }

    private Task All(HttpContext context)
    {
        string method = context.Request.Method;
        RefuseUnknowing();
        return HttpMethods.IsPost(method) ? Create(context)
            : HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? List(context)
            : throw EntryEndpoints.WrongMethod(context, "GET, HEAD, POST");
    }

    private Task One(HttpContext context)
    {
        string method = context.Request.Method;
        bool isRead = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        if (!isRead && !HttpMethods.IsPatch(method) && !HttpMethods.IsDelete(method))
        {
            throw EntryEndpoints.WrongMethod(context, "GET, HEAD, PATCH, DELETE");
        }

        _ = new EntryTarget(context);
        RefuseUnknowing();
        string name = context.Request.Path.Value![Path.Length..];
        KeyspaceView keyspace = gateway.View.TryFind(name, out KeyspaceView? found)
            ? found
            : throw new ProblemException(Problem.NotFound($"There is no keyspace '{name}'."));
        return HttpMethods.IsPatch(method) ? Alter(context, keyspace)
            : isRead ? EntryEndpoints.Say(context, writer => Write(writer, keyspace))
            : Drop(context, keyspace);
    }

    /// <summary>A node that does not know the cluster's keyspaces must not say that there are none.</summary>
    private void RefuseUnknowing()
    {
        if (!gateway.View.HasKeyspaces)
        {
            throw new ProblemException(IsUnjoined() ? Problem.Unjoined : Problem.Loading);
        }
    }

    private Task List(HttpContext context)
    {
        _ = new EntryTarget(context);
        ClusterView view = gateway.View;
        return EntryEndpoints.Say(context, writer =>
        {
            writer.WriteStartArray("keyspaces");
            foreach (KeyspaceRecord record in view.State.Keyspaces)
            {
                if (view.TryFind(record.Id, out KeyspaceView? keyspace))
                {
                    writer.WriteStartObject();
                    Write(writer, keyspace);
                    writer.WriteEndObject();
                }
            }

            writer.WriteEndArray();
        });
    }

    private Task Create(HttpContext context) => bodies.Use(context, async body =>
    {
        _ = new EntryTarget(context);
        int nodes = gateway.View.State.Nodes.Count(node => node.State == NodeState.Active);
        string name = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("name", out JsonElement text)
            && text.ValueKind == JsonValueKind.String
            ? Encoding.UTF8.GetString(EntryText.BytesOf(text, "name"))
            : throw Invalid("A keyspace has a name.");
        if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number < NumberedDatabase.Count)
        {
            throw Invalid($"SELECT {number} means the keyspace '{NumberedDatabase.NameOf(number)}', and would never "
                + "reach one of this name; choose another.");
        }

        var options = new KeyspaceOptions(
            new KeyspaceRecord { Name = name, Replicas = (uint)(nodes < 3 ? 1 : 3) }, isNew: true);
        Read(options, body);
        string? warning = await Ask(new() { CreateKeyspace = new() { Keyspace = options.Record } }, options.Partitions)
            .ConfigureAwait(false);
        context.Response.StatusCode = StatusCodes.Status201Created;
        context.Response.Headers.Location = Path + Uri.EscapeDataString(name);
        await Done(context, name, warning).ConfigureAwait(false);
    });

    private Task Alter(HttpContext context, KeyspaceView keyspace) => bodies.Use(context, async body =>
    {
        bool isOtherName = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("name", out JsonElement name)
            && (name.ValueKind != JsonValueKind.String
                || Encoding.UTF8.GetString(EntryText.BytesOf(name, "name")) != keyspace.Record.Name);
        if (isOtherName)
        {
            throw Invalid($"The keyspace '{keyspace.Record.Name}' keeps its name.");
        }

        var options = new KeyspaceOptions(keyspace.Record.Clone(), isNew: false);
        Read(options, body);
        string? warning = await Ask(new() { AlterKeyspace = new() { Keyspace = options.Record } }, partitions: 0)
            .ConfigureAwait(false);
        await Done(context, keyspace.Record.Name, warning).ConfigureAwait(false);
    });

    private async Task Drop(HttpContext context, KeyspaceView keyspace)
    {
        EntryRequest.RefuseBody(context);
        string? warning = await Ask(
            new() { DropKeyspace = new() { Keyspace = keyspace.Record.Id } }, partitions: 0).ConfigureAwait(false);
        await Done(context, keyspace.Record.Name, warning).ConfigureAwait(false);
    }

    private static Task Done(HttpContext context, string name, string? warning) =>
        EntryEndpoints.Say(context, writer =>
        {
            writer.WriteString("name", name);
            if (warning is not null)
            {
                writer.WriteString("warning", warning);
            }
        });

    /// <summary>The members of the body are the options of KEYSPACE.</summary>
    private static void Read(KeyspaceOptions options, JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw Invalid("The settings of a keyspace are an object.");
        }

        var words = new List<ReadOnlyMemory<byte>>();
        foreach (JsonProperty member in body.EnumerateObject())
        {
            if (member.Name != "name")
            {
                words.Add(Encoding.UTF8.GetBytes(member.Name.ToUpperInvariant()));
                words.Add(Encoding.UTF8.GetBytes(member.Value.ValueKind switch
                {
                    JsonValueKind.String => Encoding.UTF8.GetString(EntryText.BytesOf(member.Value, member.Name)),
                    JsonValueKind.Number => member.Value.GetRawText(),
                    JsonValueKind.True => "on",
                    JsonValueKind.False => "off",
                    _ => throw Invalid($"'{member.Name}' is a word, a number, true or false."),
                }));
            }
        }

        if (options.ErrorIn(new CommandLine([.. words]), 0) is { } error)
        {
            throw Invalid("The members are the options of the Redis protocol's KEYSPACE, in small letters: "
                + error[(error.IndexOf(':', StringComparison.Ordinal) + 2)..] + ".");
        }
    }

    private async Task<string?> Ask(MetadataCommand command, int partitions)
    {
        command.Time = HybridTime.FromMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds()).Packed;
        var call = new Call
        {
            Command = command,
            Partitions = partitions,
            Deadline = gateway.Now + Duration.FromMilliseconds(deadlineMilliseconds),
        };
        gateway.Submit(call);
        (Outcome outcome, MetadataResult? result, string? warning) = await call.Ended.ConfigureAwait(false);
        if (outcome != Outcome.Done)
        {
            throw new ProblemException(outcome == Outcome.Unknown
                ? new(
                    StatusCodes.Status504GatewayTimeout, "unknown", "Nobody knows whether it was done.",
                    "The metadata group did not say in time whether it was done; look with GET /keyspaces.")
                : new(
                    StatusCodes.Status503ServiceUnavailable, "refused", "Surely nothing was done.",
                    "The metadata group has no leader that this node can reach; try again."));
        }

        return result is { Refusal.Length: > 0 }
            ? throw new ProblemException(new(
                StatusCodes.Status409Conflict, "keyspace", "This cannot be done to the keyspace.", result.Refusal))
            : warning;
    }

    [SuppressMessage("Globalization", "CA1308", Justification = "Levels are written in small letters.")]
    private static void Write(Utf8JsonWriter writer, KeyspaceView keyspace)
    {
        KeyspaceRecord record = keyspace.Record;
        writer.WriteString("name", record.Name);
        writer.WriteString("replication", "raft");
        writer.WriteNumber("partitions", keyspace.Partitions.Count);
        writer.WriteNumber("replicas", record.Replicas);
        writer.WriteNumber("voters", record.Voters);
        string write = ConnectionCalls.LevelOf(record).ToString()!;
        if (int.TryParse(write, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
        {
            writer.WriteNumber("write", count);
        }
        else
        {
            writer.WriteString("write", write);
        }

        writer.WriteString("read", ConsistencyCommands.TextOf((ReadLevel)record.ReadLevel));
        writer.WriteNumber("ttl", record.TtlMilliseconds);
        writer.WriteString("compress", record.Compression == Compression.Snappy ? "snappy" : "none");
        writer.WriteBoolean("encrypt", record.Encrypted);
        writer.WriteString("eviction", KeyspaceOptions.TextOf(record.Eviction));
        writer.WriteNumber("bytes", record.BytesMax);
    }

    private static ProblemException Invalid(string detail) => new(Problem.Invalid(detail));

    private sealed class Call : MetadataCall
    {
        private readonly TaskCompletionSource<(Outcome, MetadataResult?, string?)> _ended =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<(Outcome, MetadataResult?, string?)> Ended => _ended.Task;

        public override void Complete(Outcome outcome, MetadataResult? result, string? warning) =>
            _ended.SetResult((outcome, result, warning));
    }
}
