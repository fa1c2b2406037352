using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Protocol;
using Quorate.Server.Resp.ClusterMode;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp;

/// <summary>Starts a command that has come: the connection's own are run, the others go to their partitions.</summary>
internal static class Dispatch
{
    public static void Start(RespRequest request)
    {
        if (request.Connection.Leaving.IsSo)
        {
            request.Connection.RefuseToLeave(request);
            return;
        }

        RespClient client = request.Connection.Client;
        if (request.Command.Problem is { } problem)
        {
            client.Transaction?.Spoil();
            if (client.Transaction is null)
            {
                client.TakeRequest();
                client.IsNumberRefused = false;
            }

            request.Error(problem);
            return;
        }

        EdgeCommand? edge = EdgeCommands.Find(request.Line[0]);
        if (client.IsNumberRefused && TryRefuseUnnumbered(request, edge))
        {
            return;
        }

        TakeNumber(request, edge);
        if (edge is not null)
        {
            StartEdge(request, edge);
        }
        else
        {
            StartPartition(request);
        }
    }

    /// <summary>
    /// Finds the keyspace that the client uses, for a command on its keys: null for a numbered database that has not
    /// been made, which is empty. False when the request has been answered, or will be started again later.
    /// </summary>
    /// <param name="makes">A numbered database is made when there is none.</param>
    /// <param name="writes">Its absence is asked of the metadata group, whatever the level of reads.</param>
    public static bool TryKeyspaceOf(RespRequest request, bool makes, bool writes, out KeyspaceView? keyspace)
    {
        RespClient client = request.Connection.Client;
        ClusterView view = request.Connection.Shared.Gateway.View;
        keyspace = client.KeyspaceIn(view);
        if (keyspace is not null)
        {
            return true;
        }

        if (!view.HasKeyspaces || !NumberedDatabase.MayBeMade(client.Keyspace))
        {
            return KeyspaceOf(request) is not null;
        }

        // Levels below this one may answer with what this node knows.
        ReadLevel level = client.ReadLevel
            ?? (view.TryFind(RespClient.DefaultKeyspace, out KeyspaceView? first)
                ? (ReadLevel)first.Record.ReadLevel
                : ReadLevel.Linearizable);
        bool mayBeStale = level != ReadLevel.Linearizable && !writes;
        bool isKnown = !makes && (request.HasSeenMap || mayBeStale || !Guards.AbsenceIsAskedFor);
        if (!isKnown)
        {
            NumberedDatabase.Look(request, makes);
        }

        return isKnown;
    }

    /// <summary>
    /// The keyspace that the client uses; when there is none the request has been answered.
    /// </summary>
    public static KeyspaceView? KeyspaceOf(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        ClusterView view = request.Connection.Shared.Gateway.View;
        if (client.KeyspaceIn(view) is { } keyspace)
        {
            return keyspace;
        }

        request.Error(request.Connection.Shared.Node.Joining is { IsUnjoined: true }
            ? $"{ErrorCodes.ClusterDown} this node belongs to no cluster yet; JOIN host:port says which one to follow"
            : !view.HasKeyspaces
            ? $"{ErrorCodes.Loading} this node does not know the cluster's keyspaces yet, nothing was done; try again"
            : NumberedDatabase.MayBeMade(client.Keyspace)
                ? $"ERR the database '{client.Keyspace}' is made by the first write to it, and has no settings before"
                : $"ERR there is no keyspace '{client.Keyspace}'; choose one with KEYSPACE USE");
        return null;
    }

    /// <summary>
    /// As <see cref="KeyspaceOf"/>, but for a numbered database that has not been made the one that it would be like.
    /// </summary>
    public static KeyspaceView? SettingsOf(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        ClusterView view = request.Connection.Shared.Gateway.View;
        return client.KeyspaceIn(view) is null && NumberedDatabase.MayBeMade(client.Keyspace)
            && view.TryFind(RespClient.DefaultKeyspace, out KeyspaceView? first)
            ? first
            : KeyspaceOf(request);
    }

    /// <summary>The reply of commands on a database that has not been made.</summary>
    public static ReadOnlyMemory<byte> EmptyReply(RespRequest request, CommandLine[] lines, bool isBatch) =>
        EmptyReads.Run(lines, isBatch, HybridTime.FromMilliseconds(request.Connection.Shared.WallClockMilliseconds));

    /// <summary>
    /// A number is for the next command, whatever becomes of that: another one must never be taken for it. Of a
    /// transaction it is for the EXEC.
    /// </summary>
    private static void TakeNumber(RespRequest request, EdgeCommand? edge)
    {
        RespClient client = request.Connection.Client;
        bool isQueued = client.Transaction is not null && edge is not { RunsInTransaction: true };
        if (client.NextRequest is null || isQueued || edge is { LeavesNumber: true })
        {
            return;
        }

        SessionRequest? number = client.TakeRequest();
        request.Call.Session = edge is null || edge.RunsInTransaction ? number : null;
        if (!Guards.NumbersAreTakenOnce)
        {
            client.NextRequest = request.Call.Session is null ? number : null;
        }
    }

    /// <summary>
    /// The command that a refused number was for is refused, too: the next one that goes to partitions, or the EXEC.
    /// What the connection does by itself lies between and changes nothing.
    /// </summary>
    private static bool TryRefuseUnnumbered(RespRequest request, EdgeCommand? edge)
    {
        RespClient client = request.Connection.Client;
        bool isInTransaction = client.Transaction is not null;
        bool isEnd = edge is { RunsInTransaction: true, LeavesNumber: false };
        if (isInTransaction ? !isEnd : edge is not null)
        {
            return false;
        }

        client.IsNumberRefused = false;
        if (edge is { Name: not "EXEC" } || !Guards.RefusedNumbersStopTheNext)
        {
            // A DISCARD, or a QUIT: it gives up what the number was for.
            return false;
        }

        client.DropTransaction();
        client.Unwatch();
        request.Error(Outcomes.Unnumbered);
        return true;
    }

    private static void StartEdge(RespRequest request, EdgeCommand edge)
    {
        request.Edge = edge;
        RespConnection connection = request.Connection;
        connection.Client.LastCommand = edge.Name;
        if (edge.ArityError(request.Line) is { } error)
        {
            connection.Client.Transaction?.Spoil();
            request.Error(error);
            return;
        }

        if (connection.Client.Transaction is { } transaction && !edge.RunsInTransaction)
        {
            transaction.QueueEdge(request, edge);
            return;
        }

        if (!edge.IsAlone || connection.TryBeAlone(request))
        {
            edge.Run(request);
        }
    }

    private static void StartPartition(RespRequest request)
    {
        RespConnection connection = request.Connection;
        CommandRoute route = CommandRouting.Route(request.Line);
        request.Spec = route.Spec;
        connection.Client.LastCommand = route.Spec?.Name ?? connection.Client.LastCommand;
        if (connection.Client.Transaction is { } transaction)
        {
            if (connection.Client.Endpoint is not null && !transaction.IsSpoiled && route.Kind == RouteKind.OneSlot
                && connection.Client.KeyspaceIn(connection.Shared.Gateway.View) is { } served
                && SlotOwners.TrySendAway(request, served, route.Slot, writes: true))
            {
                transaction.Spoil();
                return;
            }

            transaction.Queue(request, route);
            return;
        }

        if (route.Kind == RouteKind.Error)
        {
            request.Error(route.Error!);
            return;
        }

        bool writes = route.Spec!.Kind == CommandKind.Write;
        if (route.Spec.Name == "FLUSHALL")
        {
            Scatter.StartAll(request, route.Spec);
            return;
        }

        // FLUSHDB has nothing to do where there is nothing.
        bool makes = writes && route.Spec.Scattering != Scattering.PartitionsOk;
        if (!TryKeyspaceOf(request, makes, writes, out KeyspaceView? keyspace))
        {
            return;
        }

        if (keyspace is null)
        {
            request.Finish(EmptyReply(request, request.OwnLines(), isBatch: false));
            return;
        }

        if (SlotOwners.TrySendAway(request, keyspace, route))
        {
            return;
        }

        if (route.Kind == RouteKind.OneSlot)
        {
            if (writes || request.Call.Session is not null
                || !connection.Calls.TryRead(request, keyspace, route.Slot))
            {
                connection.Calls.Ask(request.Call, keyspace, route.Slot, request.OwnLines(), writes);
            }

            return;
        }

        Scatter.Start(request, keyspace, route);
    }
}
