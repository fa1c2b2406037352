using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Simulator.Checks;

/// <summary>
/// Every entry that any replica of a group ever wrote. If two logs hold an entry of the same index and term, it is
/// the same entry after an entry of the same term; by induction, the logs agree up to there (Raft, figure 3).
/// </summary>
internal sealed class LogMatching
{
    private readonly List<Seen?> _byIndex = [];

    /// <param name="before">The term of the entry before; null when that lies before the log's base.</param>
    public void Add(ReplicaId replica, Entry entry, Term? before)
    {
        int place = (int)entry.Index.Value - 1;
        while (_byIndex.Count <= place)
        {
            _byIndex.Add(null);
        }

        for (Seen? seen = _byIndex[place]; seen is not null; seen = seen.Next)
        {
            if (seen.Entry.Term == entry.Term)
            {
                Compare(replica, entry, before, seen);
                return;
            }
        }

        _byIndex[place] = new Seen(replica, entry, before, _byIndex[place]);
    }

    /// <summary>Whether any replica ever wrote this very entry.</summary>
    public bool Knows(Entry entry)
    {
        int place = (int)entry.Index.Value - 1;
        for (Seen? seen = place < _byIndex.Count ? _byIndex[place] : null; seen is not null; seen = seen.Next)
        {
            if (seen.Entry.Term == entry.Term)
            {
                return Same(seen.Entry, entry);
            }
        }

        return false;
    }

    public static bool Same(Entry a, Entry b) =>
        ReferenceEquals(a, b)
        || (a.Index == b.Index && a.Term == b.Term && a.Kind == b.Kind && a.Payload.Span.SequenceEqual(b.Payload.Span));

    private static void Compare(ReplicaId replica, Entry entry, Term? before, Seen seen)
    {
        if (!Same(entry, seen.Entry))
        {
            RunClaims.Break(
                RunClaims.LogMatching, $"replicas {seen.Replica} and {replica} hold different entries at {entry}");
        }

        if (before is { } term && seen.Before is { } other && term != other)
        {
            RunClaims.Break(
                RunClaims.LogMatching,
                $"before {entry}, replica {seen.Replica} holds an entry of term {other} and replica {replica} "
                    + $"one of {term}");
        }

        seen.Before ??= before;
    }

    private sealed class Seen(ReplicaId replica, Entry entry, Term? before, Seen? next)
    {
        public ReplicaId Replica { get; } = replica;

        public Entry Entry { get; } = entry;

        public Term? Before { get; set; } = before;

        public Seen? Next { get; } = next;
    }
}
