using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Cluster;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;

namespace Quorate.Server.Resp;

/// <summary>A call to one partition for a request, or for a part of one.</summary>
internal sealed class RespCall(RespRequest request) : ClientCall
{
    private ulong _keyBits;

    public RespRequest Request { get; } = request;

    /// <summary>It concerns every key of the partition.</summary>
    public bool IsWide { get; set; }

    /// <summary>How long it may take, where that is less than a request may, in milliseconds.</summary>
    public int? MillisecondsMax { get; init; }

    /// <summary>It has been handed to the node.</summary>
    public bool IsSubmitted { get; set; }

    /// <summary>Of a write that is done: replicas besides the leader that have it for sure.</summary>
    public long SureReplicas { get; set; }

    /// <summary>A read that is to prove that this still stands, whatever the connection has seen since.</summary>
    public ReadToken? Proves { get; set; }

    /// <summary>Replicas of its keyspace besides the leader.</summary>
    public long OtherReplicas { get; set; }

    public CallResult Result { get; private set; }

    /// <summary>It was read, and there was no room for the reply of so many bytes; else zero.</summary>
    public int RefusedBytes { get; private set; }

    /// <summary>
    /// A bit for each slot of its keys (modulo 64). Parts of a command whose keys are of several slots say it; of all
    /// other calls the slot is enough.
    /// </summary>
    public ulong SlotBits { get => field == 0 ? BitOf(Slot) : field; set; }

    /// <summary>A bit for each of its keys (by hash, modulo 64); all bits when it may concern any.</summary>
    public ulong KeyBits => _keyBits == 0 ? _keyBits = BitsOf(Lines) : _keyBits;

    /// <summary>Where it waits or runs; null when it does not.</summary>
    public PartitionTrack? Track { get; set; }

    /// <summary>The unfinished call before it in its track.</summary>
    public RespCall? Before { get; set; }

    /// <summary>The unfinished call behind it in its track.</summary>
    public RespCall? After { get; set; }

    /// <summary>In its connection's stack of those that were completed.</summary>
    public RespCall? NextCompleted { get; set; }

    public override void Complete(in CallResult result)
    {
        int bytes = result.Reply.Length;
        if (bytes >= ReplyRoom.GrainBytes && !Request.TryCount(bytes, Writes))
        {
            RefusedBytes = bytes;
            Result = result with { Outcome = Outcome.Refused, Reason = DropReason.Overloaded, Reply = default };
        }
        else
        {
            Result = result;
        }

        Request.Connection.OnCompleted(this);
    }

    /// <summary>Its reply has gone over to the request.</summary>
    public void ForgetReply() => Result = Result with { Reply = default };

    public void Clear()
    {
        Session = null;
        IsWide = false;
        IsSubmitted = false;
        IsBatch = false;
        Proves = null;
        RefusedBytes = 0;
        Result = default;
        _keyBits = 0;
        SlotBits = 0;
    }

    /// <summary>The bit of a slot.</summary>
    public static ulong BitOf(Slot slot) => 1UL << (slot.Value & 63);

    private static ulong BitsOf(CommandLine[] lines)
    {
        if (lines.Length != 1
            || CommandTable.Find(lines[0][0]) is not { KeysOf: null, Keys.First: > 0 } spec)
        {
            return ulong.MaxValue;
        }

        ulong bits = 0;
        int last = spec.Keys.LastIn(lines[0]);
        for (int word = spec.Keys.First; word <= last; word += spec.Keys.Step)
        {
            bits |= 1UL << (int)(KeyHash.Of(lines[0][word]) & 63);
        }

        return bits;
    }
}
