using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Evaluation;
using Quorate.Node.Partitions;
using Quorate.Server.Reading;
using Quorate.Server.Resp;

namespace Quorate.Server.Http.Entries;

/// <summary>
/// Where one request asks, at which levels and until when, and what it has seen there. To be disposed when its answer
/// is written: until then its replies count.
/// </summary>
internal sealed class EntryPlace(
    INodeGateway gateway, LocalReads? reads, ReplyRoom room, KeyspaceView keyspace, WriteLevel writeLevel,
    ReadLevel readLevel, Instant deadline, SeenTokens seen) : IDisposable
{
    private long _counted;

    public KeyspaceView Keyspace => keyspace;

    /// <summary>What the client had seen, and then what this request has.</summary>
    public SeenTokens Seen => seen;

    /// <summary>Asks about a key; a read that this node may answer from memory is answered on this thread.</summary>
    public async Task<CallResult> Ask(byte[] key, CommandLine line, bool writes)
    {
        Slot slot = KeyHash.SlotOf(key);
        return !writes && TryReadHere(slot, line) is { } read
            ? read
            : await Ask(slot, [line], isBatch: false, writes).ConfigureAwait(false);
    }

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

    private CallResult? TryReadHere(Slot slot, CommandLine line)
    {
        var group = new GroupId(keyspace.PartitionOf(slot).Group);
        if (reads?.Partitions.Find(group) is not { } partition)
        {
            return null;
        }

        var taker = new Taker(room);
        long wallClock = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
        var read = new FastRead(readLevel, seen.Of(group), gateway.Now, wallClock);
        ReadToken token;

        // One after the other: how long a reply is shows when it is there, and many large ones at once, each in its
        // reader's buffer, are more than there is room for.
        lock (room)
        {
            if (!reads.TryServe(partition, line, read, taker, out token))
            {
                return null;
            }
        }

        if (taker.Reply is not { } reply)
        {
            return new(Outcome.Refused, DropReason.Overloaded, group, default, default, default);
        }

        Interlocked.Add(ref _counted, EntryCall.BytesFor(reply.Length));
        seen.Note(group, token);
        return new(Outcome.Done, default, group, token, default, reply);
    }

    public void Dispose() => room.Add(-Interlocked.Exchange(ref _counted, 0));

    /// <summary>Copies a reply if there is room for it.</summary>
    private sealed class Taker(ReplyRoom room) : IReplyTaker
    {
        public byte[]? Reply { get; private set; }

        public void Take(ReadOnlySpan<byte> reply)
        {
            if (room.HasRoomFor(EntryCall.BytesFor(reply.Length)))
            {
                room.Add(EntryCall.BytesFor(reply.Length));
                Reply = reply.ToArray();
            }
        }
    }
}
