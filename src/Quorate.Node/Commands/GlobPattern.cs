namespace Quorate.Node.Commands;

/// <summary>
/// Patterns as KEYS and MATCH take them: `*`, `?`, `[abc]`, `[^a-c]`, and `\` before a byte that is meant as itself.
/// A star tries its shortest match first and the last star alone is tried again, so the work is at most the product of
/// the lengths.
/// </summary>
public static class GlobPattern
{
    public static bool Matches(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        int at = 0;
        int position = 0;
        int afterStar = -1;
        int starPosition = 0;
        while (position < text.Length)
        {
            if (at < pattern.Length && pattern[at] == (byte)'*')
            {
                afterStar = ++at;
                starPosition = position;
            }
            else if (at < pattern.Length && MatchesOne(pattern, at, text[position], out int next))
            {
                at = next;
                position++;
            }
            else if (afterStar >= 0)
            {
                at = afterStar;
                position = ++starPosition;
            }
            else
            {
                return false;
            }
        }

        while (at < pattern.Length && pattern[at] == (byte)'*')
        {
            at++;
        }

        return at == pattern.Length;
    }

    private static bool MatchesOne(ReadOnlySpan<byte> pattern, int at, byte value, out int next)
    {
        next = at + 1;
        switch (pattern[at])
        {
            case (byte)'?':
                return true;
            case (byte)'[':
                return MatchesClass(pattern, at + 1, value, out next);
            case (byte)'\\' when at + 1 < pattern.Length:
                next = at + 2;
                return pattern[at + 1] == value;
            default:
                return pattern[at] == value;
        }
    }

    /// <summary>A class without its closing bracket ends with the pattern.</summary>
    private static bool MatchesClass(ReadOnlySpan<byte> pattern, int at, byte value, out int next)
    {
        bool negated = at < pattern.Length && pattern[at] == (byte)'^';
        at += negated ? 1 : 0;
        bool found = false;
        while (at < pattern.Length && pattern[at] != (byte)']')
        {
            if (pattern[at] == (byte)'\\' && at + 1 < pattern.Length)
            {
                found |= pattern[at + 1] == value;
                at += 2;
            }
            else if (at + 2 < pattern.Length && pattern[at + 1] == (byte)'-')
            {
                byte low = Math.Min(pattern[at], pattern[at + 2]);
                byte high = Math.Max(pattern[at], pattern[at + 2]);
                found |= value >= low && value <= high;
                at += 3;
            }
            else
            {
                found |= pattern[at] == value;
                at++;
            }
        }

        next = Math.Min(at + 1, pattern.Length);
        return found != negated;
    }
}
