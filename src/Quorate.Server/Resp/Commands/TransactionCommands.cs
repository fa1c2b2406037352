using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Protocol;
using Quorate.Server.Resp.ClusterMode;

namespace Quorate.Server.Resp.Commands;

/// <summary>MULTI, EXEC, DISCARD, WATCH: commands of one slot that take effect together, or not at all.</summary>
internal static class TransactionCommands
{
    /// <summary>What a watched key takes beside its bytes, in bytes.</summary>
    private const int WatchCostBytes = 128;

    public static readonly EdgeCommand[] All =
    [
        new("MULTI", 1, EdgeHabits.InTransaction | EdgeHabits.LeavesNumber, Multi),
        new("EXEC", 1, EdgeHabits.InTransaction, Exec),
        new("DISCARD", 1, EdgeHabits.InTransaction, Discard),
        new("WATCH", -2, EdgeHabits.InTransaction | EdgeHabits.Alone | EdgeHabits.LeavesNumber, Watch),
        new("UNWATCH", 1, EdgeHabits.None, Unwatch) { Answer = (_, _) => Replies.Ok },
    ];

    private static void Multi(RespRequest request)
    {
        RespClient client = request.Connection.Client;
        if (client.Transaction is not null)
        {
            request.Error("ERR MULTI calls can not be nested");
            return;
        }

        client.Transaction = new Transaction(request.Connection.Shared);
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

        client.DropTransaction();
        client.Unwatch();
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

        List<WatchedKey> watched = client.Watched;
        KeyspaceView? keyspace = null;
        bool isForKeys = !transaction.IsSpoiled && (transaction.GoesToPartition || client.Watched.Count > 0);
        bool goesOn = !isForKeys || Dispatch.TryKeyspaceOf(
            request, makes: transaction.Writes, transaction.Writes, out keyspace);
        if (!goesOn && !request.IsDone)
        {
            // It is started again.
            return;
        }

        client.Transaction = null;
        transaction.Hold.Finish();
        request.Hold = transaction.Hold;
        client.Unwatch();
        if (!goesOn)
        {
            return;
        }

        if (transaction.IsSpoiled)
        {
            request.Error("EXECABORT Transaction discarded because of previous errors.");
            return;
        }

        TransactionRun.Start(request, transaction, watched, keyspace);
    }

    private static void Unwatch(RespRequest request)
    {
        request.Connection.Client.Unwatch();
        request.Ok();
    }

    private static void Watch(RespRequest request)
    {
        RespConnection connection = request.Connection;
        RespClient client = connection.Client;
        int count = request.Line.Count - 1;
        if (client.Transaction is not null)
        {
            request.Error("ERR WATCH inside MULTI is not allowed");
        }
        else if (client.Watched.Count + count > connection.Shared.Settings.WatchedKeysMax)
        {
            request.Error($"ERR a connection watches at most {connection.Shared.Settings.WatchedKeysMax} keys");
        }
        else if (Dispatch.TryKeyspaceOf(request, makes: true, writes: true, out KeyspaceView? found)
            && found is { } keyspace)
        {
            // A database that has not been made is made by this: what is watched has a version in it.
            if (client.Watched.Count > 0 && client.Watched[0].Keyspace != keyspace.Record.Id)
            {
                request.Error("ERR the connection watches keys of another keyspace, and a transaction has one; UNWATCH "
                    + "first");
                return;
            }

            Slot slot = KeyHash.SlotOf(client.Watched.Count > 0 ? client.Watched[0].Key : request.Line[1]);
            for (int word = 1; word <= count; word++)
            {
                if (KeyHash.SlotOf(request.Line[word]) != slot)
                {
                    request.Error($"{ErrorCodes.CrossSlot} Keys in request don't hash to the same slot: those of a "
                        + "transaction must, share a {tag} among them");
                    return;
                }
            }

            if (!SlotOwners.TrySendAway(request, keyspace, slot, writes: true))
            {
                AskVersions(request, keyspace, slot);
            }
        }
    }

    private static void AskVersions(RespRequest request, KeyspaceView keyspace, Slot slot)
    {
        byte[][] keys = [.. Enumerable.Range(1, request.Line.Count - 1).Select(word => request.Line[word].ToArray())];
        request.Steps = new WatchSteps(keyspace.Record, keys);
        request.Call.IsBatch = true;
        CommandLine[] lines = [.. keys.Select(key => new CommandLine(["KEYVERSION"u8.ToArray(), key]))];
        request.Connection.Calls.Ask(request.Call, keyspace, slot, lines, writes: false);
    }

    /// <summary>Takes note of the versions that the keys have.</summary>
    private sealed class WatchSteps(KeyspaceRecord keyspace, byte[][] keys) : RequestSteps
    {
        public override void Next(RespRequest request)
        {
            CallResult result = request.Call.Result;
            if (result.Outcome != Outcome.Done)
            {
                request.Error(Outcomes.ErrorOf(request.Call));
                return;
            }

            ReadOnlyMemory<byte>[] versions = ReplyParts.ElementsOf(result.Reply);
            RespClient client = request.Connection.Client;
            if (!client.WatchHold.TryAdd(keys.Sum(key => (long)key.Length + WatchCostBytes)))
            {
                request.Connection.Shared.Counters.RefusedInput();
                request.Error($"{ErrorCodes.OutOfMemory} too many commands wait at this node for an EXEC or for their "
                    + "rest, no key is watched; try again later");
                return;
            }

            for (int i = 0; i < keys.Length; i++)
            {
                ReadOnlySpan<byte> version = versions[i].Span;
                if (version[0] != (byte)'$')
                {
                    request.Finish(versions[i]);
                    return;
                }

                int start = version.IndexOf((byte)'\n') + 1;
                client.Watched.Add(
                    new WatchedKey(keyspace.Id, keys[i], version[start..^2].ToArray()));
            }

            request.Ok();
        }
    }
}
