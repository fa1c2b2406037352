using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// A replica's view of its log: which entries there are, which are in memory, and how far they are committed and
/// applied. The bytes themselves are the storage's; what is not in memory is fetched.
/// <para>Invariants: Base ≤ Applied ≤ Commit ≤ Last; nothing at or before Commit is ever cut.</para>
/// </summary>
internal sealed class RaftLog
{
    private readonly RaftSettings _settings;
    private readonly TermStarts _terms = new();
    private readonly EntryWindow _window = new();

    public RaftLog(RaftSettings settings, RecoveredState recovered)
    {
        _settings = settings;
        SnapshotMeta? checkpoint = recovered.Checkpoint;
        Base = recovered.LogBase;
        Last = recovered.LastIndex;
        Applied = checkpoint?.Index ?? LogIndex.Zero;
        Commit = LogIndex.Max(Applied, LogIndex.Min(recovered.HardState.Commit, Last));
        Invariant.Check(
            Base <= Applied && Applied <= Last,
            $"a recovered log ({Base}, {Last}] reaches its checkpoint at {Applied}");
        Memberships = new(
            checkpoint is null
                ? new(LogIndex.Zero, recovered.Bootstrap ?? Membership.Empty)
                : new(checkpoint.MembershipIndex, checkpoint.Membership),
            recovered.Memberships.Where(m => m.Index > Applied));

        // The checkpoint knows the terms up to itself, the log those behind its base; where they overlap they agree.
        _terms.Reset(checkpoint?.TermStarts ?? []);
        if (_terms.Count == 0 && Base > LogIndex.Zero)
        {
            _terms.Append(Base, recovered.LogBaseTerm);
        }

        foreach (TermStart start in recovered.TermStarts)
        {
            if (start.First > Applied)
            {
                _terms.Append(start.First, start.Term);
            }
        }
    }

    /// <summary>The index before the first entry that the log still holds.</summary>
    public LogIndex Base { get; private set; }

    public LogIndex Last { get; private set; }

    public LogIndex Commit { get; private set; }

    /// <summary>What the state machine has reported.</summary>
    public LogIndex Applied { get; private set; }

    public MembershipHistory Memberships { get; }

    public Membership Membership => Memberships.Current(Applied);

    public Term LastTerm => TermAt(Last) ?? Term.Zero;

    /// <summary>Memory held by entries, in bytes.</summary>
    public long BytesInMemory => _window.Bytes;

    /// <summary>
    /// The term of an entry that the log has or had; zero's is zero; null when it is not known any more.
    /// </summary>
    public Term? TermAt(LogIndex index) =>
        index == LogIndex.Zero ? Term.Zero : index > Last ? null : _terms.TermAt(index);

    /// <summary>
    /// True when this log holds an entry with that index and term (Raft, section 5.3, the consistency check).
    /// </summary>
    public bool Matches(LogIndex index, Term term) => TermAt(index) == term;

    /// <summary>True when a log that ends so is at least as up to date as this one (Raft, section 5.4.1).</summary>
    public bool IsUpToDate(LogIndex lastIndex, Term lastTerm) =>
        lastTerm > LastTerm || (lastTerm == LastTerm && lastIndex >= Last);

    /// <summary>
    /// The largest index at or before <paramref name="from"/> whose term is at most <paramref name="term"/>.
    /// </summary>
    public LogIndex LastIndexWithTermAtMost(LogIndex from, Term term) =>
        _terms.LastIndexWithTermAtMost(LogIndex.Min(from, Last), term);

    public bool InMemory(LogIndex index) => _window.Has(index);

    public Entry this[LogIndex index] => _window[index];

    /// <summary>
    /// Entries [first, last] that are in memory, at least one, at most <paramref name="maxBytes"/> beyond it.
    /// </summary>
    public Entry[] Take(LogIndex first, LogIndex last, long maxBytes) => _window.Take(first, last, maxBytes);

    public void Append(Entry entry)
    {
        Invariant.Check(entry.Index == Last.Next, $"entry {entry} follows {Last}");
        Last = entry.Index;
        _terms.Append(entry.Index, entry.Term);
        _window.Append(entry);
        if (entry.Kind == EntryKind.Membership)
        {
            Membership? membership = Membership.TryDecode(entry.Payload.Span);
            Invariant.Check(membership is not null, $"entry {entry} holds a membership that can be read");
            Memberships.Append(entry.Index, membership);
        }
    }

    public void TruncateFrom(LogIndex index)
    {
        Invariant.Check(index > Commit, $"a committed entry is never cut: from {index}, committed {Commit}");
        _window.TruncateFrom(index);
        _terms.TruncateFrom(index);
        Memberships.TruncateFrom(index);
        Last = LogIndex.Min(Last, index.Previous);
    }

    public void CommitTo(LogIndex index)
    {
        Invariant.Check(index <= Last, $"only what the log holds is committed: {index}, last {Last}");
        Commit = LogIndex.Max(Commit, index);
    }

    public void AppliedTo(LogIndex index)
    {
        Invariant.Check(index <= Commit, $"only what is committed is applied: {index}, committed {Commit}");
        Applied = LogIndex.Max(Applied, index);
        _window.Release(Applied, _settings.CachedBytesMax);
    }

    /// <summary>What is applied goes from memory, and stays in the log.</summary>
    public void ReleaseCached() => _window.Release(Applied, 0);

    /// <summary>The entries up to <paramref name="index"/> may go; the checkpoint covers them.</summary>
    public void ReleaseTo(LogIndex index)
    {
        Invariant.Check(index <= Applied, $"only what is applied is released: {index}, applied {Applied}");
        Base = LogIndex.Max(Base, index);
        _window.Release(Base, 0);
        Memberships.ReleaseTo(Base);
        _terms.Forget(_settings.TermStartsMax, Base);
    }

    /// <summary>An installed snapshot takes the place of everything (Raft, figure 13, rules 7 and 8).</summary>
    public void ResetTo(SnapshotMeta meta)
    {
        Invariant.Check(meta.Index > Commit, $"a snapshot at {meta.Index} replaces nothing committed ({Commit})");
        _window.Clear();
        _terms.Reset(meta.TermStarts);
        Memberships.Reset(new(meta.MembershipIndex, meta.Membership));
        Base = meta.Index;
        Last = meta.Index;
        Commit = meta.Index;
        Applied = meta.Index;
    }

    /// <summary>What a checkpoint of the state as applied now stands for.</summary>
    public SnapshotMeta CheckpointMeta()
    {
        MembershipAt at = Guards.SnapshotCarriesMembershipOfItsIndex ? Memberships.At(Applied) : Memberships.Last;
        return new(Applied, TermAt(Applied) ?? Term.Zero, at.Index, at.Membership, _terms.UpTo(Applied));
    }
}
