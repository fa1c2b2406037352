using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Tidy.Rules;

/// <summary>Which project may know which: what decides knows nothing of what touches the world.</summary>
internal static partial class Arrows
{
    /// <summary>Project by project under src/, the projects that it may name.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Allowed = new SortedDictionary<string, string[]>
    {
        ["Core"] = [],
        ["Storage"] = ["Core"],
        ["Protocol"] = [],
        ["Node"] = ["Core", "Storage", "Protocol"],
        ["Server"] = ["Core", "Storage", "Node", "Protocol"],
        ["Client"] = ["Protocol"],
        ["Cli"] = ["Core", "Storage", "Node", "Protocol", "Server", "Client"],
        ["Simulator"] = ["Core", "Storage", "Node"],
    };

    public static IEnumerable<Finding> InProject(Source project)
    {
        if (ProjectOf(project.Path) is not { } from)
        {
            yield break;
        }

        foreach (XElement reference in XDocument.Parse(project.Text).Descendants("ProjectReference"))
        {
            string path = ((string?)reference.Attribute("Include") ?? "").Replace('\\', '/');
            string to = Path.GetFileNameWithoutExtension(path);
            if (Judge(project.Path, 1, from, to) is { } finding)
            {
                yield return finding;
            }
        }
    }

    public static IEnumerable<Finding> InUsings(Source file)
    {
        if (ProjectOf(file.Path) is not { } from)
        {
            yield break;
        }

        foreach (UsingDirectiveSyntax directive in file.Root.DescendantNodes().OfType<UsingDirectiveSyntax>())
        {
            Match name = QuorateName().Match(directive.NamespaceOrType.ToString());
            if (name.Success && Judge(file.Path, file.At(directive, "").Line, from, name.Value) is { } finding)
            {
                yield return finding;
            }
        }
    }

    private static Finding? Judge(string path, int line, string from, string to)
    {
        string target = to.StartsWith("Quorate.", StringComparison.Ordinal) ? to["Quorate.".Length..] : to;
        if (!Allowed.TryGetValue(from, out string[]? allowed))
        {
            return new(path, line, $"{from} is a project without a place in the table of arrows");
        }

        return target == from || allowed.Contains(target)
            ? null
            : new Finding(path, line, $"{from} must not know {target}");
    }

    private static string? ProjectOf(string path) =>
        SourceProject().Match(path) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex("^src/Quorate\\.(\\w+)/")]
    private static partial Regex SourceProject();

    [GeneratedRegex("^Quorate\\.\\w+")]
    private static partial Regex QuorateName();
}
