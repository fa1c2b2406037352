using System.Buffers.Text;
using System.Text;
using Quorate.Node.Cluster;
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

    private const string NoMove = "ERR MOVE is refused: databases are keyspaces whose partitions lie on different "
        + "nodes, and a key can not go from one to another in one step; nothing was done";

    private const string NoSwap = "ERR SWAPDB is refused: databases are keyspaces with settings and partitions of "
        + "their own, which other connections use by name; nothing was done";

    /// <summary>Where StackExchange.Redis listens.</summary>
    private static ReadOnlySpan<byte> MasterChanged => "__Booksleeve_MasterChanged"u8;

    public static readonly EdgeCommand[] All =
    [
        EdgeCommand.Answering("PING", -1, Ping),
        EdgeCommand.Answering("ECHO", 2, (_, line) => Replies.Bulk(line[1])),
        EdgeCommand.Answering("TIME", 1, Time),
        new("HELLO", -1, EdgeHabits.Queued, Hello),
        new("AUTH", -2, EdgeHabits.Queued, request => request.Error(NoAuth)),
        new("SELECT", 2, EdgeHabits.Queued, Select) { QueueProblem = WouldLeave },
        new("MOVE", 3, EdgeHabits.Queued, request => request.Error(NoMove)),
        new("SWAPDB", 3, EdgeHabits.Queued, request => request.Error(NoSwap)),
        EdgeCommand.Answering("ROLE", 1, Role),
        new("SUBSCRIBE", -2, EdgeHabits.None, Subscribe),
        new("UNSUBSCRIBE", -1, EdgeHabits.None, Unsubscribe),
        new("RESET", 1, EdgeHabits.InTransaction, Reset),
        new("QUIT", -1, EdgeHabits.InTransaction, Quit),
    ];

    private static ReadOnlyMemory<byte> Ping(RespConnection connection, CommandLine line) => line.Count switch
    {
        1 or 2 when connection.Client is { IsSubscribed: true, Version: 2 } => PongToListener(line),
        1 => Replies.Pong,
        2 => Replies.Bulk(line[1]),
        _ => Replies.Error(EdgeCommands.WrongArguments("ping")),
    };

    /// <summary>Who listens must be able to tell it from a message.</summary>
    private static ReadOnlyMemory<byte> PongToListener(CommandLine line) => Replies.Of(reply =>
    {
        reply.Array(2);
        reply.Bulk("pong"u8);
        reply.Bulk(line.Count == 2 ? line[1] : []);
    });

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
        reply.Bulk(client.Endpoint is null ? "standalone"u8 : "cluster"u8);
        reply.Bulk("role"u8);
        reply.Bulk("master"u8);
        reply.Bulk("modules"u8);
        reply.Array(0);
    });

    private static void Select(RespRequest request)
    {
        if (request.Connection.Client.Endpoint is not null)
        {
            if (request.Line[1].SequenceEqual("0"u8))
            {
                request.Ok();
            }
            else
            {
                request.Error("ERR SELECT is not allowed in cluster mode");
            }

            return;
        }

        if (TryNameOf(request.Line[1], request.Connection.Shared.Gateway.View, out string text))
        {
            KeyspaceChoice.Use(request, text);
        }
        else
        {
            request.Error(text);
        }
    }

    /// <summary>The keyspace that a SELECT names; false with the error when it names none.</summary>
    private static bool TryNameOf(ReadOnlySpan<byte> word, ClusterView view, out string text)
    {
        if (Utf8Parser.TryParse(word, out long index, out int length) && length == word.Length)
        {
            bool isOne = index is >= 0 and < NumberedDatabase.Count;
            text = isOne ? NumberedDatabase.NameOf((int)index) : "ERR DB index is out of range";
            return isOne;
        }

        text = Encoding.Latin1.GetString(word[..Math.Min(word.Length, 300)]);
        if (view.TryFind(text, out _))
        {
            return true;
        }

        text = "ERR value is not an integer or out of range";
        return false;
    }

    private static ReadOnlyMemory<byte> Role(RespConnection connection, CommandLine line) => Replies.Of(reply =>
    {
        reply.Array(3);
        reply.Bulk("master"u8);
        reply.Integer(0);
        reply.Array(0);
    });

    /// <summary>The commands of a transaction are one batch of one partition, so none of them can be of another
    /// keyspace.</summary>
    private static string? WouldLeave(RespConnection connection, CommandLine line) =>
        connection.Client.Endpoint is null
        && TryNameOf(line[1], connection.Shared.Gateway.View, out string name)
        && !string.Equals(name, connection.Client.Keyspace, StringComparison.Ordinal)
            ? $"ERR a transaction has the keyspace that it began with: SELECT {name} before MULTI"
            : null;

    /// <summary>
    /// Messages between clients are not built, but for this: StackExchange.Redis listens on a channel of this name for
    /// the news that a server has become another's replica, which is never so here.
    /// </summary>
    private static void Subscribe(RespRequest request)
    {
        CommandLine line = request.Line;
        if (line.Count != 2 || !line[1].SequenceEqual(MasterChanged))
        {
            request.Error("ERR SUBSCRIBE is not built: there are no messages between clients");
            return;
        }

        request.Connection.Client.IsSubscribed = true;
        request.Finish(Subscription(request, "subscribe"u8, line[1], 1));
    }

    private static void Unsubscribe(RespRequest request)
    {
        CommandLine line = request.Line;
        RespClient client = request.Connection.Client;
        if (line.Count > 2)
        {
            request.Error("ERR UNSUBSCRIBE takes one channel here: there are no messages between clients");
            return;
        }

        ReadOnlySpan<byte> channel = line.Count == 1 ? MasterChanged : line[1];
        bool was = client.IsSubscribed;
        client.IsSubscribed &= !channel.SequenceEqual(MasterChanged);
        request.Finish(Subscription(
            request, "unsubscribe"u8, line.Count == 1 && !was ? null : channel, client.IsSubscribed ? 1 : 0));
    }

    private static ReadOnlyMemory<byte> Subscription(
        RespRequest request, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> channel, int count)
    {
        var reply = new Reply();
        reply.Raw(request.Version == 3 ? ">3\r\n"u8 : "*3\r\n"u8);
        reply.Bulk(kind);
        if (channel.IsEmpty)
        {
            reply.Null();
        }
        else
        {
            reply.Bulk(channel);
        }

        reply.Integer(count);
        return reply.ToArray();
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
