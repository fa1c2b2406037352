using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Quorate.Tidy.Rules;

/// <summary>
/// Core, Storage and Node, compiled together so that rules can ask what a word means. They must decide the same
/// from the same inputs; the analyzer of banned symbols sees most of what would break that, and the rules over
/// this class the rest.
/// </summary>
internal sealed class DecidingCode
{
    private static readonly string[] Projects = ["src/Quorate.Core/", "src/Quorate.Storage/", "src/Quorate.Node/"];

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>A partial member whose other half a source generator writes; no generator runs here.</summary>
    private const string HalfIsGenerated = "CS8795";

    private static readonly Lazy<MetadataReference[]> References = new(ReadReferences);

    private readonly CSharpCompilation _compilation;

    public DecidingCode(IEnumerable<Source> code)
    {
        Files = [.. code.Where(Decides)];
        SyntaxTree usings = CSharpSyntaxTree.ParseText(ImplicitUsings, Source.ParseOptions);
        _compilation = CSharpCompilation.Create(
            "Deciding",
            Files.Select(file => file.Root.SyntaxTree).Append(usings),
            References.Value,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
    }

    public IReadOnlyList<Source> Files { get; }

    public SemanticModel Model(Source file) => _compilation.GetSemanticModel(file.Root.SyntaxTree);

    /// <summary>A rule that asks for meanings is blind where the code does not compile.</summary>
    public IEnumerable<Finding> Errors()
    {
        foreach (Diagnostic problem in _compilation.GetDiagnostics())
        {
            if (problem.Severity == DiagnosticSeverity.Error && problem.Id != HalfIsGenerated)
            {
                FileLinePositionSpan at = problem.Location.GetLineSpan();
                string what = problem.GetMessage(System.Globalization.CultureInfo.InvariantCulture);
                yield return new(at.Path, at.StartLinePosition.Line + 1, $"{problem.Id} {what}");
            }
        }
    }

    private static bool Decides(Source file) =>
        Projects.Any(project => file.Path.StartsWith(project, StringComparison.Ordinal));

    /// <summary>
    /// What the code is compiled against: everything but itself. The built Node has the types that are generated from
    /// .proto files; all others that it has give way to those of the source.
    /// </summary>
    private static bool IsReference(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        return name is "Quorate.Node" || !name.StartsWith("Quorate.", StringComparison.Ordinal);
    }

    private static MetadataReference[] ReadReferences()
    {
        string assemblies = (string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "";
        return
        [
            .. assemblies.Split(Path.PathSeparator)
                .Where(IsReference)
                .Select(path => MetadataReference.CreateFromFile(path)),
        ];
    }
}
