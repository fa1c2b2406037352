using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;

namespace Quorate.Server.Resp.Commands;

/// <summary>CONSISTENCY: how sure a connection wants to be.</summary>
internal static class ConsistencyCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("CONSISTENCY", -1, EdgeHabits.None, Consistency),
        new("WAIT", 3, EdgeHabits.Alone, WaitCommand.Run),
        new("WAITAOF", 4, EdgeHabits.Alone, WaitCommand.RunWithLocal),
    ];

    /// <summary>Reads a write level; null when it is none.</summary>
    public static WriteLevel? WriteLevelOf(ReadOnlySpan<byte> word) => word switch
    {
        _ when CommandNames.Is(word, "MAJORITY") => WriteLevel.Majority,
        _ when CommandNames.Is(word, "LEADER") => WriteLevel.Leader,
        _ when CommandNames.Is(word, "ALL") => WriteLevel.All,
        _ when Utf8Parser.TryParse(word, out int count, out int length) && length == word.Length && count > 0 =>
            WriteLevel.Count(count),
        _ => null,
    };

    /// <summary>Reads a read level; null when it is none.</summary>
    public static ReadLevel? ReadLevelOf(ReadOnlySpan<byte> word) => word switch
    {
        _ when CommandNames.Is(word, "LINEARIZABLE") => ReadLevel.Linearizable,
        _ when CommandNames.Is(word, "SESSION") => ReadLevel.Session,
        _ when CommandNames.Is(word, "EVENTUAL") => ReadLevel.Eventual,
        _ => null,
    };

    [SuppressMessage("Globalization", "CA1308", Justification = "Levels are written in small letters.")]
    public static string TextOf(ReadLevel level) => level.ToString().ToLowerInvariant();

    /// <summary>Replicas besides the leader that have a write of this level, at least.</summary>
    public static long SureReplicas(KeyspaceRecord keyspace, WriteLevel level)
    {
        long majority = keyspace.Voters / 2;
        return level.Kind switch
        {
            WriteLevelKind.Leader => 0,
            WriteLevelKind.Count => Math.Max(majority, level.Replicas - 1),
            WriteLevelKind.All => keyspace.Replicas - 1,
            _ => majority,
        };
    }

    /// <summary>`CONSISTENCY [READ level] [WRITE level]`: sets the connection's levels; both are shown.</summary>
    private static void Consistency(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        if (Dispatch.SettingsOf(request) is not { } keyspace)
        {
            return;
        }

        CommandLine line = request.Line;
        ReadLevel? read = client.ReadLevel;
        WriteLevel? write = client.WriteLevel;
        for (int word = 1; word < line.Count; word += 2)
        {
            bool isLast = word + 1 == line.Count;
            if (!isLast && CommandNames.Is(line[word], "READ") && ReadLevelOf(line[word + 1]) is { } readLevel)
            {
                read = readLevel;
            }
            else if (!isLast && CommandNames.Is(line[word], "WRITE") && WriteLevelOf(line[word + 1]) is { } writeLevel)
            {
                write = writeLevel;
            }
            else
            {
                request.Error("ERR syntax error: CONSISTENCY [READ linearizable|session|eventual] "
                    + "[WRITE majority|leader|all|n]");
                return;
            }
        }

        if (write is { } level && KeyspaceChoice.LevelProblem(keyspace.Record, level) is { } problem)
        {
            request.Error(problem);
            return;
        }

        client.ReadLevel = read;
        client.WriteLevel = write;
        if (line.Count > 1)
        {
            request.Ok();
            return;
        }

        request.Finish(Replies.Of(reply =>
        {
            reply.Map(2);
            reply.Bulk("read"u8);
            reply.Bulk(Encoding.ASCII.GetBytes(TextOf(read ?? (ReadLevel)keyspace.Record.ReadLevel)));
            reply.Bulk("write"u8);
            reply.Bulk(Encoding.ASCII.GetBytes((write ?? ConnectionCalls.LevelOf(keyspace.Record)).ToString()));
        }));
    }
}
