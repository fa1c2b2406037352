using System.Reflection;
using System.Text.RegularExpressions;

namespace Quorate.Tidy.Rules;

/// <summary>
/// Tables in the docs that name code: what they name must be there, and what they must name must be in them.
/// </summary>
internal static partial class CodeReferences
{
    public const string FigureHeading = "## Figure 2 of the Raft paper, rule by rule";

    private const BindingFlags AnyMember =
        BindingFlags.Public | BindingFlags.NonPublic
        | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>
    /// Each row of the table under <see cref="FigureHeading"/> ends in a cell that names at least one
    /// `Type.Member` of the assembly.
    /// </summary>
    public static IEnumerable<Finding> Figure(Source page, Assembly assembly)
    {
        List<(int Line, string[] Cells)> rows = [.. Rows(page, FigureHeading)];
        if (rows.Count == 0)
        {
            yield return new(page.Path, 1, $"no table under the heading \"{FigureHeading}\"");
        }

        foreach ((int line, string[] cells) in rows)
        {
            string[] names = [.. InlineCode().Matches(cells[^1]).Select(match => match.Groups[1].Value)];
            if (names.Length == 0)
            {
                yield return new(page.Path, line, "the last cell names no `Type.Member`");
            }

            foreach (string name in names.Where(name => !Exists(name, assembly)))
            {
                yield return new(page.Path, line, $"{name} is not in {assembly.GetName().Name}");
            }
        }
    }

    /// <summary>
    /// The page names each guard in backticks, alone or as `Guards.Name`; and each name in a table's column of
    /// guards is one.
    /// </summary>
    public static IEnumerable<Finding> GuardMap(Source page, IReadOnlyCollection<string> guards)
    {
        HashSet<string> said = [.. InlineCode().Matches(page.Text).Select(match => Bare(match.Groups[1].Value))];
        foreach (string missing in guards.Where(guard => !said.Contains(guard)))
        {
            yield return new(page.Path, 1, $"the guard {missing} is not named");
        }

        foreach ((int line, string name) in NamedAsGuards(page))
        {
            if (!guards.Contains(Bare(name)))
            {
                yield return new(page.Path, line, $"{name} is no guard");
            }
        }
    }

    /// <summary>
    /// tests/mutants/killers.txt names guards, each once, and scripts and test files that exist. A guard without a line
    /// is none: it is tried on everything.
    /// </summary>
    public static IEnumerable<Finding> Killers(
        Source table, IReadOnlyCollection<string> guards, IReadOnlyCollection<string> files)
    {
        HashSet<string> named = [];
        string[] lines = table.Text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string[] words = lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0] == "#")
            {
                continue;
            }

            bool isScript = words is [_, "script", _];
            string file = isScript ? $"tests/scripts/raft/{words[2]}.txt" : words.Length == 3 ? $"/{words[2]}.cs" : "";
            if (words.Length != 3 || !guards.Contains(words[0]) || !named.Add(words[0]))
            {
                yield return new(table.Path, i + 1, "not 'guard means name', with a guard that no other line names");
            }
            else if (!files.Any(path => path.StartsWith("tests/", StringComparison.Ordinal)
                && path.EndsWith(file, StringComparison.Ordinal)))
            {
                yield return new(table.Path, i + 1, $"there is no {file}");
            }
        }
    }

    private static IEnumerable<(int Line, string Name)> NamedAsGuards(Source page)
    {
        int column = -1;
        foreach ((int line, string text) in Documents.ProseLines(page))
        {
            bool row = text.StartsWith('|');
            string[] cells = row ? Cells(text) : [];
            int header = Array.FindIndex(cells, cell => cell.StartsWith("guard", StringComparison.OrdinalIgnoreCase));
            column = row ? (header >= 0 ? header : column) : -1;
            bool inColumn = column >= 0 && header < 0 && column < cells.Length;
            foreach (Match code in InlineCode().Matches(text))
            {
                string name = code.Groups[1].Value;
                bool prefixed = name.StartsWith("Guards.", StringComparison.Ordinal);
                if (prefixed || (inColumn && cells[column].Contains(code.Value, StringComparison.Ordinal)))
                {
                    yield return (line, name);
                }
            }
        }
    }

    private static IEnumerable<(int Line, string[] Cells)> Rows(Source page, string heading)
    {
        bool under = false;
        int row = 0;
        foreach ((int line, string text) in Documents.ProseLines(page))
        {
            under = text.StartsWith('#') ? text.TrimEnd() == heading : under;
            row = under && text.StartsWith('|') ? row + 1 : 0;
            if (row > 2)
            {
                yield return (line, Cells(text));
            }
        }
    }

    private static string[] Cells(string row) => [.. row.Trim().Trim('|').Split('|').Select(cell => cell.Trim())];

    private static string Bare(string name) =>
        name.StartsWith("Guards.", StringComparison.Ordinal) ? name["Guards.".Length..] : name;

    private static bool Exists(string reference, Assembly assembly)
    {
        string[] parts = reference.Split('.');
        return parts.Length == 2
            && assembly.GetTypes()
                .Where(type => type.Name.Split('`')[0] == parts[0])
                .Any(type => type.GetMember(parts[1], AnyMember).Length > 0);
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex InlineCode();
}
