using Quorate.Core;
using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Evaluation;
using Quorate.Node.Replicas;

namespace Quorate.Node.Partitions;

/// <summary>
/// What the parts of a partition share: who is around it, what it holds, and how a request is answered.
/// <para>Invariant: each request is answered once.</para>
/// </summary>
internal sealed class PartitionParts
{
    /// <summary>
    /// How often the words of a request are in memory while it is under way: of a write, besides themselves, as rows
    /// that are pending, as an entry, and as what goes to the disk. Reads have few words.
    /// </summary>
    private const int CopiesOfRequest = 4;

    private ulong _lastRequest;
    private long _turnRows;
    private long _turnBytes;
    private HybridTime _logged;
    private Instant _loggedAt;

    public PartitionParts(PartitionSettings settings, IPartitionHost host)
    {
        Settings = settings;
        Host = host;
        Evaluation = new(settings.Limits)
        {
            TermAt = index => TermAt(index),
            HeapHasRoom = host.HeapHasRoom,
            TtlMilliseconds = settings.TtlMilliseconds,
        };
    }

    public PartitionSettings Settings { get; private set; }

    public IPartitionHost Host { get; }

    public Replica Replica { get; set; } = null!;

    public PartitionMachine Machine { get; set; } = null!;

    public CommandEvaluation Evaluation { get; }

    /// <summary>Where the next entry is put together; null before there are writes.</summary>
    public EntryBuilder? Entry { get; set; }

    /// <summary>Requests taken and not yet answered.</summary>
    public int Open { get; private set; }

    /// <summary>Of the words of the open requests.</summary>
    public long OpenBytes { get; private set; }

    /// <summary>As much was looked at, changed or applied in this part of the turn as may be.</summary>
    public bool TurnIsSpent =>
        (_turnRows >= Settings.TurnRowsMax || _turnBytes >= Settings.TurnBytesMax) && Guards.TurnsAreBounded;

    public bool IsLeader => Replica.IsRunning && Replica.Group!.Role == Role.Leader;

    /// <summary>
    /// This replica leads and has applied an entry of its own term, so the applied rows are all that was ever committed
    /// before it.
    /// </summary>
    public bool MayEvaluate => IsLeader
        && Replica.AppliedAt.Term == Replica.Group!.Term
        && Replica.AppliedAt.Index > LogIndex.Zero;

    /// <summary>It may evaluate, and give what it logs a time.</summary>
    public bool MayLog => MayEvaluate && Host.ClockIsKnown;

    /// <summary>
    /// The time by which a leader logs, in milliseconds since 1970: the clock, and where the log is ahead of it, the
    /// log's time moved on a little slower than the clock, so that keys expire while the clock catches up.
    /// </summary>
    public long TimeMilliseconds
    {
        get
        {
            long clock = Host.WallClockMilliseconds;
            LookAtLoggedTime();
            long passed = (Host.Now - _loggedAt).Microseconds / 1000;
            return Guards.LoggedTimeKeepsMoving
                ? Math.Max(clock, _logged.Milliseconds + passed - (passed / Settings.CatchUpDivisor))
                : clock;
        }
    }

    private ReplicaId Hint => Replica.Group?.Leader ?? ReplicaId.None;

    /// <summary>
    /// A turn begins, or another part of it: what is applied, reads and writes have as much each, so that none is kept
    /// from its turn by the others.
    /// </summary>
    public void BeginTurn() => (_turnRows, _turnBytes) = (0, 0);

    /// <summary>Entries may have been applied.</summary>
    public void LookAtLoggedTime()
    {
        if (Machine.Rows.Time != _logged)
        {
            (_logged, _loggedAt) = (Machine.Rows.Time, Host.Now);
        }
    }

    /// <summary>Something was evaluated.</summary>
    public void Spend(CommandEvaluation evaluation)
    {
        _turnRows += evaluation.RowsVisited;
        _turnBytes += evaluation.BytesVisited + evaluation.Changes.Length;
    }

    /// <summary>So many bytes of entries were applied.</summary>
    public void Spend(long appliedBytes) => _turnBytes += appliedBytes;

    /// <summary>Takes over what may change while the partition is open.</summary>
    public void Change(CacheSettings? cache, long ttlMilliseconds)
    {
        Settings = Settings with { Cache = cache, TtlMilliseconds = ttlMilliseconds };
        Evaluation.TtlMilliseconds = ttlMilliseconds;
    }

    public RequestId NextRequest() => new(++_lastRequest);

    public bool IsFullFor(OpenRequest open) =>
        Open >= Settings.RequestsOpenMax
        || (Open > 0 && OpenBytes + open.Bytes > Settings.RequestBytesOpenMax)
        || !Host.MayTake(CopiesOfRequest * open.Bytes);

    public void Opened(OpenRequest open)
    {
        Open++;
        OpenBytes += open.Bytes;
        Host.RequestBytesChanged(open.Bytes);
    }

    public void Refuse(OpenRequest open, DropReason reason) => Drop(open, reason, Hint);

    public void Drop(OpenRequest open, DropReason reason, ReplicaId hint) =>
        Answer(open, new PartitionReply(open.Request.Id, reason.Outcome(), reason, hint, default, default, default));

    public void Done(OpenRequest open, ReadToken seen, in ValueVersion version, ReadOnlyMemory<byte> reply) =>
        Answer(
            open,
            new PartitionReply(open.Request.Id, Outcome.Done, default, ReplicaId.None, seen, version.Row, reply)
            {
                VersionTerm = version.Term,
            });

    /// <summary>The term of an entry of the log, or of the next one; zero when it is not remembered.</summary>
    public Term TermAt(LogIndex index)
    {
        RaftGroup group = Replica.Group!;
        return index > group.LastIndex ? group.Term : group.TermAt(index) ?? Term.Zero;
    }

    private void Answer(OpenRequest open, in PartitionReply reply)
    {
        if (open.IsAnswered)
        {
            return;
        }

        open.IsAnswered = true;
        Open--;
        OpenBytes -= open.Bytes;
        Host.RequestBytesChanged(-open.Bytes);
        Host.Reply(reply);
    }
}
