using System.Text;
using Quorate.Core.Model;
using Quorate.Node.Commands;
using Quorate.Node.Evaluation;

namespace Quorate.Node.Tests.Commands;

/// <summary>Patterns of KEYS and MATCH.</summary>
public sealed class GlobPatternTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("*", "", true)]
    [InlineData("**", "abc", true)]
    [InlineData("user:*:name", "user:17:name", true)]
    [InlineData("user:*:name", "user:17:names", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("[a-c]x[^a-c]", "bxd", true)]
    [InlineData("[a-c]x[^a-c]", "bxb", false)]
    [InlineData("[c-a]", "b", true)]
    [InlineData(@"\*\[", "*[", true)]
    [InlineData(@"[\]]", "]", true)]
    [InlineData(@"a\", @"a\", true)]
    [InlineData("a[bc", "ac", true)]
    [InlineData("a[^", "ax", true)]
    [InlineData("a[", "a[", false)]
    public void It_matches_as_Redis_says(string pattern, string text, bool matches) =>
        Assert.Equal(matches, Matches(pattern, text));

    /// <summary>Few letters and many stars, short and longer than a word of 64 bits.</summary>
    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 80)]
    [InlineData(3, 200)]
    public void It_matches_what_trying_everything_finds(ulong seed, int elementsMax)
    {
        var random = new SeededRandom(seed);
        int matched = 0;
        for (int i = 0; i < 3000; i++)
        {
            var pattern = new StringBuilder();
            var text = new StringBuilder();
            for (long left = random.Next(elementsMax); left > 0; left--)
            {
                // Text that follows the pattern, now and then not.
                (string element, string example) = random.Next(7) switch
                {
                    0 => ("*", new string('a', (int)random.Next(3))),
                    1 => ("?", "b"),
                    2 => ("[ab]", "b"),
                    3 => ("[^b]", "a"),
                    4 => (@"\*", "*"),
                    _ => ("a", "a"),
                };
                pattern.Append(element);
                text.Append(random.Chance(990_000) ? example : "b");
            }

            string of = pattern.ToString();
            bool found = Matches(of, text.ToString());
            Assert.True(found == Tried(of, text.ToString()), $"{of} and {text}");
            matched += found ? 1 : 0;
        }

        Assert.InRange(matched, 100, 2990);
    }

    /// <summary>What backtracking would take hours for (S12).</summary>
    [Fact]
    public void The_worst_pattern_against_the_longest_key_is_little_work()
    {
        byte[] key = new byte[64 * 1024];
        Array.Fill(key, (byte)'a');
        var pattern = new byte[EvaluationLimits.PatternBytesMax];
        for (int i = 0; i < pattern.Length; i++)
        {
            pattern[i] = (byte)(i % 2 == 0 ? '*' : 'a');
        }

        pattern[^1] = (byte)'b';
        var glob = new GlobPattern(pattern);
        for (int i = 0; i < 20; i++)
        {
            Assert.False(glob.Matches(key));
        }
    }

    [Theory]
    [InlineData("KEYS")]
    [InlineData("SCAN 0 MATCH")]
    [InlineData("HSCAN h 0 MATCH")]
    [InlineData("SSCAN s 0 COUNT 5 MATCH")]
    [InlineData("ZSCAN z 0 MATCH")]
    public void One_that_is_too_long_is_refused(string command)
    {
        var node = new TestNode();
        node.Run("HSET h f v");
        node.Run("SADD s f");
        node.Run("ZADD z 1 f");
        string[] line = command.Split(' ');
        string Answer(int length) => Encoding.Latin1.GetString(
            node.Run([TestNode.Line([.. line, $"[{new string('b', length - 2)}]"])], isBatch: false));

        Assert.Equal("-ERR the pattern is longer than 1024 bytes\r\n", Answer(EvaluationLimits.PatternBytesMax + 1));
        Assert.StartsWith("*", Answer(EvaluationLimits.PatternBytesMax), StringComparison.Ordinal);
    }

    private static bool Matches(string pattern, string text) =>
        new GlobPattern(Encoding.Latin1.GetBytes(pattern)).Matches(Encoding.Latin1.GetBytes(text));

    /// <summary>The same by the rules alone: which places of the text each part of the pattern may reach.</summary>
    private static bool Tried(string pattern, string text)
    {
        var reached = new SortedSet<int> { 0 };
        for (int at = 0; at < pattern.Length;)
        {
            (int length, Func<char, bool> allows) = pattern[at] switch
            {
                '*' => (1, _ => true),
                '?' => (1, (Func<char, bool>)(_ => true)),
                '[' when pattern[at + 1] == '^' => (4, each => each != 'b'),
                '[' => (4, each => each is 'a' or 'b'),
                '\\' => (2, each => each == '*'),
                char letter => (1, each => each == letter),
            };
            reached = pattern[at] == '*'
                ? [.. Enumerable.Range(reached.Min, text.Length + 1 - reached.Min)]
                : [.. reached.Where(place => place < text.Length && allows(text[place])).Select(place => place + 1)];
            if (reached.Count == 0)
            {
                return false;
            }

            at += length;
        }

        return reached.Contains(text.Length);
    }
}
