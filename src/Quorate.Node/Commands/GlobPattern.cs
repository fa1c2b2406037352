using System.Diagnostics.CodeAnalysis;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Commands;

/// <summary>
/// A pattern as KEYS and MATCH take it: `*`, `?`, `[abc]`, `[^a-c]`, and `\` before a byte that is meant as itself. A
/// class without its closing bracket ends with the pattern.
/// <para>It is an automaton without backtracking, all of whose states are followed at once, one bit each (Baeza-Yates
/// and Gonnet, "A new approach to text searching", CACM 1992; stars are states that stay). So the work is at most the
/// length of the text times a 64th of the pattern's, whatever either holds (pitfall S12).</para>
/// </summary>
public sealed class GlobPattern
{
    private const int WordBits = 64;
    private const byte Escape = (byte)'\\';

    /// <summary>Words of bits that hold all states: state i is, that the first i elements have matched.</summary>
    private readonly int _words;

    /// <summary>The state in which all has matched.</summary>
    private readonly int _end;

    /// <summary>For each value of a byte the states whose next element it matches.</summary>
    private readonly ulong[] _matching;

    /// <summary>The states that any byte leaves as they are, since a star comes next.</summary>
    private readonly ulong[] _staying;

    /// <exception cref="ArgumentException">The pattern is longer than patterns may be.</exception>
    public GlobPattern(ReadOnlySpan<byte> pattern)
    {
        if (pattern.Length > EvaluationLimits.PatternBytesMax)
        {
            throw new ArgumentException("The pattern is too long.", nameof(pattern));
        }

        // An element takes one byte of the pattern at least.
        _words = (pattern.Length / WordBits) + 1;
        _matching = new ulong[256 * _words];
        _staying = new ulong[_words];
        for (int at = 0; at < pattern.Length;)
        {
            if (pattern[at] == (byte)'*')
            {
                Set(_staying);
                at++;
            }
            else
            {
                at = ReadElement(pattern, at);
                _end++;
            }
        }
    }

    /// <summary>The pattern that this word of a command is; false when it is too long, which has been
    /// answered.</summary>
    internal static bool TryRead(CommandContext context, int word, [NotNullWhen(true)] out GlobPattern? pattern)
    {
        ReadOnlySpan<byte> bytes = context.Line[word];
        bool isShort = bytes.Length <= EvaluationLimits.PatternBytesMax;
        pattern = isShort ? new(bytes) : null;
        if (!isShort)
        {
            context.Reply.Error(Errors.PatternTooLong);
        }

        return isShort;
    }

    public bool Matches(ReadOnlySpan<byte> text) => _words == 1 ? MatchesInOneWord(text) : MatchesInMany(text);

    private bool MatchesInOneWord(ReadOnlySpan<byte> text)
    {
        ulong states = 1;
        ulong staying = _staying[0];
        ulong end = 1UL << _end;
        foreach (byte value in text)
        {
            states = ((states & _matching[value]) << 1) | (states & staying);
            if (states == 0 || (states & staying & end) != 0)
            {
                break;
            }
        }

        return (states & end) != 0;
    }

    private bool MatchesInMany(ReadOnlySpan<byte> text)
    {
        Span<ulong> states = stackalloc ulong[_words];
        states.Clear();
        states[0] = 1;
        (int endWord, ulong end) = (_end / WordBits, 1UL << (_end % WordBits));
        foreach (byte value in text)
        {
            ReadOnlySpan<ulong> matching = _matching.AsSpan(value * _words, _words);
            ulong carried = 0;
            ulong any = 0;
            for (int i = 0; i < states.Length; i++)
            {
                ulong moved = states[i] & matching[i];
                states[i] = (moved << 1) | carried | (states[i] & _staying[i]);
                carried = moved >> (WordBits - 1);
                any |= states[i];
            }

            if (any == 0 || (states[endWord] & _staying[endWord] & end) != 0)
            {
                break;
            }
        }

        return (states[endWord] & end) != 0;
    }

    /// <summary>Notes which bytes the element at this place matches; returns the place behind it.</summary>
    private int ReadElement(ReadOnlySpan<byte> pattern, int at)
    {
        switch (pattern[at])
        {
            case (byte)'?':
                Allow(0, 255);
                return at + 1;
            case (byte)'[':
                return ReadClass(pattern, at + 1);
            case Escape when at + 1 < pattern.Length:
                Allow(pattern[at + 1], pattern[at + 1]);
                return at + 2;
            default:
                Allow(pattern[at], pattern[at]);
                return at + 1;
        }
    }

    private int ReadClass(ReadOnlySpan<byte> pattern, int at)
    {
        bool isNegated = at < pattern.Length && pattern[at] == (byte)'^';
        at += isNegated ? 1 : 0;
        while (at < pattern.Length && pattern[at] != (byte)']')
        {
            if (pattern[at] == Escape && at + 1 < pattern.Length)
            {
                Allow(pattern[at + 1], pattern[at + 1]);
                at += 2;
            }
            else if (at + 2 < pattern.Length && pattern[at + 1] == (byte)'-')
            {
                Allow(Math.Min(pattern[at], pattern[at + 2]), Math.Max(pattern[at], pattern[at + 2]));
                at += 3;
            }
            else
            {
                Allow(pattern[at], pattern[at]);
                at++;
            }
        }

        for (int value = 0; isNegated && value < 256; value++)
        {
            _matching[(value * _words) + (_end / WordBits)] ^= 1UL << (_end % WordBits);
        }

        return Math.Min(at + 1, pattern.Length);
    }

    /// <summary>The element that is being read matches these bytes.</summary>
    private void Allow(byte from, byte to)
    {
        for (int value = from; value <= to; value++)
        {
            Set(_matching.AsSpan(value * _words, _words));
        }
    }

    private void Set(Span<ulong> states) => states[_end / WordBits] |= 1UL << (_end % WordBits);
}
