using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Simulator.Checks;

/// <summary>
/// What a replica's log must hold, followed from the writes alone, without any code of the log's own.
/// <para>Invariant: entries are consecutive from <see cref="Base"/> + 1.</para>
/// </summary>
internal sealed class ShadowLog
{
    private readonly List<Entry> _entries = [];

    public ulong Base { get; private set; }

    public Term BaseTerm { get; private set; }

    public HardState HardState { get; private set; }

    public ulong Last => Base + (ulong)_entries.Count;

    public void Apply(Persist persist)
    {
        if (persist.ResetTo is { } snapshot)
        {
            _entries.Clear();
            (Base, BaseTerm) = (snapshot.Index.Value, snapshot.Term);
        }

        if (persist.TruncateFrom != LogIndex.Zero && persist.TruncateFrom.Value <= Last)
        {
            Invariant.Check(persist.TruncateFrom.Value > Base, "a log is cut behind its base");
            int kept = (int)(persist.TruncateFrom.Value - Base) - 1;
            _entries.RemoveRange(kept, _entries.Count - kept);
        }

        foreach (Entry entry in persist.Entries)
        {
            Invariant.Check(entry.Index.Value == Last + 1, $"entry {entry.Index} follows the last one, {Last}");
            _entries.Add(entry);
        }

        HardState = persist.HardState ?? HardState;
        Release(persist.ReleaseTo.Value);
    }

    /// <summary>The entry at an index; null when it lies outside what is held.</summary>
    public Entry? At(ulong index) => index > Base && index <= Last ? _entries[(int)(index - Base) - 1] : null;

    /// <summary>The term at an index; null when it lies before the base or after the end.</summary>
    public Term? TermAt(ulong index) => index == Base ? BaseTerm : At(index)?.Term;

    /// <summary>True when the entry is held, or was and is now covered by a checkpoint.</summary>
    public bool Holds(ulong index, Term term) =>
        index <= Base ? index > 0 : At(index) is { } entry && entry.Term == term;

    public ShadowLog Copy()
    {
        var copy = new ShadowLog { Base = Base, BaseTerm = BaseTerm, HardState = HardState };
        copy._entries.AddRange(_entries);
        return copy;
    }

    /// <summary>Says in what a recovered log differs, or null. It may still hold, or not, what was released.</summary>
    public string? Difference(RecoveredLog log)
    {
        if (log.Last.Value != Last)
        {
            return $"its last entry is {log.Last}, not {Last}";
        }

        if (log.HardState.Term != HardState.Term || log.HardState.Vote != HardState.Vote)
        {
            return $"it has {log.HardState}, not {HardState}";
        }

        ulong from = Math.Max(Base, log.Base.Value);
        int run = -1;
        Term term = log.BaseTerm;
        for (ulong index = log.Base.Value; index <= Last; index++)
        {
            while (run + 1 < log.TermStarts.Length && log.TermStarts[run + 1].First.Value <= index)
            {
                term = log.TermStarts[++run].Term;
            }

            if (index >= from && TermAt(index) is { } mine && mine != term && index > 0)
            {
                return $"entry {index} is of term {term}, not {mine}";
            }
        }

        return null;
    }

    private void Release(ulong upTo)
    {
        // Not at once, so that what a log may still hold after a crash can be compared.
        const ulong KeptReleased = 64;
        if (upTo > Base + (2 * KeptReleased))
        {
            ulong newBase = upTo - KeptReleased;
            Term term = TermAt(newBase)!.Value;
            _entries.RemoveRange(0, (int)(newBase - Base));
            (Base, BaseTerm) = (newBase, term);
        }
    }
}
