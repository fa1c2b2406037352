using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Node.Wire;

/// <summary>
/// Messages of Raft groups, version 1, little-endian: group (4), kind (1), flags (1), from, to (8 each), term, index,
/// log term, commit, round, sending time (8 each); flag 1: hint index and hint term (8 each); appends: number of
/// entries (4), each with term (8), kind (1) and counted payload, their indexes following the message's; flag 2: a
/// snapshot's index, term and membership index (8 each), counted membership, number of term starts (4), each with term
/// and first index (8 each); snapshot chunks and their answers: offset (8), counted chunk.
/// </summary>
internal static class RaftWire
{
    private const byte Version = 1;
    private const byte HasHint = 1;
    private const byte HasSnapshot = 2;
    private const byte Rejects = 4;
    private const byte IsDone = 8;
    private const byte IsForced = 16;
    private const byte AllFlags = 31;
    private const int EntryBytesMin = 13;
    private const int TermStartBytes = 16;

    /// <summary>The connection that it takes.</summary>
    public static Cluster.PeerClass ClassOf(MessageKind kind) => kind switch
    {
        MessageKind.AppendRequest => Cluster.PeerClass.Log,
        MessageKind.SnapshotChunk => Cluster.PeerClass.Bulk,
        _ => Cluster.PeerClass.Urgent,
    };

    public static void Write(WireWriter writer, GroupId group, in RaftMessage message)
    {
        writer.Begin(PeerMessageKind.Raft, Version);
        writer.UInt32(group.Value);
        writer.Byte((byte)message.Kind);
        writer.Byte(FlagsOf(message));
        writer.UInt64(message.From.Packed);
        writer.UInt64(message.To.Packed);
        writer.UInt64(message.Term.Value);
        writer.UInt64(message.Index.Value);
        writer.UInt64(message.LogTerm.Value);
        writer.UInt64(message.Commit.Value);
        writer.UInt64(message.Round);
        writer.Int64(message.SentAt.Microseconds);
        if (HintOf(message))
        {
            writer.UInt64(message.HintIndex.Value);
            writer.UInt64(message.HintTerm.Value);
        }

        if (message.Kind == MessageKind.AppendRequest)
        {
            WriteEntries(writer, message);
        }

        if (message.Snapshot is { } snapshot)
        {
            WriteMeta(writer, snapshot);
        }

        if (IsOfSnapshot(message.Kind))
        {
            writer.Int64(message.SnapshotOffset);
            writer.Counted(message.Chunk.Span);
        }
    }

    /// <summary>
    /// False, and why, when these bytes are no such message. Entries and pieces of snapshots are parts of them.
    /// </summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> bytes, out GroupId group, out RaftMessage message, out string problem)
    {
        MessageKind kind = bytes.Length > 6 ? (MessageKind)bytes.Span[6] : default;
        var reader = new WireReader(bytes);
        reader.Byte();
        if (reader.Byte() != Version)
        {
            reader.Fail("a message of a group has a version that this build does not know");
        }

        group = new(reader.UInt32());
        reader.Byte();
        if (kind is < MessageKind.PreVoteRequest or > MessageKind.Commit)
        {
            reader.Fail($"a message of a group is of no kind {(byte)kind}");
        }

        byte flags = reader.Byte();
        if ((flags & ~AllFlags) != 0)
        {
            reader.Fail($"a message of a group has no flags {flags}");
        }

        message = ReadBody(ref reader, kind, flags);
        problem = reader.Problem ?? "bytes follow a message of a group";
        return reader.IsWhole;
    }

    private static RaftMessage ReadBody(ref WireReader reader, MessageKind kind, byte flags)
    {
        var header = new RaftMessage
        {
            Kind = kind,
            From = ReplicaId.FromPacked(reader.UInt64()),
            To = ReplicaId.FromPacked(reader.UInt64()),
            Term = new(reader.UInt64()),
            Index = new(reader.UInt64()),
            LogTerm = new(reader.UInt64()),
            Commit = new(reader.UInt64()),
            Round = reader.UInt64(),
            SentAt = new(reader.Int64()),
            HintIndex = new((flags & HasHint) != 0 ? reader.UInt64() : 0),
            HintTerm = new((flags & HasHint) != 0 ? reader.UInt64() : 0),
            Reject = (flags & Rejects) != 0,
            Done = (flags & IsDone) != 0,
            Force = (flags & IsForced) != 0,
        };
        Entry[]? entries = kind == MessageKind.AppendRequest ? ReadEntries(ref reader, header) : null;
        SnapshotMeta? snapshot = (flags & HasSnapshot) != 0 ? ReadMeta(ref reader) : null;
        if (kind == MessageKind.SnapshotChunk && snapshot is null)
        {
            reader.Fail("a piece of a snapshot says of which");
        }

        if (!IsOfSnapshot(kind))
        {
            return With(header, entries, snapshot, 0, default);
        }

        long offset = reader.Int64();
        if (offset < 0)
        {
            reader.Fail("a piece of a snapshot has no place before its beginning");
        }

        return With(header, entries, snapshot, offset, reader.Memory());
    }

    private static RaftMessage With(
        in RaftMessage header, Entry[]? entries, SnapshotMeta? snapshot, long offset, ReadOnlyMemory<byte> chunk) =>
        new()
        {
            Kind = header.Kind,
            From = header.From,
            To = header.To,
            Term = header.Term,
            Index = header.Index,
            LogTerm = header.LogTerm,
            Commit = header.Commit,
            Round = header.Round,
            SentAt = header.SentAt,
            HintIndex = header.HintIndex,
            HintTerm = header.HintTerm,
            Reject = header.Reject,
            Done = header.Done,
            Force = header.Force,
            Entries = entries,
            Snapshot = snapshot,
            SnapshotOffset = offset,
            Chunk = chunk,
        };

    private static bool IsOfSnapshot(MessageKind kind) =>
        kind is MessageKind.SnapshotChunk or MessageKind.SnapshotResponse;

    private static bool HintOf(in RaftMessage message) =>
        message.HintIndex != LogIndex.Zero || message.HintTerm != Term.Zero;

    private static byte FlagsOf(in RaftMessage message) => (byte)(
        (HintOf(message) ? HasHint : 0)
        | (message.Snapshot is null ? 0 : HasSnapshot)
        | (message.Reject ? Rejects : 0)
        | (message.Done ? IsDone : 0)
        | (message.Force ? IsForced : 0));

    private static void WriteEntries(WireWriter writer, in RaftMessage message)
    {
        Entry[] entries = message.Entries ?? [];
        writer.UInt32((uint)entries.Length);
        LogIndex index = message.Index;
        for (int i = 0; i < entries.Length; i++)
        {
            Entry entry = entries[i];
            index = index.Next;
            Invariant.Check(entry.Index == index, $"the entries of an append follow each other, {entry} not {index}");
            writer.UInt64(entry.Term.Value);
            writer.Byte((byte)entry.Kind);
            if (i == entries.Length - 1 && message.Snapshot is null)
            {
                writer.CountedTail(entry.Payload);
            }
            else
            {
                writer.Counted(entry.Payload.Span);
            }
        }
    }

    private static Entry[] ReadEntries(ref WireReader reader, in RaftMessage header)
    {
        int count = reader.Count(EntryBytesMin, WireLimits.EntriesMax);
        if (header.Index.Value > ulong.MaxValue - (ulong)count)
        {
            reader.Fail("entries have no place so far on");
            return [];
        }

        Entry[] entries = new Entry[count];
        Term before = header.LogTerm;
        LogIndex index = header.Index;
        for (int i = 0; i < count; i++)
        {
            var term = new Term(reader.UInt64());
            var kind = (EntryKind)reader.Byte();
            ReadOnlyMemory<byte> payload = reader.Memory();
            if (reader.Problem is not null)
            {
                return [];
            }

            if (term < before || term > header.Term || kind > EntryKind.Membership)
            {
                reader.Fail($"entry {index.Next} is of term {term} and kind {(byte)kind}, which it can not be");
                return [];
            }

            if (kind == EntryKind.Membership && Membership.TryDecode(payload.Span) is null)
            {
                reader.Fail($"entry {index.Next} is to be a membership and is none");
                return [];
            }

            before = term;
            index = index.Next;
            entries[i] = new(index, term, kind, payload);
        }

        return entries;
    }

    private static void WriteMeta(WireWriter writer, SnapshotMeta meta)
    {
        writer.UInt64(meta.Index.Value);
        writer.UInt64(meta.Term.Value);
        writer.UInt64(meta.MembershipIndex.Value);
        writer.Counted(meta.Membership.Encode());
        writer.UInt32((uint)meta.TermStarts.Length);
        foreach (TermStart start in meta.TermStarts)
        {
            writer.UInt64(start.Term.Value);
            writer.UInt64(start.First.Value);
        }
    }

    private static SnapshotMeta? ReadMeta(ref WireReader reader)
    {
        var index = new LogIndex(reader.UInt64());
        var term = new Term(reader.UInt64());
        var membershipIndex = new LogIndex(reader.UInt64());
        Membership? membership = Membership.TryDecode(reader.Counted());
        TermStart[] starts = new TermStart[reader.Count(TermStartBytes, WireLimits.EntriesMax)];
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = new(new(reader.UInt64()), new(reader.UInt64()));
        }

        if (membership is null)
        {
            reader.Fail("a snapshot's membership is none");
            return null;
        }

        return new(index, term, membershipIndex, membership, starts);
    }
}
