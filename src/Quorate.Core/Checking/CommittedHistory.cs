using System.Runtime.InteropServices;
using Quorate.Core.Model;
using Quorate.Core.Raft;

namespace Quorate.Core.Checking;

/// <summary>
/// What one group committed in a run: the term of each index, and what each entry wrote to which key. Checkers
/// hold what clients saw against it. By Raft's state machine safety (Raft, section 5.4.3) there is one such
/// history whichever replica it is taken from.
/// <para>Invariants: indexes are consecutive from 1 and terms never fall; a key's versions never fall.</para>
/// </summary>
public sealed class CommittedHistory
{
    private static readonly List<Version> NoVersions = [];

    private readonly List<Term> _terms = [];
    private readonly Dictionary<long, List<Version>> _keys = [];

    public LogIndex Last => new((ulong)_terms.Count);

    /// <summary>Adds the next committed entry.</summary>
    public void Append(Term term)
    {
        Invariant.Check(_terms.Count == 0 || _terms[^1] <= term, "the terms of committed entries never fall");
        _terms.Add(term);
    }

    /// <summary>Notes that the newest entry wrote a value (0: deleted). It may write a key several times.</summary>
    public void Write(long key, long value)
    {
        Invariant.Check(_terms.Count > 0, "an entry is appended before its writes are noted");
        if (!_keys.TryGetValue(key, out List<Version>? versions))
        {
            versions = [];
            _keys.Add(key, versions);
        }

        versions.Add(new(Last, value));
    }

    /// <summary>The term of the entry that was committed at an index; zero when none was.</summary>
    public Term TermAt(LogIndex index) =>
        index == LogIndex.Zero || index > Last ? Term.Zero : _terms[(int)index.Value - 1];

    /// <summary>True when the entry that the token names was committed, and for the default token.</summary>
    public bool Holds(ReadToken token) =>
        token == default || (TermAt(token.Index) == token.Term && token.Index <= Last);

    /// <summary>The index of the newest write to the key at or before an index; zero when there is none.</summary>
    public LogIndex NewestVersion(long key, LogIndex atOrBefore)
    {
        List<Version> versions = VersionsOf(key);
        int after = FirstAfter(versions, atOrBefore);
        return after == 0 ? LogIndex.Zero : versions[after - 1].Index;
    }

    /// <summary>Whether the entry at that index wrote this value to the key. An absent key has version zero.</summary>
    public bool Wrote(long key, LogIndex version, long value)
    {
        if (version == LogIndex.Zero)
        {
            return value == 0;
        }

        List<Version> versions = VersionsOf(key);
        for (int i = FirstAfter(versions, version.Previous); i < versions.Count && versions[i].Index == version; i++)
        {
            if (versions[i].Value == value)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The oldest version at or after <paramref name="from"/> in which the key is absent: an absent key shows no
    /// version, so this is the least that a read of one proves. Null when it is present ever after.
    /// </summary>
    public LogIndex? AbsentVersion(long key, LogIndex from)
    {
        List<Version> versions = VersionsOf(key);
        int after = FirstAfter(versions, from);
        if (after == 0 || versions[after - 1].Value == 0)
        {
            return after == 0 ? LogIndex.Zero : versions[after - 1].Index;
        }

        for (int i = after; i < versions.Count; i++)
        {
            bool last = i + 1 == versions.Count || versions[i + 1].Index != versions[i].Index;
            if (last && versions[i].Value == 0)
            {
                return versions[i].Index;
            }
        }

        return null;
    }

    private static int FirstAfter(List<Version> versions, LogIndex index)
    {
        int low = 0;
        int high = versions.Count;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = versions[middle].Index <= index ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private List<Version> VersionsOf(long key) =>
        _keys.TryGetValue(key, out List<Version>? versions) ? versions : NoVersions;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Version(LogIndex Index, long Value);
}
