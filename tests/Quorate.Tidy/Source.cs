using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Quorate.Tidy;

/// <summary>
/// A text file of the checkout, or a sample of one. Its path is relative to the root, with forward slashes.
/// </summary>
internal sealed class Source(string path, string text)
{
    private CompilationUnitSyntax? _root;

    public static CSharpParseOptions ParseOptions { get; } =
        new(LanguageVersion.Preview, DocumentationMode.Parse);

    public string Path { get; } = path;

    public string Text { get; } = text;

    /// <summary>The lines without their ends; the empty rest after the last newline is not one.</summary>
    public IReadOnlyList<string> Lines { get; } = text.EndsWith('\n') ? text[..^1].Split('\n') : text.Split('\n');

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>The folder's path, empty for a file in the root.</summary>
    public string Folder => Path.Contains('/', StringComparison.Ordinal) ? Path[..Path.LastIndexOf('/')] : "";

    public bool IsCode => Path.EndsWith(".cs", StringComparison.Ordinal);

    public CompilationUnitSyntax Root =>
        _root ??= CSharpSyntaxTree.ParseText(Text, ParseOptions, Path).GetCompilationUnitRoot();

    public Finding At(SyntaxNode node, string what) => At(node.GetLocation(), what);

    public Finding At(Location location, string what) =>
        new(Path, location.GetLineSpan().StartLinePosition.Line + 1, what);
}
