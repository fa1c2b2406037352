using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>What the bounds of a range of a sorted set mean.</summary>
internal enum RangeKind
{
    Rank,
    Score,
    Name,
}

/// <summary>
/// A range of a sorted set as the words of ZRANGE and its kin name it: bounds, `BYSCORE` or `BYLEX`, `REV`, `LIMIT
/// offset count`, `WITHSCORES`.
/// </summary>
/// <param name="kind">Null when the words say it.</param>
/// <param name="descending">Null when the words say it.</param>
internal sealed class RangeQuery(RangeKind? kind, bool? descending)
{
    private RangeKind? _kind = kind;
    private bool? _descending = descending;
    private long _offset;
    private long _limit = -1;
    private long _start;
    private long _end;
    private ScoreRange _scores;
    private NameRange? _names;

    public bool WithScores { get; private set; }

    /// <summary>Reads bounds and options; false when they make no sense, which has then been answered.</summary>
    /// <param name="word">The first bound.</param>
    public bool TryRead(CommandContext context, int word, bool mayShowScores)
    {
        bool isKindOpen = _kind is null;
        bool isDirectionOpen = _descending is null;
        CommandLine line = context.Line;
        for (int at = word + 2; at < line.Count; at++)
        {
            ReadOnlySpan<byte> option = line[at];
            if (mayShowScores && Words.Is(option, "WITHSCORES"))
            {
                WithScores = true;
            }
            else if (Words.Is(option, "LIMIT") && at + 2 < line.Count)
            {
                if (!context.TryInteger(at + 1, out _offset) || !context.TryInteger(at + 2, out _limit))
                {
                    return false;
                }

                at += 2;
            }
            else if (isDirectionOpen && Words.Is(option, "REV"))
            {
                _descending = true;
            }
            else if (isKindOpen && (Words.Is(option, "BYSCORE") || Words.Is(option, "BYLEX")))
            {
                _kind = Words.Is(option, "BYSCORE") ? RangeKind.Score : RangeKind.Name;
            }
            else
            {
                context.Reply.Error(Errors.Syntax);
                return false;
            }
        }

        _kind ??= RangeKind.Rank;
        string? problem = _kind == RangeKind.Rank && _limit != -1
            ? "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
            : _kind == RangeKind.Name && WithScores
                ? "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
            : null;
        if (problem is not null)
        {
            context.Reply.Error(problem);
            return false;
        }

        return TryReadBounds(context, word);
    }

    /// <summary>Reads the two bounds, the higher one first when the range is descending and not by rank.</summary>
    public bool TryReadBounds(CommandContext context, int word)
    {
        bool isTurned = _descending == true && _kind != RangeKind.Rank;
        ReadOnlySpan<byte> min = context.Line[isTurned ? word + 1 : word];
        ReadOnlySpan<byte> max = context.Line[isTurned ? word : word + 1];
        switch (_kind)
        {
            case RangeKind.Score:
                return ScoreRange.TryParse(min, max, out _scores)
                    || Answer(context, "ERR min or max is not a float");
            case RangeKind.Name:
                _names = NameRange.Parse(min, max);
                return _names is not null || Answer(context, "ERR min or max not valid string range item");
            default:
                return context.TryInteger(word, out _start) && context.TryInteger(word + 1, out _end);
        }
    }

    /// <summary>The members in the order that is wanted; null when a row is cold.</summary>
    public List<Scored>? Run(SortedSet set)
    {
        bool isDescending = _descending == true;
        if (_kind == RangeKind.Rank)
        {
            return set.ReadByRank(IndexRange.Of(_start, _end, set.Count), isDescending);
        }

        long max = _offset < 0 ? 0 : _limit < 0 ? long.MaxValue : _limit;
        return _kind == RangeKind.Score
            ? set.ReadByScore(_scores, isDescending, _offset, max)
            : set.ReadByName(_names!, isDescending, _offset, max);
    }

    private static bool Answer(CommandContext context, string error)
    {
        context.Reply.Error(error);
        return false;
    }
}
