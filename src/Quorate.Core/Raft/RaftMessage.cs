using System.Runtime.InteropServices;
using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>What replicas of a group say to each other. The numbers are part of the wire's format.</summary>
public enum MessageKind : byte
{
    /// <summary>Could I win? Raises nobody's term.</summary>
    PreVoteRequest = 1,
    PreVoteResponse = 2,
    VoteRequest = 3,
    VoteResponse = 4,
    AppendRequest = 5,
    AppendResponse = 6,
    Heartbeat = 7,
    HeartbeatResponse = 8,
    SnapshotChunk = 9,
    SnapshotResponse = 10,

    /// <summary>A follower asks the leader how far it must have applied to serve a linearizable read.</summary>
    ReadRequest = 11,
    ReadResponse = 12,

    /// <summary>The leader asks its heir to campaign at once (Raft thesis, section 3.10).</summary>
    TimeoutNow = 13,

    /// <summary>The commit index has moved and nothing else carries it. Not answered.</summary>
    Commit = 15,

    /// <summary>The leader has nothing to say; who has everything may stop its timers.</summary>
    Sleep = 14,
}

/// <summary>One message. Which fields count depends on the kind; the comments say which.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct RaftMessage
{
    public MessageKind Kind { get; init; }

    public ReplicaId From { get; init; }

    /// <summary>The replica that it is for, incarnation and all.</summary>
    public ReplicaId To { get; init; }

    /// <summary>The sender's term; in pre-votes the term that would be campaigned in.</summary>
    public Term Term { get; init; }

    /// <summary>
    /// Votes: the candidate's last index. Append, heartbeat: the index before the entries (heartbeat: unused).
    /// AppendResponse: the last index that matches and is durable, or the previous index that did not match.
    /// SnapshotResponse: as AppendResponse once installed. ReadResponse: the index to have applied.
    /// </summary>
    public LogIndex Index { get; init; }

    /// <summary>The term of the entry at <see cref="Index"/>.</summary>
    public Term LogTerm { get; init; }

    /// <summary>
    /// The leader's commit index; in Heartbeat and Sleep not beyond what the receiver is known to hold.
    /// </summary>
    public LogIndex Commit { get; init; }

    /// <summary>The request was refused.</summary>
    public bool Reject { get; init; }

    /// <summary>A rejected append: the last index at which the sender's log may match, and its term there.</summary>
    public LogIndex HintIndex { get; init; }

    public Term HintTerm { get; init; }

    /// <summary>
    /// Heartbeats and appends, echoed in their answers: the number of the leader's read round. Reads: the
    /// asking follower's id of the read. Pre-votes, echoed: which of the candidate's rounds of asking.
    /// </summary>
    public ulong Round { get; init; }

    /// <summary>The leader's clock when it sent, echoed in the answer; leases count from it.</summary>
    public Instant SentAt { get; init; }

    public Entry[]? Entries { get; init; }

    public SnapshotMeta? Snapshot { get; init; }

    /// <summary>
    /// SnapshotChunk: where the chunk begins, in bytes. SnapshotResponse: how many bytes have arrived.
    /// </summary>
    public long SnapshotOffset { get; init; }

    public ReadOnlyMemory<byte> Chunk { get; init; }

    /// <summary>SnapshotChunk: the last one. SnapshotResponse: installed and durable.</summary>
    public bool Done { get; init; }

    /// <summary>Votes: part of a transfer that the leader asked for, so its lease does not count.</summary>
    public bool Force { get; init; }

    /// <summary>The size of the parts that grow, in bytes, for bounds on queues.</summary>
    public int Bytes
    {
        get
        {
            int bytes = 96 + Chunk.Length;
            if (Entries is not null)
            {
                foreach (Entry entry in Entries)
                {
                    bytes += entry.Bytes;
                }
            }

            return bytes;
        }
    }
}
