using System.Text.RegularExpressions;

namespace Quorate.Tidy.Rules;

/// <summary>Rules about prose: golden scripts and links.</summary>
internal static partial class Documents
{
    private const int SentenceWordsMin = 3;

    /// <summary>A golden script begins with a comment that says in a sentence what it shows.</summary>
    public static IEnumerable<Finding> ScriptOpening(Source script)
    {
        string first = script.Lines[0];
        int words = first.TrimStart('#').Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        if (!first.StartsWith("# ", StringComparison.Ordinal) || words < SentenceWordsMin)
        {
            yield return new(script.Path, 1, "the first line is not a `#` comment with a sentence");
        }
    }

    /// <summary>Every link inside the repository leads somewhere, to the heading too when it names one.</summary>
    public static IEnumerable<Finding> Links(
        Source page, Func<string, bool> exists, Func<string, Source?> find)
    {
        foreach ((int line, string text) in ProseLines(page))
        {
            foreach (Match link in Link().Matches(InlineCode().Replace(text, "")))
            {
                string target = link.Groups[1].Value + link.Groups[2].Value;
                if (Problem(page, target, exists, find) is { } problem)
                {
                    yield return new(page.Path, line, problem);
                }
            }
        }
    }

    /// <summary>A heading as a link writes it: lower case, blanks as hyphens, other punctuation left out.</summary>
    public static string Anchor(string heading) =>
        string.Concat(heading.Trim().ToLowerInvariant()
            .Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')
            .Select(c => c == ' ' ? '-' : c));

    /// <summary>The lines of a page that are not inside a fenced block, each with its number.</summary>
    public static IEnumerable<(int Line, string Text)> ProseLines(Source page)
    {
        bool fenced = false;
        for (int i = 0; i < page.Lines.Count; i++)
        {
            bool fence = page.Lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal);
            fenced ^= fence;
            if (!fenced && !fence)
            {
                yield return (i + 1, page.Lines[i]);
            }
        }
    }

    private static string? Problem(
        Source page, string target, Func<string, bool> exists, Func<string, Source?> find)
    {
        if (Scheme().IsMatch(target))
        {
            return null;
        }

        string[] parts = target.Split('#', 2);
        string? path = parts[0].Length == 0 ? page.Path : Resolve(page.Folder, parts[0]);
        if (path is null || !exists(path))
        {
            return $"the link {target} leads nowhere";
        }

        return parts.Length == 2 && find(path) is { } other && !Headings(other).Contains(parts[1])
            ? $"the link {target} names a heading that is not there"
            : null;
    }

    private static IEnumerable<string> Headings(Source page) =>
        ProseLines(page)
            .Where(line => line.Text.StartsWith('#'))
            .Select(line => Anchor(line.Text.TrimStart('#')));

    /// <summary>The path from the root, or null when it leaves the repository.</summary>
    private static string? Resolve(string folder, string target)
    {
        List<string> path = [.. folder.Split('/', StringSplitOptions.RemoveEmptyEntries)];
        foreach (string part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && path.Count == 0)
            {
                return null;
            }

            if (part == "..")
            {
                path.RemoveAt(path.Count - 1);
            }
            else if (part != ".")
            {
                path.Add(part);
            }
        }

        return string.Join('/', path);
    }

    [GeneratedRegex(@"\[[^\]]*\]\(([^)\s]+)(?:\s[^)]*)?\)|^\[[^\]]+\]:\s*(\S+)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex("^[a-zA-Z][a-zA-Z0-9+.-]*:")]
    private static partial Regex Scheme();
}
