using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Protocol;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Resp;

/// <summary>
/// An EXEC: the queued commands as one batch of their partition. When keys are watched the batch begins with the
/// condition that they have the versions they had.
/// </summary>
internal sealed class TransactionRun(Transaction transaction, bool isConditional) : RequestSteps
{
    /// <param name="keyspace">Null: a numbered database that has not been made.</param>
    public static void Start(
        RespRequest request, Transaction transaction, List<WatchedKey> watched, KeyspaceView? keyspace)
    {
        request.Shapes = [.. transaction.Commands.Select(each => ReplyShapes.Of(each.Line))];
        request.Steps = new TransactionRun(transaction, watched.Count > 0);
        List<CommandLine> lines = [];
        if (watched.Count > 0)
        {
            lines.Add(Condition(watched));
        }

        lines.AddRange(transaction.Commands.Where(each => each.Edge is null).Select(each => each.Line));
        if (lines.Count == 0)
        {
            request.Finish(Answers(request, transaction, []));
            return;
        }

        Slot slot = transaction.Slot ?? (watched.Count > 0 ? KeyHash.SlotOf(watched[0].Key) : default);
        if (watched.Count > 0 && KeyHash.SlotOf(watched[0].Key) != slot)
        {
            request.Error($"{ErrorCodes.CrossSlot} the watched keys and those of the transaction don't hash to the "
                + "same slot, nothing was done; share a {tag} among them");
            return;
        }

        if (watched.Count > 0 && watched[0].Keyspace != keyspace?.Record.Id)
        {
            request.Error("ERR the watched keys are of another keyspace than the transaction, nothing was done");
            return;
        }

        if (keyspace is null)
        {
            request.Finish(Answers(
                request,
                transaction,
                ReplyParts.ElementsOf(Dispatch.EmptyReply(request, [.. lines], isBatch: true))));
            return;
        }

        request.Call.IsBatch = true;
        bool writes = transaction.Writes;
        request.Connection.Calls.Ask(request.Call, keyspace, slot, [.. lines], writes);
    }

    public override void Next(RespRequest request)
    {
        CallResult result = request.Call.Result;
        if (result.Outcome != Outcome.Done)
        {
            request.Error(Outcomes.ErrorOf(request.Call));
            return;
        }

        if (result.Reply.Span[0] != (byte)'*')
        {
            // A watched key has changed, or the whole exceeds a limit.
            request.Shapes = null;
            request.Finish(result.Reply);
            return;
        }

        if (!isConditional && transaction.Commands.All(each => each.Edge is null))
        {
            request.Finish(result.Reply);
            return;
        }

        ReadOnlyMemory<byte>[] answers = ReplyParts.ElementsOf(result.Reply);
        request.Finish(Answers(request, transaction, isConditional ? answers[1..] : answers));
    }

    /// <summary>The answers of the partition and of the connection itself, in the order of the commands.</summary>
    private static ReadOnlyMemory<byte> Answers(
        RespRequest request, Transaction transaction, ReadOnlyMemory<byte>[] fromPartition)
    {
        var reply = new Reply();
        int next = 0;
        reply.Array(transaction.Commands.Count);
        foreach (QueuedCommand command in transaction.Commands)
        {
            ReadOnlyMemory<byte> answer = command.Edge is { } edge
                ? AnswerOf(request, edge, command.Line)
                : fromPartition[next++];
            reply.Raw(answer.Span);
        }

        // A HELLO among them counts from here on.
        request.Version = request.Connection.Client.Version;
        return reply.ToArray();
    }

    private static ReadOnlyMemory<byte> AnswerOf(RespRequest request, EdgeCommand edge, CommandLine line)
    {
        if (edge.Answer is { } answer)
        {
            return answer(request.Connection, line);
        }

        RespRequest part = RespRequest.PartOf(request, line);
        edge.Run(part);
        Invariant.Check(part.IsDone, "a command of the connection that was queued is done at once");
        return part.Reply;
    }

    private static CommandLine Condition(List<WatchedKey> watched)
    {
        var words = new List<ReadOnlyMemory<byte>> { "IFVERSION"u8.ToArray() };
        foreach (WatchedKey key in watched)
        {
            words.Add(key.Key);
            words.Add(key.Version);
        }

        return new CommandLine([.. words]);
    }
}
