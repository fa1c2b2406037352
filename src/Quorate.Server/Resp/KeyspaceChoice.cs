using System.Globalization;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Metadata.Wire;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>Which keyspace a connection uses, and which levels of it.</summary>
internal static class KeyspaceChoice
{
    /// <summary>
    /// Uses another keyspace. Levels that the connection has chosen stay; a keyspace that cannot give them is refused,
    /// since no level is lowered in silence.
    /// </summary>
    public static void Use(RespRequest request, string name)
    {
        RespConnection connection = request.Connection;
        if (connection.Client.Endpoint is { } endpoint)
        {
            request.Error($"ERR the cluster endpoint serves keyspace '{endpoint.Keyspace}' alone; others are reached "
                + "by the plain one (--resp-port)");
            return;
        }

        ClusterView view = connection.Shared.Gateway.View;
        if (view.TryFind(name, out KeyspaceView? keyspace))
        {
            if (connection.Client.WriteLevel is { } level && LevelProblem(keyspace.Record, level) is { } problem)
            {
                request.Error(problem + "; choose another with CONSISTENCY first");
                return;
            }
        }
        else if (view.HasKeyspaces && NumberedDatabase.MayBeMade(name))
        {
            // It is made like the first one, so it can give what that can.
            if (connection.Client.WriteLevel is { } level
                && view.TryFind(RespClient.DefaultKeyspace, out KeyspaceView? first)
                && LevelProblem(first.Record, level) is { } problem)
            {
                request.Error(problem + "; choose another with CONSISTENCY first");
                return;
            }
        }
        else if (view.HasKeyspaces || !string.Equals(name, RespClient.DefaultKeyspace, StringComparison.Ordinal))
        {
            request.Error(!view.HasKeyspaces
                ? $"{ErrorCodes.Loading} this node does not know the keyspaces yet, nothing was done; try again"
                : $"ERR there is no keyspace '{name}'; KEYSPACE LIST shows them");
            return;
        }

        connection.Client.Use(name);
        request.Ok();
    }

    /// <summary>Why a keyspace cannot give a write level; null when it can.</summary>
    public static string? LevelProblem(KeyspaceRecord keyspace, WriteLevel level) =>
        level.Kind == WriteLevelKind.Count && level.Replicas > keyspace.Replicas
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{ErrorCodes.Refused} keyspace '{keyspace.Name}' has {keyspace.Replicas} replicas and cannot give "
                + $"write level {level.Replicas}")
            : null;
}
