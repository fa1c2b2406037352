using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// Where one request asks, at which levels and until when, and what it has seen there. To be disposed when its answer
/// is written: until then its replies count.
/// </summary>
internal sealed class EntryPlace(
    INodeGateway gateway, ReplyRoom room, KeyspaceView keyspace, WriteLevel writeLevel, ReadLevel readLevel,
    Instant deadline, SeenTokens seen) : IDisposable
{
    private long _counted;

    public KeyspaceView Keyspace => keyspace;

    /// <summary>What the client had seen, and then what this request has.</summary>
    public SeenTokens Seen => seen;

    public Task<CallResult> Ask(byte[] key, CommandLine line, bool writes) =>
        Ask(KeyHash.SlotOf(key), [line], isBatch: false, writes);

    /// <param name="slot">Of the keys, or the first of the partition that is asked.</param>
    public async Task<CallResult> Ask(
        Slot slot, CommandLine[] lines, bool isBatch, bool writes, EntryRepeat? repeat = null)
    {
        var call = new EntryCall(room)
        {
            Keyspace = keyspace.Record.Id,
            Slot = slot,
            Lines = lines,
            IsBatch = isBatch,
            Writes = writes,
            WriteLevel = writeLevel,
            ReadLevel = readLevel,
            Deadline = deadline,
            Session = repeat?.Request,
        };
        if (readLevel == ReadLevel.Session)
        {
            call.Token = seen.Of(new(keyspace.PartitionOf(slot).Group));
        }

        gateway.Submit([call]);
        CallResult result = await call.Ended.ConfigureAwait(false);
        Interlocked.Add(ref _counted, call.CountedBytes);
        if (result.Outcome == Outcome.Done)
        {
            seen.Note(result.Group, result.Token);
        }

        return result;
    }

    public void Dispose() => room.Add(-Interlocked.Exchange(ref _counted, 0));
}
