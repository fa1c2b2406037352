using Quorate.Core.Checking;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Checks;

/// <summary>
/// The one sequence of entries that a group has committed, as first seen anywhere. Everything that replicas commit,
/// apply, load and answer is held against it and against what its model makes of it.
/// <para>Invariant: entries are consecutive from index 1.</para>
/// </summary>
internal sealed class CommittedLog(int group, Membership bootstrap, IGroupModel model)
{
    private readonly List<Committed> _entries = [];
    private readonly Committed _first = new(
        new Entry(LogIndex.Zero, Term.Zero, EntryKind.Barrier, default), Term.Zero)
    { StateHash = model.StateHash };

    public ulong Last => (ulong)_entries.Count;

    /// <summary>What was committed, in the shape that the checkers take.</summary>
    public CommittedHistory History { get; } = new();

    /// <summary>The committed memberships with their indexes, the first one at zero.</summary>
    public List<MembershipAt> Memberships { get; } = [new(LogIndex.Zero, bootstrap)];

    public Membership Membership => Memberships[^1].Membership;

    public Term TermAt(ulong index) => index == 0 || index > Last ? Term.Zero : _entries[(int)index - 1].Entry.Term;

    /// <summary>The committed entry at an index from one on.</summary>
    public Entry At(ulong index) => _entries[(int)index - 1].Entry;

    /// <summary>A replica has committed or applied this entry while it knew of <paramref name="knownTerm"/>.</summary>
    public void Add(ReplicaId replica, Entry entry, Term knownTerm)
    {
        if (entry.Index.Value <= Last)
        {
            Entry first = _entries[(int)entry.Index.Value - 1].Entry;
            if (!LogMatching.Same(first, entry))
            {
                RunClaims.Break(
                    RunClaims.StateMachineSafety,
                    $"replica {replica} of group {group + 1} committed {entry} ({entry.Kind}), another had "
                        + $"committed {first} ({first.Kind})");
            }

            return;
        }

        if (entry.Index.Value != Last + 1)
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety,
                $"replica {replica} of group {group + 1} committed {entry} when nobody had committed {Last + 1}");
        }

        if (entry.Term < TermAt(Last))
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety, $"group {group + 1} committed {entry} after an entry of term "
                    + $"{TermAt(Last)}");
        }

        History.Append(entry.Term);
        Model(entry);
        _entries.Add(new Committed(entry, knownTerm) { StateHash = model.StateHash });
    }

    /// <summary>A replica has applied up to an index, or loaded a snapshot of it.</summary>
    public void CheckState(ReplicaId replica, ReadToken applied, ulong stateHash)
    {
        if (applied.Index.Value > Last || TermAt(applied.Index.Value) != applied.Term)
        {
            RunClaims.Break(
                RunClaims.StateMachineSafety,
                $"replica {replica} of group {group + 1} holds the state at {applied}, which nobody committed");
        }

        Committed at = applied.Index == LogIndex.Zero ? _first : _entries[(int)applied.Index.Value - 1];
        at.StateHash ??= stateHash;
        if (at.StateHash is { } expected && stateHash != expected)
        {
            RunClaims.Break(
                RunClaims.StateHash,
                $"replica {replica} of group {group + 1} at {applied} has state {stateHash:x16}, not {expected:x16}");
        }
    }

    /// <summary>A replica became leader: its log must hold what leaders of earlier terms committed.</summary>
    public void CheckLeader(ReplicaId replica, Term term, ShadowLog log)
    {
        // Newest first: an entry that a later leader committed is none of this one's business.
        for (ulong index = Last; index > log.Base; index--)
        {
            Committed committed = _entries[(int)index - 1];
            if (committed.KnownTerm < term && log.TermAt(index) != committed.Entry.Term)
            {
                RunClaims.Break(
                    RunClaims.LeaderCompleteness,
                    $"replica {replica} of group {group + 1} leads term {term} without {committed.Entry}, "
                        + "committed by term "
                        + $"{committed.KnownTerm}; its log ends at {log.Last}");
            }
        }
    }

    private void Model(Entry entry)
    {
        History.Write(ValueHistories.LogKey, (long)entry.Index.Value);
        model.Apply(entry, History);
        if (entry.Kind == EntryKind.Membership)
        {
            Membership membership = Membership.TryDecode(entry.Payload.Span)!;
            MembershipChecks.Follows(group, Memberships[^1], new MembershipAt(entry.Index, membership));
            Memberships.Add(new MembershipAt(entry.Index, membership));
        }
    }

    /// <summary>An entry, a term that its commitment cannot be newer than, and the state after it.</summary>
    private sealed record Committed(Entry Entry, Term KnownTerm)
    {
        public ulong? StateHash { get; set; }
    }
}
