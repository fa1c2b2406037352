using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// The memberships that a replica's log names, by index, back to the one in force at the newest snapshot.
/// <para>Invariants: indexes rise; the first is in force at the log's base; the last counts (Raft, section 6: a
/// server uses the latest configuration in its log, whether or not it is committed).</para>
/// </summary>
internal sealed class MembershipHistory
{
    private readonly List<MembershipAt> _known = [];

    public MembershipHistory(MembershipAt first, IEnumerable<MembershipAt> later)
    {
        _known.Add(first);
        _known.AddRange(later);
    }

    public MembershipAt Last => _known[^1];

    /// <summary>
    /// The membership that counts, given how far the state machine has applied (which must not matter: pitfall R2).
    /// </summary>
    public Membership Current(LogIndex applied) =>
        Guards.MembershipCountsWhenAppended ? _known[^1].Membership : At(applied).Membership;

    /// <summary>What was in force when the entry at an index was appended, that entry included.</summary>
    public MembershipAt At(LogIndex index)
    {
        for (int i = _known.Count - 1; i > 0; i--)
        {
            if (_known[i].Index <= index)
            {
                return _known[i];
            }
        }

        return _known[0];
    }

    public void Append(LogIndex index, Membership membership) => _known.Add(new(index, membership));

    public void TruncateFrom(LogIndex index)
    {
        while (_known.Count > 1 && _known[^1].Index >= index)
        {
            _known.RemoveAt(_known.Count - 1);
        }
    }

    /// <summary>Forgets what was replaced at or before <paramref name="index"/>.</summary>
    public void ReleaseTo(LogIndex index)
    {
        while (_known.Count > 1 && _known[1].Index <= index)
        {
            _known.RemoveAt(0);
        }
    }

    public void Reset(MembershipAt only)
    {
        _known.Clear();
        _known.Add(only);
    }
}
