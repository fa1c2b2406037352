using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp.Commands;

/// <summary>CLIENT KILL, in its old form (an address) and its new one (filters).</summary>
internal static class ClientKill
{
    public static void Run(RespRequest request)
    {
        CommandLine line = request.Line;
        if (line.Count == 3)
        {
            string address = Encoding.Latin1.GetString(line[2]);
            int killed = Kill(request, client => string.Equals(client.Address, address, StringComparison.Ordinal));
            if (killed == 0)
            {
                request.Error("ERR No such client");
            }
            else
            {
                request.Ok();
            }

            return;
        }

        if (FilterOf(request) is { } filter)
        {
            request.Finish(Replies.Integer(Kill(request, filter)));
        }
    }

    public static bool IsType(ReadOnlySpan<byte> word) =>
        CommandNames.Is(word, "NORMAL") || CommandNames.Is(word, "MASTER") || CommandNames.Is(word, "REPLICA")
        || CommandNames.Is(word, "SLAVE") || CommandNames.Is(word, "PUBSUB");

    /// <summary>Which clients the words name; null when they are none, which has been answered.</summary>
    private static Func<RespClient, bool>? FilterOf(RespRequest request)
    {
        CommandLine line = request.Line;
        long own = request.Connection.Client.Id;
        bool skipsOwn = true;
        var filters = new List<Func<RespClient, bool>>();
        for (int word = 2; word < line.Count; word += 2)
        {
            if (word + 1 == line.Count)
            {
                request.Error("ERR syntax error");
                return null;
            }

            string value = Encoding.Latin1.GetString(line[word + 1]);
            if (CommandNames.Is(line[word], "ID"))
            {
                bool isNumber = Utf8Parser.TryParse(line[word + 1], out long id, out int length);
                if (!isNumber || length != value.Length || id <= 0)
                {
                    request.Error("ERR client-id should be greater than 0");
                    return null;
                }

                filters.Add(client => client.Id == id);
            }
            else if (CommandNames.Is(line[word], "ADDR"))
            {
                filters.Add(client => string.Equals(client.Address, value, StringComparison.Ordinal));
            }
            else if (CommandNames.Is(line[word], "LADDR"))
            {
                filters.Add(client => string.Equals(client.LocalAddress, value, StringComparison.Ordinal));
            }
            else if (CommandNames.Is(line[word], "USER"))
            {
                // There are no users but the one that everybody is.
                if (!string.Equals(value, "default", StringComparison.Ordinal))
                {
                    request.Error($"ERR No such user '{value[..Math.Min(value.Length, 128)]}'");
                    return null;
                }
            }
            else if (CommandNames.Is(line[word], "TYPE") && IsType(line[word + 1]))
            {
                bool isNormal = CommandNames.Is(line[word + 1], "NORMAL");
                filters.Add(_ => isNormal);
            }
            else if (CommandNames.Is(line[word], "SKIPME")
                && (CommandNames.Is(line[word + 1], "YES") || CommandNames.Is(line[word + 1], "NO")))
            {
                skipsOwn = CommandNames.Is(line[word + 1], "YES");
            }
            else
            {
                request.Error("ERR syntax error");
                return null;
            }
        }

        return client => (!skipsOwn || client.Id != own) && filters.TrueForAll(filter => filter(client));
    }

    private static int Kill(RespRequest request, Func<RespClient, bool> isMeant)
    {
        int killed = 0;
        foreach (RespPipe pipe in request.Connection.Shared.Connections.Values)
        {
            if (pipe.IsCut || !isMeant(pipe.Connection.Client))
            {
                continue;
            }

            killed++;
            if (pipe.Connection == request.Connection)
            {
                // Its own reply still goes out.
                request.Connection.Close();
            }
            else
            {
                pipe.Abort();
            }
        }

        return killed;
    }
}

/// <summary>A client as CLIENT LIST shows it.</summary>
internal static class ClientText
{
    public static string Of(RespConnection connection)
    {
        RespClient client = connection.Client;
        long now = Environment.TickCount64;
        int database = NumberedDatabase.IndexOf(client.Keyspace) ?? 0;
        int queued = client.Transaction?.Commands.Count ?? -1;
        string command = client.LastCommand.Length == 0 ? "NULL" : client.LastCommand;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"id={client.Id} addr={client.Address} laddr={client.LocalAddress} name={client.Name} "
            + $"age={(now - client.CreatedAt) / 1000} idle={(now - client.ActiveAt) / 1000} "
            + $"flags={(queued >= 0 ? 'x' : 'N')} db={database} "
            + $"sub={(client.IsSubscribed ? 1 : 0)} psub=0 multi={queued} watch={client.Watched.Count} "
            + $"cmd={command} user=default lib-name={client.LibraryName} lib-ver={client.LibraryVersion} "
            + $"resp={client.Version} keyspace={client.Keyspace} unanswered={connection.Unfinished} "
            + $"omem={connection.ReplyBytesWaiting}");
    }
}
