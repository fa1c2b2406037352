using Quorate.Core.Model;
using Quorate.Simulator.Model;
using Quorate.Simulator.Workload;

namespace Quorate.Simulator.Checks;

/// <summary>
/// An iteration over all keys by SCAN, piece by piece, each perhaps by another replica. What it promises: a key that
/// was there at every place in the log between the first piece and the last is shown, and nothing is shown that was
/// not there at the place of its piece.
/// </summary>
internal sealed class ScanRound
{
    private readonly SortedSet<string> _shown = new(StringComparer.Ordinal);
    private LogIndex _first = new(ulong.MaxValue);
    private LogIndex _last;

    /// <summary>Where to go on.</summary>
    public string Cursor { get; private set; } = "0";

    /// <summary>Holds one piece against the keys at its place in the log.</summary>
    public static void CheckPiece(Attempt attempt, ModelKeys state)
    {
        (_, List<string>? keys) = Read(attempt);
        bool IsGone(string key) => !state.Keys.TryGetValue(key, out ModelKey? found) || found.IsExpired(state.Time);
        string? wrong = keys is null
            ? "is answered something else"
            : keys.Find(IsGone) is { } no
            ? $"is shown {ValueReplay.Shown(no)}, which is not there"
            : keys.Distinct(StringComparer.Ordinal).Count() < keys.Count ? "is shown a key twice" : null;
        if (wrong is not null)
        {
            RunClaims.Break(RunClaims.WrongRead, $"{attempt}, answered at {attempt.Answer!.Token}: {wrong}");
        }
    }

    /// <summary>A piece has been answered. True when it was the last one.</summary>
    public bool Take(Attempt attempt, ValueReplay model)
    {
        (string? cursor, List<string>? keys) = Read(attempt);
        LogIndex index = attempt.Answer!.Token.Index;
        _first = index < _first ? index : _first;
        _last = LogIndex.Max(_last, index);
        _shown.UnionWith(keys!);
        Cursor = cursor!;
        if (Cursor != "0")
        {
            return false;
        }

        SortedSet<string> expected = model.AllAlong(_first, _last);
        expected.ExceptWith(_shown);
        if (expected.Count > 0)
        {
            RunClaims.Break(
                RunClaims.ScanComplete,
                $"an iteration from index {_first} to {_last}, which ends with {attempt}, was not shown "
                    + $"{ValueReplay.Shown(expected.Min!)}, which was there all the time");
        }

        return true;
    }

    private static (string? Cursor, List<string>? Keys) Read(Attempt attempt)
    {
        string reply = ValueRequest.Text(attempt.Answer!.Result.Span);
        return ModelReply.Parts(reply) is [var cursor, var keys] && ModelReply.BulkText(cursor) is { } next
            && ModelReply.Parts(keys) is { } parts
            ? (next, [.. parts.Select(part => ModelReply.BulkText(part) ?? "")])
            : (null, null);
    }
}
