using System.Buffers.Text;
using System.Text;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Protocol;

namespace Quorate.Server.Resp.Commands;

/// <summary>CLIENT and its subcommands.</summary>
internal static class ClientCommands
{
    /// <summary>How far the clocks of two nodes may be apart, at the very most.</summary>
    private const int ClockDifferenceMilliseconds = 3_600_000;

    public static readonly EdgeCommand[] All =
    [
        new("CLIENT", -2, EdgeHabits.Queued, Run) { QueueProblem = QueueProblem },
    ];

    private static readonly Dictionary<string, Action<RespRequest>>.AlternateLookup<ReadOnlySpan<byte>> Runs =
        new Dictionary<string, Action<RespRequest>>(CommandNames.Comparer)
        {
            ["ID"] = request => request.Finish(Replies.Integer(request.Connection.Client.Id)),
            ["INFO"] = ShowOwn,
            ["GETNAME"] = GetName,
            ["SETNAME"] = SetName,
            ["SETINFO"] = SetInfo,
            ["LIST"] = List,
            ["KILL"] = ClientKill.Run,
            ["NO-EVICT"] = OnOff,
            ["NO-TOUCH"] = OnOff,
            ["REPLY"] = SetReply,
            ["GETREDIR"] = request => request.Finish(Replies.Integer(-1)),
            ["REQUESTID"] = RequestId,
            ["SESSION"] = Session,
        }.GetAlternateLookup<ReadOnlySpan<byte>>();

    private static void Run(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        bool isNumber = CommandNames.Is(request.Line[1], "REQUESTID");
        if (!Subcommands.TryAnswer(request, "CLIENT"))
        {
            Runs[request.Line[1]](request);
        }

        // What stands behind it in a pipeline was to happen once; without a number it might happen twice.
        client.IsNumberRefused = isNumber ? client.NextRequest is null : client.IsNumberRefused;
    }

    private static void ShowOwn(RespRequest request) =>
        request.Finish(Replies.Bulk(Encoding.Latin1.GetBytes(ClientText.Of(request.Connection) + "\n")));

    /// <summary>Some are about the very next command, or about whether there are replies.</summary>
    private static string? QueueProblem(RespConnection connection, CommandLine line) =>
        CommandNames.Is(line[1], "REPLY") || CommandNames.Is(line[1], "REQUESTID")
            ? "ERR CLIENT REPLY and CLIENT REQUESTID are not allowed in transactions; send them before MULTI"
            : Subcommands.Problem(line, "CLIENT");

    private static void GetName(RespRequest request)
    {
        string name = request.Connection.Client.Name;
        request.Finish(name.Length == 0 ? Replies.Null : Replies.Bulk(Encoding.Latin1.GetBytes(name)));
    }

    private static void SetName(RespRequest request)
    {
        if (ClientNames.Problem(request.Line[2], request.Connection.Shared.Settings) is { } problem)
        {
            request.Error(problem);
            return;
        }

        request.Connection.Client.Name = Encoding.Latin1.GetString(request.Line[2]);
        request.Ok();
    }

    private static void SetInfo(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        ReadOnlySpan<byte> attribute = request.Line[2];
        if (ClientNames.Problem(request.Line[3], request.Connection.Shared.Settings) is not null)
        {
            string shown = Encoding.Latin1.GetString(attribute[..Math.Min(attribute.Length, 32)]);
            request.Error($"ERR {shown} cannot contain spaces, newlines or special characters.");
        }
        else if (CommandNames.Is(attribute, "LIB-NAME"))
        {
            client.LibraryName = Encoding.Latin1.GetString(request.Line[3]);
            request.Ok();
        }
        else if (CommandNames.Is(attribute, "LIB-VER"))
        {
            client.LibraryVersion = Encoding.Latin1.GetString(request.Line[3]);
            request.Ok();
        }
        else
        {
            string shown = Encoding.Latin1.GetString(attribute[..Math.Min(attribute.Length, 128)]);
            request.Error($"ERR Unrecognized option '{shown}'");
        }
    }

    /// <summary>`CLIENT LIST [TYPE type] [ID id ...]`.</summary>
    private static void List(RespRequest request)
    {
        CommandLine line = request.Line;
        Func<RespClient, bool> isListed = _ => true;
        if (line.Count == 4 && CommandNames.Is(line[2], "TYPE"))
        {
            bool isNormal = CommandNames.Is(line[3], "NORMAL");
            if (!isNormal && !ClientKill.IsType(line[3]))
            {
                request.Error($"ERR Unknown client type '{Encoding.Latin1.GetString(line[3])}'");
                return;
            }

            isListed = _ => isNormal;
        }
        else if (line.Count > 3 && CommandNames.Is(line[2], "ID"))
        {
            var ids = new HashSet<long>();
            for (int word = 3; word < line.Count; word++)
            {
                if (!Utf8Parser.TryParse(line[word], out long id, out int length) || length != line[word].Length)
                {
                    request.Error("ERR Invalid client ID");
                    return;
                }

                ids.Add(id);
            }

            isListed = client => ids.Contains(client.Id);
        }
        else if (line.Count != 2)
        {
            request.Error("ERR syntax error");
            return;
        }

        var text = new StringBuilder();
        IEnumerable<RespPipe> pipes = request.Connection.Shared.Connections.Values;
        foreach (RespPipe pipe in pipes.OrderBy(each => each.Connection.Client.Id))
        {
            if (!pipe.IsCut && isListed(pipe.Connection.Client))
            {
                text.Append(ClientText.Of(pipe.Connection)).Append('\n');
            }
        }

        request.Finish(Replies.Bulk(Encoding.Latin1.GetBytes(text.ToString())));
    }

    /// <summary>Clients are never evicted, and reads of theirs touch nothing that they could leave alone.</summary>
    private static void OnOff(RespRequest request)
    {
        if (CommandNames.Is(request.Line[2], "ON") || CommandNames.Is(request.Line[2], "OFF"))
        {
            request.Ok();
        }
        else
        {
            request.Error("ERR syntax error");
        }
    }

    private static void SetReply(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        if (CommandNames.Is(request.Line[2], "ON"))
        {
            client.IsSilent = false;
            request.IsSilent = false;
            request.Ok();
        }
        else if (CommandNames.Is(request.Line[2], "OFF"))
        {
            client.IsSilent = true;
            request.IsSilent = true;
            request.Ok();
        }
        else if (CommandNames.Is(request.Line[2], "SKIP"))
        {
            if (!client.IsSilent)
            {
                client.SkipNext();
            }

            request.IsSilent = true;
            request.Ok();
        }
        else
        {
            request.Error("ERR syntax error");
        }
    }

    /// <summary>
    /// `CLIENT REQUESTID session number [acknowledged]`: the next command that goes to a partition (or the next EXEC)
    /// happens once, however often it is sent with these numbers.
    /// </summary>
    private static void RequestId(RespRequest request)
    {
        CommandLine line = request.Line;
        RespShared shared = request.Connection.Shared;
        ulong cluster = shared.Gateway.View.State.Cluster;
        ulong acknowledged = 0;
        if (line.Count > 5
            || !TryNumber(line[3], out ulong number)
            || (line.Count == 5 && !TryNumber(line[4], out acknowledged)))
        {
            request.Error("ERR syntax error: CLIENT REQUESTID session number [acknowledged], with the session that "
                + "CLIENT SESSION has given");
        }
        else if (cluster == 0)
        {
            request.Error($"{ErrorCodes.Loading} this node does not know its cluster yet, nothing was done; try again");
        }
        else if (!SessionNames.TryRead(line[2], cluster, out ulong session) || session > NewestSession(shared))
        {
            request.Error("ERR this is no session that CLIENT SESSION of this cluster has given: ask for one, and send "
                + "its name as it came; a name that a client makes up may be another client's, too");
        }
        else if (session == 0 || number == 0)
        {
            request.Error("ERR session and number are at least 1");
        }
        else
        {
            request.Connection.Client.NextRequest = new SessionRequest(session, number, acknowledged);
            request.Ok();
        }
    }

    /// <summary>`CLIENT SESSION`: the name of a new request session.</summary>
    private static void Session(RespRequest request)
    {
        RespShared shared = request.Connection.Shared;
        ClusterView view = shared.Gateway.View;
        if (view.State.Cluster == 0)
        {
            request.Error($"{ErrorCodes.Loading} this node does not know its cluster yet, nothing was done; try again");
            return;
        }

        ulong session = shared.Sessions.Next(view.Self, shared.WallClockMilliseconds);
        request.Finish(Replies.Bulk(Encoding.ASCII.GetBytes(SessionNames.Of(view.State.Cluster, session))));
    }

    /// <summary>
    /// No session is newer, whatever node has given it: a made-up one from far ahead would outlive all the others.
    /// </summary>
    private static ulong NewestSession(RespShared shared) =>
        SessionIds.Newest(shared.WallClockMilliseconds + ClockDifferenceMilliseconds);

    private static bool TryNumber(ReadOnlySpan<byte> word, out ulong number) =>
        Utf8Parser.TryParse(word, out number, out int length) && length == word.Length;
}
