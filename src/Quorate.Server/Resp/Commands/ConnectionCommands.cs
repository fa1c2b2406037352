using System.Buffers.Text;
using System.Text;
using Quorate.Node.Evaluation;
using Quorate.Protocol;

namespace Quorate.Server.Resp.Commands;

/// <summary>Commands about the connection itself: HELLO, PING, SELECT, QUIT and their like.</summary>
internal static class ConnectionCommands
{
    /// <summary>The Redis whose commands and texts these are; clients choose by it what to send.</summary>
    public const string RedisVersion = "7.0.0";

    private const string NoAuth =
        "ERR AUTH is not known to this version: it has no users and no passwords yet. Connect without one";

    public static readonly EdgeCommand[] All =
    [
        EdgeCommand.Answering("PING", -1, Ping),
        EdgeCommand.Answering("ECHO", 2, (_, line) => Replies.Bulk(line[1])),
        EdgeCommand.Answering("TIME", 1, Time),
        new("HELLO", -1, EdgeHabits.None, Hello),
        new("AUTH", -2, EdgeHabits.None, request => request.Error(NoAuth)),
        new("SELECT", 2, EdgeHabits.None, Select),
        new("RESET", 1, EdgeHabits.InTransaction, Reset),
        new("QUIT", -1, EdgeHabits.InTransaction, Quit),
        new("CLUSTER", -2, EdgeHabits.None, request =>
            request.Error("ERR This instance has cluster support disabled")),
        new("READONLY", 1, EdgeHabits.None, request =>
            request.Error("ERR This instance has cluster support disabled")),
        new("READWRITE", 1, EdgeHabits.None, request =>
            request.Error("ERR This instance has cluster support disabled")),
    ];

    private static ReadOnlyMemory<byte> Ping(RespConnection connection, CommandLine line) => line.Count switch
    {
        1 => Replies.Pong,
        2 => Replies.Bulk(line[1]),
        _ => Replies.Error(EdgeCommands.WrongArguments("ping")),
    };

    private static ReadOnlyMemory<byte> Time(RespConnection connection, CommandLine line)
    {
        TimeSpan now = connection.Shared.Node.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch;
        return Replies.Of(reply =>
        {
            reply.Array(2);
            reply.BulkInteger((long)now.TotalSeconds);
            reply.BulkInteger(now.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        });
    }

    private static void Hello(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        CommandLine line = request.Line;
        int version = client.Version;
        string? name = null;
        if (line.Count > 1)
        {
            if (!Utf8Parser.TryParse(line[1], out version, out int length) || length != line[1].Length)
            {
                request.Error("ERR Protocol version is not an integer or out of range");
                return;
            }

            if (version is not (2 or 3))
            {
                request.Error("NOPROTO unsupported protocol version");
                return;
            }
        }

        for (int word = 2; word < line.Count; word++)
        {
            if (CommandNames.Is(line[word], "AUTH") && word + 2 < line.Count)
            {
                request.Error(NoAuth);
                return;
            }

            if (!CommandNames.Is(line[word], "SETNAME") || word + 1 >= line.Count)
            {
                request.Error($"ERR Syntax error in HELLO option '{Encoding.Latin1.GetString(line[word])}'");
                return;
            }

            if (ClientNames.Problem(line[++word], request.Connection.Shared.Settings) is { } problem)
            {
                request.Error(problem);
                return;
            }

            name = Encoding.Latin1.GetString(line[word]);
        }

        client.Version = version;
        client.Name = name ?? client.Name;
        request.Version = version;
        request.Finish(Greeting(client));
    }

    private static ReadOnlyMemory<byte> Greeting(RespClient client) => Replies.Of(reply =>
    {
        reply.Map(7);
        reply.Bulk("server"u8);
        reply.Bulk("redis"u8);
        reply.Bulk("version"u8);
        reply.Bulk(Encoding.ASCII.GetBytes(RedisVersion));
        reply.Bulk("proto"u8);
        reply.Integer(client.Version);
        reply.Bulk("id"u8);
        reply.Integer(client.Id);
        reply.Bulk("mode"u8);
        reply.Bulk("standalone"u8);
        reply.Bulk("role"u8);
        reply.Bulk("master"u8);
        reply.Bulk("modules"u8);
        reply.Array(0);
    });

    private static void Select(RespRequest request)
    {
        if (!Utf8Parser.TryParse(request.Line[1], out int index, out int length) || length != request.Line[1].Length)
        {
            request.Error("ERR value is not an integer or out of range");
        }
        else if (index != 0)
        {
            request.Error("ERR DB index is out of range");
        }
        else
        {
            KeyspaceChoice.Use(request, RespClient.DefaultKeyspace);
        }
    }

    /// <summary>The connection is as a new one.</summary>
    private static void Reset(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        client.Reset();
        request.Version = client.Version;
        request.IsSilent = false;
        request.Finish("+RESET\r\n"u8.ToArray());
    }

    private static void Quit(RespRequest request)
    {
        request.Ok();
        request.Connection.Close();
    }
}

/// <summary>Names that clients give themselves.</summary>
internal static class ClientNames
{
    /// <summary>What is wrong with a name; null when nothing is.</summary>
    public static string? Problem(ReadOnlySpan<byte> name, RespSettings settings)
    {
        if (name.Length > settings.ClientNameBytesMax)
        {
            return $"{ErrorCodes.Error} a client's name has at most {settings.ClientNameBytesMax} bytes";
        }

        foreach (byte b in name)
        {
            if (b is < (byte)'!' or > (byte)'~')
            {
                return "ERR Client names cannot contain spaces, newlines or special characters.";
            }
        }

        return null;
    }
}
