using Quorate.Core.Model;

namespace Quorate.Core.Raft;

/// <summary>
/// Hands committed entries to the state machine, one range at a time.
/// <para>Invariants: an entry is handed out once in the life of a replica's process, in order, and only when it is
/// committed and this replica's own copy is durable (pitfall R12): a state machine must never be ahead of the log
/// that it would be rebuilt from.</para>
/// </summary>
internal sealed class Applier(GroupState state)
{
    private LogIndex _handedOut = state.Log.Applied;
    private bool _isFetching;

    private LogIndex Limit => Guards.ApplyOnlyDurable
        ? LogIndex.Min(state.Log.Commit, state.Durability.Index)
        : state.Log.Commit;

    public void OnApplied(LogIndex index)
    {
        // After a snapshot has replaced the state machine, an old range may still be reported.
        if (index > state.Log.Applied)
        {
            state.Log.AppliedTo(index);
        }
    }

    /// <summary>Entries that were not in memory (after a restart) have been read from the log.</summary>
    public void OnFetched(LogIndex first, Entry[] entries)
    {
        if (!_isFetching || first != _handedOut.Next)
        {
            return;
        }

        _isFetching = false;
        Invariant.Check(entries.Length > 0, $"the log holds entry {first}, which is committed and not applied");
        foreach (Entry entry in entries)
        {
            Invariant.Check(
                entry.Index <= state.Log.Commit && state.Log.TermAt(entry.Index) == entry.Term,
                $"a committed entry is read back as it was: {entry}");
        }

        HandOut(entries);
    }

    /// <summary>A snapshot has taken the place of the state machine.</summary>
    public void Reset()
    {
        _handedOut = state.Log.Applied;
        _isFetching = false;
    }

    public void Emit()
    {
        LogIndex first = _handedOut.Next;
        LogIndex limit = Limit;
        if (_isFetching || _handedOut > state.Log.Applied || first > limit)
        {
            return;
        }

        if (state.Log.InMemory(first))
        {
            HandOut(state.Log.Take(first, limit, state.Settings.ApplyBytesMax));
            return;
        }

        _isFetching = true;
        state.Output.EntriesFetches.Add(new(state.Id, first, limit, state.Settings.ApplyBytesMax));
    }

    private void HandOut(Entry[] entries)
    {
        _handedOut = entries[^1].Index;
        state.Output.Applies.Add(new(entries));
    }
}
