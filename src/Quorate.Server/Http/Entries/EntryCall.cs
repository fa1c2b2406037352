using System.Text;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Metadata.Wire;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>A call to one partition that an HTTP request waits for.</summary>
internal sealed class EntryCall : ClientCall
{
    private readonly TaskCompletionSource<CallResult> _ended =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<CallResult> Ended => _ended.Task;

    public override void Complete(in CallResult result) => _ended.SetResult(result);

    public static CommandLine Line(string name, params ReadOnlySpan<ReadOnlyMemory<byte>> words)
    {
        var line = new ReadOnlyMemory<byte>[words.Length + 1];
        line[0] = Encoding.ASCII.GetBytes(name);
        words.CopyTo(line.AsSpan(1));
        return new CommandLine(line);
    }
}

/// <summary>The keyspace and the levels of a request, and when it must have ended.</summary>
internal sealed record EntryPlace(
    INodeGateway Gateway, KeyspaceView Keyspace, WriteLevel WriteLevel, ReadLevel ReadLevel, Instant Deadline)
{
    public Task<CallResult> Ask(byte[] key, CommandLine line, bool writes) =>
        Ask(KeyHash.SlotOf(key), [line], isBatch: false, writes);

    public Task<CallResult> Ask(Slot slot, CommandLine[] lines, bool isBatch, bool writes, EntryRepeat? repeat = null)
    {
        var call = new EntryCall
        {
            Keyspace = Keyspace.Record.Id,
            Slot = slot,
            Lines = lines,
            IsBatch = isBatch,
            Writes = writes,
            WriteLevel = WriteLevel,
            ReadLevel = ReadLevel,
            Deadline = Deadline,
            Session = repeat?.Request,
        };
        Gateway.Submit([call]);
        return call.Ended;
    }

    /// <summary>The level of a word, as CONSISTENCY takes it; null when it is none.</summary>
    public static WriteLevel DefaultOf(KeyspaceRecord record) => ConnectionCalls.LevelOf(record);
}
