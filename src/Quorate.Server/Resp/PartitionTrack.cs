using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Server.Reading;

namespace Quorate.Server.Resp;

/// <summary>
/// The unfinished calls of one connection to one partition, in order, and what the connection has seen of it.
/// <para>Invariants: a read is handed over once every write before it has ended, so it sees them (pitfall R34); a
/// write, once every read of its keys before it has ended, so they do not see it; writes of one key are handed over in
/// their order; a call that concerns all keys passes none, and none passes it.</para>
/// </summary>
internal sealed class PartitionTrack(GroupId group)
{
    private RespCall? _first;
    private RespCall? _last;
    private int _writes;
    private int _wide;
    private int _held;
    private LocalPartitions? _table;
    private LocalPartition? _local;

    /// <summary>
    /// Slots (modulo 64) of reads since the track was empty: a write of none of them needs no further look.
    /// </summary>
    private ulong _readSlots;

    public GroupId Group { get; } = group;

    public ReadToken Token { get; private set; }

    /// <summary>What a read of level `session` has to see.</summary>
    public ReadToken Owed => Guards.SessionReadsOweTheirToken ? Token : default;

    /// <summary>What is known of the connection's writes to the partition; null before the first.</summary>
    public WrittenState? Written { get; set; }

    /// <summary>No call is under way.</summary>
    public bool IsIdle => _first is null;

    /// <summary>Some calls may have become free to go.</summary>
    public bool NeedsLook { get; set; }

    /// <summary>
    /// A read that came now would be handed over at once; so it may be served at once, too: it is ended before the next
    /// call is looked at.
    /// </summary>
    public bool MayReadNow => _first is null || (_held == 0 && _wide == 0 && MayReadPast(_writes > 0));

    /// <summary>The partition, as far as this node has it.</summary>
    public LocalPartition? LocalIn(LocalPartitions table)
    {
        if (_table != table)
        {
            _table = table;
            _local = table.Find(Group);
        }

        return _local;
    }

    /// <summary>Adds a call; true when it may be handed over at once.</summary>
    public bool Add(RespCall call)
    {
        bool isFree = _first is null
            || (_held == 0 && _wide == 0 && !call.IsWide
                && (call.Writes ? (_readSlots & call.SlotBits) == 0 : MayReadPast(_writes > 0)));
        call.Track = this;
        call.Before = _last;
        call.After = null;
        if (_last is null)
        {
            _first = call;
        }
        else
        {
            _last.After = call;
        }

        _last = call;
        _writes += call.Writes ? 1 : 0;
        _wide += call.IsWide ? 1 : 0;
        _readSlots |= call.Writes ? 0 : call.SlotBits;
        _held += isFree ? 0 : 1;
        call.IsSubmitted = isFree;
        return isFree;
    }

    /// <summary>A call has ended. True when those that are held should be looked at.</summary>
    public bool Remove(RespCall call)
    {
        if (call.Before is null)
        {
            _first = call.After;
        }
        else
        {
            call.Before.After = call.After;
        }

        if (call.After is null)
        {
            _last = call.Before;
        }
        else
        {
            call.After.Before = call.Before;
        }

        call.Track = null;
        call.Before = null;
        call.After = null;
        _writes -= call.Writes ? 1 : 0;
        _wide -= call.IsWide ? 1 : 0;
        if (_first is null)
        {
            _readSlots = 0;
        }

        return _held > 0;
    }

    /// <summary>Hands over what has become free, in order.</summary>
    public void Release(Action<RespCall> submit)
    {
        bool any = false;
        bool write = false;
        bool wide = false;
        ulong keys = 0;
        for (RespCall? call = _first; call is not null && _held > 0; call = call.After)
        {
            ulong bits = call.KeyBits;
            if (!call.IsSubmitted)
            {
                bool waits = call.IsWide ? any
                    : wide || (call.Writes ? (keys & bits) != 0 : !MayReadPast(write));
                if (!waits)
                {
                    call.IsSubmitted = true;
                    _held--;
                    submit(call);
                }
            }

            any = true;
            write |= call.Writes;
            wide |= call.IsWide;
            keys |= call.Writes && call.IsSubmitted ? 0 : bits;
        }
    }

    /// <summary>The connection has seen this of the partition. An older sight does not replace a newer one.</summary>
    public void Saw(ReadToken token)
    {
        if (token.Term > Token.Term || (token.Term == Token.Term && token.Index > Token.Index))
        {
            Token = token;
        }
    }

    /// <summary>A write is done: what is sure of all of them is what is sure of the least sure one.</summary>
    public void Wrote(RespCall call)
    {
        long sure = Math.Min(Written?.SureReplicas ?? call.SureReplicas, call.SureReplicas);
        if (Written is not { } written || written.SureReplicas != sure || written.Keyspace != call.Keyspace)
        {
            Written = new(call.Keyspace, call.Slot, sure, call.OtherReplicas) { Unproven = Written?.Unproven ?? [] };
        }

        if (call.WriteLevel == WriteLevel.Leader)
        {
            Written.NoteUnproven(call.Result.Token);
        }
    }

    /// <summary>What was seen is lost, and the client has been told so: it begins anew.</summary>
    public void Forget()
    {
        Token = default;
        Written = null;
    }

    private static bool MayReadPast(bool hasWrite) => !hasWrite || !Guards.ReadsWaitForOwnWrites;
}

/// <summary>What is known of a connection's writes to one partition.</summary>
/// <param name="Slot">One of the partition's.</param>
/// <param name="SureReplicas">Replicas besides the leader that have each of the writes.</param>
/// <param name="OtherReplicas">Replicas besides the leader that there are.</param>
internal sealed record WrittenState(uint Keyspace, Slot Slot, long SureReplicas, long OtherReplicas)
{
    /// <summary>Terms of unproven writes that are remembered; beyond, a connection's writes count as unsure.</summary>
    private const int TermsMax = 16;

    /// <summary>
    /// Of each term, ascending, the last write at level `leader`. Another leader's entries may have taken its place,
    /// and an entry behind it proves nothing of it, unless it is of the same term.
    /// </summary>
    public List<ReadToken> Unproven { get; init; } = [];

    /// <summary>So many terms that not all are remembered.</summary>
    public bool HasForgotten { get; private set; }

    public void NoteUnproven(ReadToken token)
    {
        if (Unproven.Count > 0 && Unproven[^1].Term == token.Term)
        {
            Unproven[^1] = Unproven[^1].Index < token.Index ? token : Unproven[^1];
        }
        else if (Unproven.Count == TermsMax)
        {
            HasForgotten = true;
        }
        else
        {
            Unproven.Add(token);
        }
    }
}
