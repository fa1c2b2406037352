using System.Text.RegularExpressions;
using Quorate.Node.Commands;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Tests.Resp;

/// <summary>The page on Redis's commands says what the command tables and a real Redis say.</summary>
public sealed partial class CompatibilityPageTests
{
    private const string OwnSection = "## What Redis has not";

    [Fact]
    public void Every_command_here_is_on_the_page_as_same_or_different_and_no_missing_one_is_here()
    {
        Page page = Page.Read();
        string[] here =
        [
            .. CommandTable.All.Select(spec => spec.Name).Concat(EdgeCommands.All.Select(edge => edge.Name)).Distinct(),
        ];

        Assert.Equal(
            here.Order(StringComparer.Ordinal),
            page.Same.Concat(page.Different).Concat(page.Own).Order(StringComparer.Ordinal));
        Assert.Empty(page.Missing.Intersect(here));
    }

    [Fact]
    public void Every_command_of_Redis_is_on_the_page_once()
    {
        string? path = RedisTools.Find("redis-server");
        Assert.SkipWhen(path is null, "redis-server is not installed");
        using var redis = new RedisServer(path!);
        using RawClient client = redis.Connect();
        string[] theirs =
        [
            .. Bulk().Matches(client.Run("COMMAND LIST")).Select(match => match.Groups[1].Value.ToUpperInvariant())
                .Where(name => !name.Contains('|')).Order(StringComparer.Ordinal),
        ];

        Page page = Page.Read();

        Assert.Equal(
            theirs, page.Same.Concat(page.Different).Concat(page.Missing).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"\$\d+\r\n([^\r]+)\r\n")]
    private static partial Regex Bulk();

    [GeneratedRegex("`([A-Z_-]+)`")]
    private static partial Regex Name();

    private sealed record Page(List<string> Same, List<string> Different, List<string> Missing, List<string> Own)
    {
        /// <summary>Paragraphs that begin with "Same:", list items, and paragraphs with "Missing".</summary>
        public static Page Read()
        {
            string text = File.ReadAllText(Checkout.Page("redis-compatibility.md"));
            int own = text.IndexOf(OwnSection, StringComparison.Ordinal);
            int families = text.IndexOf("## Strings", StringComparison.Ordinal);
            int notBuilt = text.IndexOf("## Families that are not built", StringComparison.Ordinal);
            var page = new Page([], [], [], []);
            foreach (string paragraph in text[families..notBuilt].Split("\n\n"))
            {
                int missing = paragraph.IndexOf("Missing", StringComparison.Ordinal);
                if (missing >= 0)
                {
                    page.Missing.AddRange(Names(paragraph[missing..]));
                }
                else if (paragraph.StartsWith("Same:", StringComparison.Ordinal))
                {
                    page.Same.AddRange(Names(paragraph));
                }
                else if (paragraph.StartsWith("- `", StringComparison.Ordinal))
                {
                    page.Different.AddRange(Items(paragraph).Select(item => Names(item).First()));
                }
            }

            page.Missing.AddRange(Names(text[notBuilt..own]));
            page.Own.AddRange(Items(text[own..]).SelectMany(item => OwnName().Matches(Head(item)))
                .Select(match => match.Groups[1].Value));
            return page;
        }

        private static IEnumerable<string> Items(string text) =>
            text.Split("\n- ").Select(item => item.TrimStart('-', ' ')).Where(item => item.StartsWith('`'));

        private static string Head(string item) => item[..item.IndexOf(':', StringComparison.Ordinal)];

        private static IEnumerable<string> Names(string text) =>
            Name().Matches(text).Select(match => match.Groups[1].Value);
    }

    [GeneratedRegex("`([A-Z._-]+)`")]
    private static partial Regex OwnName();
}
