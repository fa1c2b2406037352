using System.Globalization;
using System.Text;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Protocol;

namespace Quorate.Server.Resp.Commands;

/// <summary>KEYSPACE CREATE, ALTER, ROTATE, DROP, USE, LIST, INFO.</summary>
internal static class KeyspaceEdgeCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("KEYSPACE", -2, EdgeHabits.Alone, Run),
    ];

    private static void Run(RespRequest request)
    {
        if (Subcommands.TryAnswer(request, "KEYSPACE"))
        {
            return;
        }

        CommandLine line = request.Line;
        switch (Encoding.Latin1.GetString(line[1]).ToUpperInvariant())
        {
            case "CREATE":
                Create(request);
                break;
            case "ALTER":
                Alter(request);
                break;
            case "DROP":
                if (Find(request, 2) is { } dropped)
                {
                    Ask(request, new() { DropKeyspace = new() { Keyspace = dropped.Record.Id } }, partitions: 0);
                }

                break;
            case "ROTATE":
                // Whoever proposes it draws the key: it needs the master key, which an edge does not have.
                if (Find(request, 2) is { } rotated)
                {
                    Ask(request, new() { AddDataKey = new() { Keyspace = rotated.Record.Id } }, partitions: 0);
                }

                break;
            case "USE":
                KeyspaceChoice.Use(request, NameAt(line, 2));
                break;
            case "WHERE":
                KeyspaceWhere.Run(request);
                break;
            case "LIST":
                List(request);
                break;
            case "INFO" when line.Count > 3:
                request.Error(EdgeCommands.WrongArguments("keyspace|info"));
                break;
            default:
                KeyspaceView? shown = line.Count == 3 ? Find(request, 2) : Dispatch.KeyspaceOf(request);
                if (shown is not null)
                {
                    Show(request, shown);
                }

                break;
        }
    }

    private static void Create(RespRequest request)
    {
        ClusterView view = request.Connection.Shared.Gateway.View;
        int nodes = view.State.Nodes.Count(node => node.State == NodeState.Active);
        var options = new KeyspaceOptions(
            new KeyspaceRecord { Name = NameAt(request.Line, 2), Replicas = (uint)(nodes < 3 ? 1 : 3) }, isNew: true);
        if (options.ErrorIn(request.Line, 3) is { } error)
        {
            request.Error(error);
            return;
        }

        Ask(
            request,
            new() { CreateKeyspace = new() { Keyspace = options.Record } },
            options.Partitions);
    }

    private static void Alter(RespRequest request)
    {
        if (Find(request, 2) is not { } keyspace)
        {
            return;
        }

        var options = new KeyspaceOptions(keyspace.Record.Clone(), isNew: false);
        if (options.ErrorIn(request.Line, 3) is { } error)
        {
            request.Error(error);
            return;
        }

        Ask(request, new() { AlterKeyspace = new() { Keyspace = options.Record } }, partitions: 0);
    }

    private static KeyspaceView? Find(RespRequest request, int word)
    {
        string name = NameAt(request.Line, word);
        if (request.Connection.Shared.Gateway.View.TryFind(name, out KeyspaceView? keyspace))
        {
            return keyspace;
        }

        request.Error($"ERR there is no keyspace '{name}'; KEYSPACE LIST shows them");
        return null;
    }

    private static string NameAt(CommandLine line, int word) =>
        Encoding.Latin1.GetString(line[word][..Math.Min(line[word].Length, 300)]);

    private static void List(RespRequest request) => request.Finish(Replies.Of(reply =>
    {
        var keyspaces = request.Connection.Shared.Gateway.View.State.Keyspaces;
        reply.Array(keyspaces.Count);
        foreach (KeyspaceRecord keyspace in keyspaces)
        {
            reply.Bulk(Encoding.ASCII.GetBytes(keyspace.Name));
        }
    }));

    private static void Show(RespRequest request, KeyspaceView keyspace)
    {
        KeyspaceRecord record = keyspace.Record;
        (string Name, string Value)[] fields =
        [
            ("name", record.Name),
            ("replication", "raft"),
            ("partitions", Text(keyspace.Partitions.Count)),
            ("replicas", Text(record.Replicas)),
            ("voters", Text(record.Voters)),
            ("write", ConnectionCalls.LevelOf(record).ToString()),
            ("read", ConsistencyCommands.TextOf((ReadLevel)record.ReadLevel)),
            ("ttl-ms", Text((long)record.TtlMilliseconds)),
            ("compress", record.Compression == Compression.Snappy ? "snappy" : "none"),
            ("encrypt", record.Encrypted ? "on" : "off"),
            ("data-key", Text(DataKeyOf(request, record.Id))),
            ("eviction", KeyspaceOptions.TextOf(record.Eviction)),
            ("bytes-max", Text((long)record.BytesMax)),
        ];
        request.Finish(Replies.Of(reply =>
        {
            reply.Map(fields.Length);
            foreach ((string name, string value) in fields)
            {
                reply.Bulk(Encoding.ASCII.GetBytes(name));
                reply.Bulk(Encoding.ASCII.GetBytes(value));
            }
        }));
    }

    /// <summary>The id of the key that new data is encrypted with; 0 for none.</summary>
    private static uint DataKeyOf(RespRequest request, uint keyspace) =>
        request.Connection.Shared.Gateway.View.State.DataKeys
            .LastOrDefault(key => key.Keyspace == keyspace && !key.Retired)?.Id ?? 0;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Ask(RespRequest request, MetadataCommand command, int partitions) =>
        new Steps().Ask(request, command, partitions);

    private sealed class Steps : MetadataSteps
    {
        public override void Next(RespRequest request)
        {
            if (Outcome == Outcome.Unknown)
            {
                request.Error($"{ErrorCodes.Unknown} the metadata group did not say in time whether it was done; look "
                    + "with KEYSPACE LIST");
            }
            else if (Outcome == Outcome.Refused)
            {
                request.Error($"{ErrorCodes.ClusterDown} the metadata group has no leader that this node can reach, "
                    + "nothing was done; try again");
            }
            else if (Result is { Refusal.Length: > 0 })
            {
                request.Error($"{ErrorCodes.Error} {Result.Refusal}");
            }
            else if (Warning is null)
            {
                request.Ok();
            }
            else
            {
                request.Finish(Replies.Of(reply => reply.Simple(Encoding.ASCII.GetBytes($"OK. Warning: {Warning}"))));
            }
        }
    }
}
