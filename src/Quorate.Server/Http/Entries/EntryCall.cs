using System.Text;
using Quorate.Core;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>A call to one partition that an HTTP request waits for.</summary>
internal sealed class EntryCall(ReplyRoom room) : ClientCall
{
    private readonly TaskCompletionSource<CallResult> _ended =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What its reply takes until it has been written as JSON, in bytes.</summary>
    public long CountedBytes { get; private set; }

    public Task<CallResult> Ended => _ended.Task;

    public override void Complete(in CallResult result)
    {
        long bytes = BytesFor(result.Reply.Length);
        if (!Writes && !room.HasRoomFor(bytes) && Guards.HttpAnswersAreBounded)
        {
            _ended.SetResult(
                result with { Outcome = Outcome.Refused, Reason = DropReason.Overloaded, Reply = default });
            return;
        }

        CountedBytes = bytes;
        room.Add(bytes);
        _ended.SetResult(result);
    }

    /// <summary>What a reply takes: itself, the answer that is made of it, and what the server sends of that.</summary>
    public static long BytesFor(int replyBytes) => 3L * replyBytes;

    public static CommandLine Line(string name, params ReadOnlySpan<ReadOnlyMemory<byte>> words)
    {
        var line = new ReadOnlyMemory<byte>[words.Length + 1];
        line[0] = Encoding.ASCII.GetBytes(name);
        words.CopyTo(line.AsSpan(1));
        return new CommandLine(line);
    }
}
