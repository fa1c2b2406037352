
namespace Quorate.Server.Resp.Commands;

/// <summary>MULTI, EXEC, DISCARD: commands of one slot that take effect together.</summary>
internal static class TransactionCommands
{
    public static readonly EdgeCommand[] All =
    [
        new("MULTI", 1, EdgeHabits.InTransaction, Multi),
        new("EXEC", 1, EdgeHabits.InTransaction, Exec),
        new("DISCARD", 1, EdgeHabits.InTransaction, Discard),
    ];

    private static void Multi(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        if (client.Transaction is not null)
        {
            request.Error("ERR MULTI calls can not be nested");
            return;
        }

        client.Transaction = new Transaction(request.Connection.Shared.Settings);
        request.Ok();
    }

    private static void Discard(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        if (client.Transaction is null)
        {
            request.Error("ERR DISCARD without MULTI");
            return;
        }

        client.Transaction = null;
        client.Watched = [];
        request.Ok();
    }

    private static void Exec(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        if (client.Transaction is not { } transaction)
        {
            request.Error("ERR EXEC without MULTI");
            return;
        }

        client.Transaction = null;
        List<WatchedKey> watched = client.Watched;
        client.Watched = [];
        if (transaction.IsSpoiled)
        {
            request.Error("EXECABORT Transaction discarded because of previous errors.");
            return;
        }

        TransactionRun.Start(request, transaction, watched);
    }
}
