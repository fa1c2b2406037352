using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Protocol;

namespace Quorate.Server.Resp;

/// <summary>An EXEC: the queued commands as one batch of their partition.</summary>
internal sealed class TransactionRun(Transaction transaction) : RequestSteps
{
    public static void Start(RespRequest request, Transaction transaction, List<WatchedKey> watched)
    {
        request.Shapes = ShapesOf(transaction);
        request.Steps = new TransactionRun(transaction);
        CommandLine[] lines = [.. transaction.Commands.Where(each => each.Edge is null).Select(each => each.Line)];
        if (lines.Length == 0 && watched.Count == 0)
        {
            request.Finish(Answers(request, transaction, []));
            return;
        }

        if (Dispatch.KeyspaceOf(request) is not { } keyspace)
        {
            return;
        }

        request.Call.IsBatch = true;
        request.Call.Session = request.Connection.Client.TakeRequest();
        request.Connection.Calls.Ask(
            request.Call,
            keyspace,
            transaction.Slot!.Value,
            lines,
            transaction.Commands.Any(each => each.Writes));
    }

    public override void Next(RespRequest request)
    {
        CallResult result = request.Call.Result;
        if (result.Outcome != Outcome.Done)
        {
            request.Error(Outcomes.ErrorOf(result.Outcome, result.Reason));
        }
        else if (result.Reply.Span[0] != (byte)'*' || transaction.Commands.All(each => each.Edge is null))
        {
            request.Finish(result.Reply);
        }
        else
        {
            request.Finish(Answers(request, transaction, ReplyParts.ElementsOf(result.Reply)));
        }
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
                ? edge.Answer!(request.Connection, command.Line)
                : fromPartition[next++];
            reply.Raw(answer.Span);
        }

        return reply.ToArray();
    }

    private static Resp2Shape[] ShapesOf(Transaction transaction) =>
        [.. transaction.Commands.Select(each => ReplyShapes.Of(each.Line))];
}
