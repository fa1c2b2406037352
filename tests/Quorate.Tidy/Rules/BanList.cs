using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Tidy.Rules;

/// <summary>
/// The list of banned symbols: that it is wired to the projects, that it names what it must, and what the
/// analyzer that reads it does not look at (the types in signatures, locks, async and volatile).
/// </summary>
internal sealed class BanList
{
    /// <summary>Without these the list would be a comfort only.</summary>
    public static readonly IReadOnlyList<string> MustName =
    [
        "T:System.DateTime", "T:System.DateTimeOffset", "T:System.TimeProvider", "T:System.Diagnostics.Stopwatch",
        "T:System.Random", "M:System.Guid.NewGuid", "T:System.Security.Cryptography.RandomNumberGenerator",
        "N:System.Threading", "N:System.Collections.Concurrent", "N:System.Net", "N:System.IO",
        "T:System.Diagnostics.Process", "T:System.Console", "T:System.Environment", "T:System.AppContext",
        "T:System.HashCode", "M:System.Object.GetHashCode", "M:System.String.GetHashCode",
    ];

    /// <summary>DESIGN: readers of the memtable race with its one writer, and these order them.</summary>
    private static readonly string[] AllowedInMemtable =
        ["T:System.Threading.Volatile", "T:System.Threading.Interlocked"];

    private static readonly SyntaxKind[] BannedWords =
        [SyntaxKind.LockKeyword, SyntaxKind.AsyncKeyword, SyntaxKind.VolatileKeyword];

    private readonly Source _file;
    private readonly HashSet<string> _entries;

    public BanList(Source file)
    {
        _file = file;
        _entries = [.. file.Lines.Select(line => line.Split(';')[0])];
    }

    /// <summary>Each line is `symbol;what to use instead`, and the key symbols are there.</summary>
    public IEnumerable<Finding> Gaps()
    {
        for (int i = 0; i < _file.Lines.Count; i++)
        {
            string[] parts = _file.Lines[i].Split(';', 2);
            bool named = parts[0] is ['T' or 'M' or 'N' or 'P' or 'F', ':', _, ..];
            if (!named || parts.Length < 2 || parts[1].Trim().Length == 0)
            {
                yield return new(_file.Path, i + 1, "not of the form `T:Symbol;what to use instead`");
            }
        }

        foreach (string missing in MustName.Where(name => !_entries.Contains(name)))
        {
            yield return new(_file.Path, 1, $"{missing} is not banned");
        }
    }

    /// <summary>A project that decides names the analyzer and hands it the list.</summary>
    public static IEnumerable<Finding> Unwired(Source project)
    {
        XDocument xml = XDocument.Parse(project.Text);
        if (!Includes(xml, "PackageReference", "Microsoft.CodeAnalysis.BannedApiAnalyzers"))
        {
            yield return new(project.Path, 1, "no reference to Microsoft.CodeAnalysis.BannedApiAnalyzers");
        }

        if (!Includes(xml, "AdditionalFiles", "BannedSymbols.txt"))
        {
            yield return new(project.Path, 1, "BannedSymbols.txt is not among the AdditionalFiles");
        }
    }

    /// <summary>Banned types wherever they are written, so also as the type of a field or of a parameter.</summary>
    public IEnumerable<Finding> Types(Source file, SemanticModel model)
    {
        bool memtable = file.Path.StartsWith("src/Quorate.Storage/Memtables/", StringComparison.Ordinal);
        foreach (SimpleNameSyntax name in file.Root.DescendantNodes().OfType<SimpleNameSyntax>())
        {
            if (model.GetSymbolInfo(name).Symbol is INamedTypeSymbol type && IsBanned(type))
            {
                string id = type.OriginalDefinition.GetDocumentationCommentId() ?? "";
                if (!memtable || !AllowedInMemtable.Contains(id))
                {
                    yield return file.At(name, $"{id} is banned");
                }
            }
        }
    }

    /// <summary>Words of the language that hide a banned type.</summary>
    public static IEnumerable<Finding> Words(Source file) =>
        file.Root.DescendantTokens()
            .Where(token => BannedWords.Contains(token.Kind()))
            .Select(token => file.At(token.GetLocation(), $"the word {token.ValueText}"));

    private bool IsBanned(INamedTypeSymbol type)
    {
        if (_entries.Contains(type.OriginalDefinition.GetDocumentationCommentId() ?? ""))
        {
            return true;
        }

        for (INamespaceSymbol? space = type.ContainingNamespace; space is not null; space = space.ContainingNamespace)
        {
            if (_entries.Contains("N:" + space.ToDisplayString()))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Includes(XDocument project, string item, string ending) =>
        project.Descendants(item).Any(element =>
            ((string?)element.Attribute("Include"))?.EndsWith(ending, StringComparison.Ordinal) ?? false);
}
