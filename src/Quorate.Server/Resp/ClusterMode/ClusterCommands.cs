using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Protocol;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp.ClusterMode;

/// <summary>
/// CLUSTER and its kin. On the plain endpoint they answer as a Redis without cluster support does; on the cluster
/// endpoint they tell who serves which slots of its keyspace.
/// </summary>
internal static class ClusterCommands
{
    private const string NotHere = "ERR This instance has cluster support disabled";

    public static readonly EdgeCommand[] All =
    [
        new("CLUSTER", -2, EdgeHabits.Queued, Run) { QueueProblem = QueueProblem },
        new("READONLY", 1, EdgeHabits.Queued, request => SetReadOnly(request, true)),
        new("READWRITE", 1, EdgeHabits.Queued, request => SetReadOnly(request, false)),
        new("ASKING", 1, EdgeHabits.Queued, request =>
        {
            // Slots never move in a way that a client would have to know of: whoever has them serves them.
            if (request.Connection.Client.Endpoint is null)
            {
                request.Error(NotHere);
            }
            else
            {
                request.Ok();
            }
        }),
    ];

    private static string? QueueProblem(RespConnection connection, CommandLine line)
    {
        if (connection.Client.Endpoint is null)
        {
            return null;
        }

        return CommandNames.Is(line[1], "COUNTKEYSINSLOT") || CommandNames.Is(line[1], "GETKEYSINSLOT")
            ? "ERR keys of a slot are not counted or shown within transactions"
            : Subcommands.Problem(line, "CLUSTER");
    }

    private static void SetReadOnly(RespRequest request, bool isReadOnly)
    {
        if (request.Connection.Client.Endpoint is null)
        {
            request.Error(NotHere);
            return;
        }

        request.Connection.Client.IsReadOnly = isReadOnly;
        request.Ok();
    }

    private static void Run(RespRequest request)
    {
        if (request.Connection.Client.Endpoint is not { } endpoint)
        {
            request.Error(NotHere);
        }
        else if (!Subcommands.TryAnswer(request, "CLUSTER"))
        {
            Run(request, endpoint);
        }
    }

    private static void Run(RespRequest request, ClusterEndpoint endpoint)
    {
        ClusterView view = request.Connection.Shared.Gateway.View;
        ReadOnlySpan<byte> name = request.Line[1];
        if (CommandNames.Is(name, "KEYSLOT"))
        {
            request.Finish(Replies.Integer(KeyHash.SlotOf(request.Line[2]).Value));
        }
        else if (CommandNames.Is(name, "MYID"))
        {
            Text(request, SlotMap.NameOf(view, view.Self.Value));
        }
        else if (!view.TryFind(endpoint.Keyspace, out KeyspaceView? keyspace))
        {
            request.Error(!view.HasKeyspaces
                ? $"{ErrorCodes.Loading} this node does not know the cluster's keyspaces yet; try again"
                : $"{ErrorCodes.ClusterDown} there is no keyspace '{endpoint.Keyspace}', which this endpoint is to "
                    + "serve (--cluster-keyspace): create it");
        }
        else if (CommandNames.Is(name, "COUNTKEYSINSLOT") || CommandNames.Is(name, "GETKEYSINSLOT"))
        {
            KeysInSlot(request, keyspace);
        }
        else
        {
            Show(request, new SlotMap(view, endpoint, keyspace));
        }
    }

    private static void Show(RespRequest request, SlotMap map)
    {
        ReadOnlySpan<byte> name = request.Line[1];
        if (CommandNames.Is(name, "SLOTS"))
        {
            request.Finish(Replies.Of(map.WriteSlots));
        }
        else if (CommandNames.Is(name, "SHARDS"))
        {
            request.Finish(Replies.Of(map.WriteShards));
        }
        else if (CommandNames.Is(name, "NODES"))
        {
            Text(request, map.ToLines());
        }
        else
        {
            int masters = map.Runs.Select(run => run.Owner.Id).Distinct().Count();
            ulong version = request.Connection.Shared.Gateway.View.Version;
            Text(request, string.Create(
                CultureInfo.InvariantCulture,
                $"cluster_enabled:1\r\ncluster_state:ok\r\ncluster_slots_assigned:{Slot.Count}\r\n"
                + $"cluster_slots_ok:{Slot.Count}\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n"
                + $"cluster_known_nodes:{map.Nodes.Count}\r\ncluster_size:{masters}\r\n"
                + $"cluster_current_epoch:{version}\r\ncluster_my_epoch:{version}\r\n"));
        }
    }

    private static void KeysInSlot(RespRequest request, KeyspaceView keyspace)
    {
        if (!TryNumber(request.Line[2], out int slot) || slot is < 0 or >= Slot.Count)
        {
            request.Error("ERR Invalid slot");
            return;
        }

        int? wanted = null;
        if (request.Line.Count > 3)
        {
            if (!TryNumber(request.Line[3], out int count) || count < 0)
            {
                request.Error("ERR Invalid number of keys");
                return;
            }

            wanted = count;
        }

        SlotKeys.Start(request, keyspace, new Slot((ushort)slot), wanted);
    }

    private static bool TryNumber(ReadOnlySpan<byte> word, out int number) =>
        Utf8Parser.TryParse(word, out number, out int length) && length == word.Length;

    private static void Text(RespRequest request, string text) =>
        request.Finish(Replies.Bulk(Encoding.ASCII.GetBytes(text)));
}
