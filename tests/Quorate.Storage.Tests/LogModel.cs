using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Storage.Log;

namespace Quorate.Storage.Tests;

/// <summary>
/// What a log holds, as plainly as it can be said: the model that recovered logs are compared with. Immutable.
/// </summary>
internal sealed record LogModel(HardState HardState, LogIndex Base, Term BaseTerm, Entry[] Entries)
{
    public static readonly LogModel Empty = new(default, default, default, []);

    public LogIndex Last => Base + (ulong)Entries.Length;

    public LogModel After(Persist persist)
    {
        LogModel model = this;
        if (persist.ResetTo is SnapshotMeta snapshot)
        {
            model = model with { Base = snapshot.Index, BaseTerm = snapshot.Term, Entries = [] };
        }

        if (persist.TruncateFrom != LogIndex.Zero)
        {
            model = model with { Entries = [.. model.Entries.Where(entry => entry.Index < persist.TruncateFrom)] };
        }

        model = model with
        {
            Entries = [.. model.Entries, .. persist.Entries],
            HardState = persist.HardState ?? model.HardState,
        };
        if (persist.ReleaseTo > model.Base)
        {
            Entry at = model.Entries.Single(entry => entry.Index == persist.ReleaseTo);
            model = model with
            {
                Base = at.Index,
                BaseTerm = at.Term,
                Entries = [.. model.Entries.Where(entry => entry.Index > at.Index)],
            };
        }

        return model;
    }

    /// <summary>Everything of it in one line, so that two logs are equal when their texts are.</summary>
    public string Text()
    {
        IEnumerable<string> entries = Entries.Select(e => $"{e}{e.Kind}{Convert.ToHexString(e.Payload.Span)}");
        var starts = new List<string>();
        Term before = BaseTerm;
        foreach (Entry entry in Entries)
        {
            if (entry.Term != before)
            {
                starts.Add($"{entry.Term}>{entry.Index}");
                before = entry.Term;
            }
        }

        IEnumerable<string> memberships = Entries.Where(e => e.Kind == EntryKind.Membership)
            .Select(e => $"{e.Index}:{Convert.ToHexString(e.Payload.Span)}");
        return $"{HardState} base {Base}@{BaseTerm} last {Last} [{string.Join(' ', entries)}] "
            + $"terms [{string.Join(' ', starts)}] memberships [{string.Join(' ', memberships)}]";
    }

    public static string Text(RecoveredLog log, IEnumerable<Entry> entries)
    {
        IEnumerable<string> texts = entries.Select(e => $"{e}{e.Kind}{Convert.ToHexString(e.Payload.Span)}");
        IEnumerable<string> starts = log.TermStarts.Select(s => $"{s.Term}>{s.First}");
        IEnumerable<string> memberships = log.Memberships
            .Select(m => $"{m.Index}:{Convert.ToHexString(m.Membership.Encode())}");
        return $"{log.HardState} base {log.Base}@{log.BaseTerm} last {log.Last} [{string.Join(' ', texts)}] "
            + $"terms [{string.Join(' ', starts)}] memberships [{string.Join(' ', memberships)}]";
    }
}
